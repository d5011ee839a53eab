"""Who may take part in a cluster: certificates, which both sides of every connection show each other.

Whoever reaches a scheduler or a worker of Dask can run code there. Beyond this machine, that is those who hold a key.
"""

from __future__ import annotations

import os
import shlex
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distributed import Security

from twinbrain.errors import ClusterError, Problem, SpecError
from twinbrain.paths import user_path
from twinbrain.spec.cluster import Certificates, ClusterProfile

_ROLES = ("client", "scheduler", "worker")


def security_of(profile: ClusterProfile) -> Security | None:
    """Return what Dask takes of the certificates of a profile; None where it names none.

    Raises
    ------
    SpecError
        If a file is missing.
    ClusterError
        If the files hold no certificate and key that belong together, or the key is encrypted, or others can read it.
    """
    if (tls := profile.tls) is None:
        return None
    missing = [key for key in Certificates.model_fields if not Path(getattr(tls, key)).is_file()]
    if missing:
        message = "expected a file of certificates or a key, found none at"
        raise SpecError(Problem(f"tls.{key}", f"{message} {getattr(tls, key)}; check the path") for key in missing)
    try:
        ssl.create_default_context(cafile=tls.ca_file).load_cert_chain(tls.cert_file, tls.key_file, password=_refuse)
    except (ssl.SSLError, OSError) as error:
        raise ClusterError(
            f"expected a certificate, its key and their authority in {tls.cert_file}, {tls.key_file} and "
            f"{tls.ca_file}, found that they do not fit ({error}); have them made anew"
        ) from None
    if os.name == "posix" and Path(tls.key_file).stat().st_mode & 0o077:
        raise ClusterError(
            f"expected a private key that only you can read, found that others may: {tls.key_file}; "
            f"close it with: chmod 600 {shlex.quote(tls.key_file)}"
        )
    return _security(tls)


def _refuse() -> str:
    raise ClusterError(
        "expected a private key that is not encrypted, since every process reads it by itself, found one with a "
        "passphrase (key_file); write one without, that only you can read: openssl pkey -in KEY -out NEW"
    )


class _QuotedForJobs(Security):
    """Gives paths as a shell takes them to workers, which get theirs on the command line of a job."""

    def get_tls_config_for_role(self, role: str) -> dict[str, Any]:
        found = super().get_tls_config_for_role(role)
        if role != "worker":
            return found
        return {key: value and shlex.quote(value) for key, value in found.items()}


def _security(tls: Certificates) -> Security:
    # Jobs may begin in another folder.
    tls = Certificates(**{key: str(user_path(path).absolute()) for key, path in tls})
    for key, path in tls:
        if not path.isprintable():  # with a line break, Dask takes it for the certificate itself
            raise ClusterError(f"expected a printable path as {key}, found {path!r}; rename the file or its folder")
    own = {f"tls_{role}_cert": tls.cert_file for role in _ROLES} | {f"tls_{role}_key": tls.key_file for role in _ROLES}
    return _QuotedForJobs(require_encryption=True, tls_ca_file=tls.ca_file, **own)


@contextmanager
def security_for_jobs(profile: ClusterProfile) -> Iterator[Security]:
    """Give the certificates of a profile, or such as are made for one run, and are files that the user alone can read.

    Raises
    ------
    SpecError, ClusterError
        As `security_of`; or if the package that makes certificates is missing.
    """
    if (given := security_of(profile)) is not None:
        yield given
        return
    try:
        made = Security.temporary()
    except ImportError:
        raise ClusterError(
            'expected the package cryptography, found none; install it: pip install "twinbrain[cluster]"'
        ) from None
    logs = user_path(profile.logs).absolute()
    logs.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=logs, prefix=".certificates-") as folder:  # for the user alone, as mkdtemp makes them
        files = {key: f"{folder}/{key}.pem" for key in ("ca_file", "cert_file", "key_file")}
        for key, text in zip(files, (made.tls_ca_file, made.tls_worker_cert, made.tls_worker_key), strict=True):
            with open(os.open(files[key], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        yield _security(Certificates(**files))
