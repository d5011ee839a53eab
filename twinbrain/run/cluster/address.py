"""A scheduler that runs elsewhere, by its address."""

from __future__ import annotations

import re
import ssl
from contextlib import suppress

import dask
from distributed import Client
from distributed.comm.core import FatalCommClosedError

from twinbrain.errors import ClusterError, SpecError
from twinbrain.run.cluster.tls import security_of
from twinbrain.spec.cluster import ClusterProfile

_CONNECT_TIMEOUT = "10s"
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+(%\w+)?\]|[\w.-]+):(?P<port>[0-9]{1,5})", flags=re.ASCII)


def check_address(address: str) -> None:
    """Raise a `SpecError` for what is no address of a scheduler."""
    if (match := _ADDRESS.fullmatch(address)) is None or not 1 <= int(match["port"]) <= 65535:
        raise SpecError(
            'expected an address such as "tcp://10.0.0.1:8786" or "tcp://[::1]:8786", with a port from 1 to 65535, '
            f"found {address!r}; give the one that the scheduler printed"
        )


def check_unencrypted(what: str) -> None:
    """Raise a `ClusterError` if Dask is configured to speak with encryption alone."""
    if dask.config.get("distributed.comm.require-encryption", None):
        raise ClusterError(
            f"expected to speak with {what} without encryption, found that Dask's configuration asks for it "
            "(distributed.comm.require-encryption, in the environment DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION); "
            "lift that, or use a scheduler at tls://"
        )


def client_at(address: str, profile: ClusterProfile | None) -> Client:
    """Return a client of the scheduler at an address; without a profile, it has no certificates."""
    security = None if profile is None else security_of(profile)
    if security is None and address.startswith("tls://"):
        raise SpecError(
            f"expected a profile with certificates for {address}, found none; name them in a table [tls] of a profile "
            "in TOML, and give it with --profile, or profile= in Python"
        )
    if security is None:
        check_unencrypted(address)
    try:
        return Client(address, timeout=_CONNECT_TIMEOUT, set_as_default=False, security=security)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        if (reason := _tls_failure(error)) is not None:
            raise ClusterError(
                f"expected a scheduler at {address} and a client that take each other's certificates, found that TLS "
                f"failed: {reason}; see that none has expired, and that both name the same authority (ca_file)"
            ) from error
        found = str(error).partition("\n")[0] or type(error).__name__
        raise ClusterError(
            f"expected a scheduler at {address}, found none that answered within {_CONNECT_TIMEOUT} ({found}); start "
            "one there with: dask scheduler; or give the address that it printed"
        ) from error


def _tls_failure(error: BaseException) -> str | None:
    """Return what went wrong with certificates where the other side has answered, else None."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__
    if cause is None and not isinstance(error, FatalCommClosedError):
        return None
    return str(cause or error).partition("\n")[0]


def close(client: Client) -> None:
    """Take leave of a scheduler that goes on running, if it is still there."""
    with suppress(OSError, RuntimeError):  # a scheduler that is gone does not answer a good-bye
        client.close()
