"""Connect to a cluster, and make its workers ready."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from dask.system import CPU_COUNT
from distributed import Client
from distributed.comm.core import CommClosedError
from distributed.utils import format_dashboard_link

from twinbrain.cache import numba_is_apart
from twinbrain.errors import ClusterError, SpecError, TwinbrainError
from twinbrain.interrupt import Interrupt
from twinbrain.run.cluster.address import check_address, client_at, close
from twinbrain.run.cluster.local import check_main, local_cluster
from twinbrain.run.cluster.scratch import private_scratch
from twinbrain.run.cluster.slurm import slurm_cluster
from twinbrain.run.cluster.worker import PrepareWorker, check_workers, count_ready, own_facts
from twinbrain.run.versions import SEEN_IN_BITS
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.load import load_profile
from twinbrain.spec.plain_numbers import whole

_KNOWN = 'expected a cluster "local", "slurm" or the address of a scheduler such as "tcp://10.0.0.1:8786"'


@contextmanager
def connected(
    cluster: str | None = None,
    *,
    client: Client | None = None,
    workers: int | None = None,
    profile: str | Path | ClusterProfile | None = None,
    packages: Iterable[str] = SEEN_IN_BITS,
) -> Iterator[Client]:
    """Connect to a cluster whose workers are ready for simulations.

    Parameters
    ----------
    cluster : str, optional
        ``"local"`` (the default) starts processes here, ``"slurm"`` submits jobs, and both end with the context;
        ``"tcp://host:port"`` or ``"tls://host:port"`` is a scheduler that goes on running.
    client : distributed.Client, optional
        A client of any other cluster; it is left as it is.
    workers : int, optional
        How many worker processes to start; otherwise one a core, or as many as the profile says.
    profile : str, Path or ClusterProfile, optional
        What jobs of ``"slurm"`` ask for, and the certificates of a scheduler at ``tls://``: a TOML file.
    packages : iterable of str
        Those whose versions workers have to share with this process.

    Yields
    ------
    distributed.Client
        Its workers, also those that join later, have one thread, the versions of this process, and Brian2 imported.

    Raises
    ------
    SpecError
        If the arguments do not belong together, or the profile is wrong.
    ClusterError
        If the cluster cannot be reached or started, or a worker would not compute what this process would.
    """
    check_arguments(cluster, client, workers, profile)
    if cluster in (None, "local") and client is None:
        check_main()
    found = profile if isinstance(profile, ClusterProfile | None) else load_profile(profile)
    with ExitStack() as stack:
        if client is not None:
            stack.enter_context(_ready(client, packages))
        elif cluster == "slurm":
            assert found is not None
            jobs = stack.enter_context(slurm_cluster(found, None if workers is None else int(workers)))
            client = stack.enter_context(Client(jobs, set_as_default=False))
            _make_ready(client, packages)
        elif cluster in (None, "local"):
            stack.enter_context(private_scratch())
            processes = stack.enter_context(local_cluster(CPU_COUNT if workers is None else int(workers)))
            client = stack.enter_context(Client(processes, set_as_default=False))
            _make_ready(client, packages)
        else:
            client = client_at(str(cluster), found)
            stack.callback(close, client)
            stack.enter_context(_ready(client, packages))
        yield client


def workers_ready(client: Client, n: int = 1, timeout: float | None = 60.0, interrupt: Interrupt | None = None) -> None:
    """Wait for workers.

    Parameters
    ----------
    client : distributed.Client
        The client of the cluster.
    n : int
        How many workers there have to be.
    timeout : float (s), optional
        How long to wait; None waits for ever.
    interrupt : Interrupt, optional
        Asked meanwhile whether to stop.

    Raises
    ------
    KeyboardInterrupt
        If it was asked to stop.
    ClusterError
        If there are fewer when the time is over.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while (found := count_ready(client)) < n:
        if interrupt is not None and interrupt.requested:
            raise KeyboardInterrupt
        if end is not None and time.monotonic() > end:
            hint = "see what the scheduler and the workers print"
            if hasattr(client.cluster, "job_script"):
                hint = "look at the jobs with: squeue --me; and at what they printed, in the folder of logs"
            raise ClusterError(f"expected {n} workers within {timeout:g} s, found {found}; {hint}")
        time.sleep(0.25)


def comes_with_tasks(client: Client) -> bool:
    """Return whether a cluster gets its workers when there are tasks: from a queue, or as it adapts."""
    cluster = client.cluster
    return hasattr(cluster, "job_script") or getattr(cluster, "_adaptive", None) is not None


def is_lost(error: BaseException, client: Client) -> bool:
    """Return whether an error comes of a scheduler that is gone, wherever Dask noticed it."""
    return isinstance(error, CommClosedError | CancelledError) or client.status != "running"


def dashboard(client: Client) -> str:
    """Return the address of the dashboard of a cluster, and how to reach it from elsewhere; empty if it has none."""
    if (cluster := client.cluster) is None or not hasattr(cluster, "job_script"):
        return client.dashboard_link or ""
    # Dask gives the address at which jobs reach the scheduler, but the dashboard listens on this machine alone.
    port = cluster.scheduler_info["services"]["dashboard"]
    address = format_dashboard_link("127.0.0.1", port)
    return f"{address} on this machine; from elsewhere, first: ssh -L {port}:127.0.0.1:{port} {platform.node()}"


def check_arguments(
    cluster: str | None = None,
    client: Client | None = None,
    workers: int | None = None,
    profile: str | Path | ClusterProfile | None = None,
) -> None:
    """Check the arguments of `connected`.

    Raises
    ------
    SpecError
        If one cannot be right, or they do not belong together.
    ClusterError
        If the client is closed.
    """
    if client is not None and (cluster, workers, profile) != (None, None, None):
        raise SpecError("expected a client alone, found cluster, workers or profile beside it; give one or the other")
    if client is not None:
        _check_client(client)
    if cluster is not None and not isinstance(cluster, str):
        raise SpecError(f"{_KNOWN}, found {type(cluster).__name__}; give client=cluster.get_client() for one of Dask's")
    address = cluster is not None and cluster.startswith(("tcp://", "tls://"))
    if not address and cluster not in (None, "local", "slurm"):
        raise SpecError(f"{_KNOWN}, found {cluster!r}")
    if address:
        check_address(str(cluster))
    if workers is not None:
        whole("workers", workers)
    if workers is not None and address:
        raise SpecError(f"expected the workers that {cluster} has, found workers = {workers}; start them there")
    if profile is not None and cluster != "slurm" and not (address and str(cluster).startswith("tls://")):
        raise SpecError(
            f'expected a profile with cluster "slurm" or "tls://…" alone, found {str(profile)!r}; leave it out'
        )
    if profile is None and cluster == "slurm":
        raise SpecError('expected a profile with cluster "slurm", found none; write one such as: walltime = "1 h"')


def _check_client(client: Client) -> None:
    if not isinstance(client, Client):
        raise SpecError(f"expected a client of Dask, distributed.Client, found {type(client).__name__}")
    if client.asynchronous:
        raise SpecError("expected a client that waits for answers, found an asynchronous one; make it without that")
    if client.status != "running":
        raise ClusterError(f"expected a client that is connected, found one that is {client.status}; make a new one")


def _make_ready(client: Client, packages: Iterable[str]) -> str:
    name, expected = f"twinbrain-{uuid4().hex}", own_facts(packages=packages)
    with answering():
        check_workers(client, expected)
        client.register_plugin(PrepareWorker(expected, numba_is_apart()), name=name)
    return name


@contextmanager
def starting(interrupt: Interrupt) -> Iterator[None]:
    """Tell a stop that was asked for while workers start, which reaches them too, from workers that do not start.

    Raises
    ------
    KeyboardInterrupt
        If it was asked for.
    """
    try:
        yield
    except ClusterError:
        if interrupt.requested:
            raise KeyboardInterrupt from None
        raise


@contextmanager
def answering() -> Iterator[None]:
    """Say what it means where Dask finds that the other side of a connection is gone.

    Raises
    ------
    ClusterError
        In place of what Dask raises.
    """
    try:
        yield
    except TwinbrainError:
        raise
    except (OSError, TimeoutError, CancelledError) as error:
        raise ClusterError(
            f"expected a scheduler and workers that answer while they start, found one lost ({type(error).__name__}: "
            f"{str(error).partition(chr(10))[0]}); see what they print, and whether the system ended them for memory"
        ) from error


@contextmanager
def _ready(client: Client, packages: Iterable[str]) -> Iterator[None]:
    """Make workers ready that are there already, and let others join again afterwards."""
    name = _make_ready(client, packages)
    try:
        yield
    finally:
        if client.status == "running":
            with suppress(OSError):
                client.unregister_worker_plugin(name)
