"""Workers on this machine: processes that end with what started them."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path

import dask
from distributed import LocalCluster
from distributed.utils import LoopRunner

from twinbrain.errors import ClusterError
from twinbrain.run.cluster.address import check_unencrypted

# Dask looks at each process fifty times a second, and at what its task does a hundred times: 5 % of a core a worker.
_QUIET = {"distributed.admin.tick.interval": "500ms", "distributed.worker.profile.enabled": False}
_GUARD = 'in a script, what starts workers has to stand under: if __name__ == "__main__":'


@contextmanager
def local_cluster(workers: int) -> Iterator[LocalCluster]:
    """Start worker processes, which end with the context; a `ClusterError` says why they do not start."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ClusterError(_GUARD)  # a worker that is being started, and imports the script that starts it
    if multiprocessing.current_process().daemon:
        raise ClusterError(
            "expected a process that may start others, found a daemonic one, as of multiprocessing.Pool; compute in it "
            "with workers=0, or start it by concurrent.futures.ProcessPoolExecutor"
        )
    check_unencrypted("workers on this machine")
    with _loop() as loop, _started(workers, loop) as cluster:
        yield cluster


def _started(workers: int, loop: LoopRunner) -> LocalCluster:
    try:
        # Memory is planned before a run; a limit here would kill workers in the middle of one.
        with dask.config.set(_QUIET):
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=None,
                loop=loop.loop,
                # A worker that is told to end while it speaks to the scheduler says so at length; errors of tasks come
                # back with these.
                silence_logs=logging.CRITICAL,
                dashboard_address="localhost:0",
            )
    except (RuntimeError, OSError, TimeoutError, CancelledError) as error:
        raise ClusterError(
            f"expected {workers} worker processes, found that they do not start; {_why_no_workers()}"
        ) from error


@contextmanager
def _loop() -> Iterator[LoopRunner]:
    """Give the loop of a cluster, whose thread starts all of its processes, also those that come back after a kill.

    Ctrl-C and the end of a terminal reach all processes of it; only the one that the user started is to act on it. What
    is blocked in a thread is so in processes that it starts, from their first moment on.
    """
    runner = LoopRunner()
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        # Python starts it with the first process, and lets signals through again in the thread that does.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        try:
            runner.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    else:
        runner.start()
    try:
        yield runner
    finally:
        runner.stop()


def check_main() -> None:
    """Refuse what workers, which import the program that starts them, cannot import."""
    if getattr(sys.modules["__main__"], "__file__", None) == "<stdin>":
        raise ClusterError(
            "expected a program in a file, which worker processes import, found one on standard input, which they "
            "cannot; save it as a file and start that, or compute in this process with workers=0"
        )


def _why_no_workers() -> str:
    """Return what keeps workers from starting: mostly a script without a guard, else that they were ended."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    guarded = getattr(main, "__spec__", None) is not None or file is None
    with suppress(OSError):
        guarded = guarded or "__main__" in Path(str(file)).read_text(encoding="utf-8", errors="replace")
    if guarded:
        return "see what they print, and whether the system ended them for memory"
    return _GUARD
