"""Drive a sweep: give batches to workers until every point is done or has failed."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue

import numpy as np
from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.comm.core import CommClosedError
from numpy.typing import NDArray

from twinbrain.errors import ClusterError, RunInterrupted, TwinbrainError
from twinbrain.interrupt import Interrupt
from twinbrain.run.cluster.connect import is_lost
from twinbrain.run.sweep.kept import status_of
from twinbrain.run.sweep.own import OwnFunctions
from twinbrain.run.sweep.packed import pack
from twinbrain.run.sweep.task import Report, record_failure, run_batch, run_batch_on_worker
from twinbrain.store.claim import Claim
from twinbrain.store.sweep import DONE, SweepStore

Job = tuple[int, ...]
"""Points of one batch that one task computes."""

# So many tasks are with the scheduler at a time: enough for it to see what is wanted, few enough to weigh nothing.
_MOST_SUBMITTED = 512
# Bytes of functions that they carry together, of which each has its own; two for each worker there are in any case.
_MOST_CARRIED = 2**28
# Seconds between looks at whether the sweep is still this process's to drive, and whether to stop.
_LOOK_EVERY = 1.0
# Seconds that a cluster on this machine may be without workers: it restarts those that end, mostly.
_PATIENCE = 60.0


@dataclass(frozen=True)
class SweepState:
    """How far a sweep is.

    Parameters
    ----------
    done, failed, total : int
        Points, those of earlier drives included.
    now : int
        Points that this drive has computed.
    error : str
        The last error of a point (``""``: none).
    """

    done: int
    failed: int
    total: int
    now: int = 0
    error: str = ""


SweepProgress = Callable[[SweepState], None]
"""Called at the beginning, and whenever a batch has come back."""


def drive(
    store: SweepStore,
    claim: Claim,
    own: OwnFunctions,
    client: Client | None,
    progress: SweepProgress,
    interrupt: Interrupt,
) -> SweepState:
    """Compute what is missing or has failed.

    Parameters
    ----------
    store : SweepStore
        The sweep.
    claim : Claim
        Under which it is driven; workers write under it too.
    own : OwnFunctions
        The person's own reductions and tasks.
    client : distributed.Client, optional
        Of the workers; without one, this process computes.
    progress : callable
        Told how far it is.
    interrupt : Interrupt
        Asked between batches whether to stop.

    Raises
    ------
    RunInterrupted
        If asked to stop; what was computed is kept.
    StoreError
        If the store cannot be written, or another process has taken the sweep over.
    ClusterError
        If the scheduler is lost.
    """
    status = status_of(store)
    n_done = int((status == DONE).sum())
    driver = _Driver(store, claim, own, progress, interrupt, SweepState(n_done, 0, len(status)))
    store.location.clean()
    jobs = missing_jobs(status, store.batch)
    if client is None:
        with own.called():
            driver.run_here(jobs)
    else:
        driver.run_on(client, jobs)
    return driver.state


def missing_jobs(status: NDArray[np.uint8], batch: int) -> list[Job]:
    """Return the points that are not done, batch by batch."""
    missing = np.flatnonzero(status != DONE).tolist()
    return [tuple(points) for _, points in groupby(missing, key=lambda point: point // batch)]


class _Driver:
    def __init__(
        self,
        store: SweepStore,
        claim: Claim,
        own: OwnFunctions,
        progress: SweepProgress,
        interrupt: Interrupt,
        state: SweepState,
    ) -> None:
        self.state = state
        self._store, self._claim = store, claim
        self._own = own
        self._progress, self._interrupt = progress, interrupt
        self._arguments = (store.location.absolute(), store.attrs["created"], claim)
        self._looked = self._without_workers = time.monotonic()
        progress(state)

    def run_here(self, jobs: Sequence[Job]) -> None:
        """Compute in this process."""
        for job in jobs:
            if self._interrupt.requested:
                raise self._interrupted()
            self._claim.check()
            self._add(run_batch(*self._arguments, job, self._own))

    def run_on(self, client: Client, jobs: Sequence[Job]) -> None:
        """Let workers compute; what one that died was at is given to another."""
        # Jobs of one batch wait for each other, since they write the same objects.
        waiting = deque([job] for job in jobs)
        running: dict[Future, list[Job]] = {}
        finished: SimpleQueue[Future] = SimpleQueue()
        stopping = False
        own = pack(self._own)
        try:
            needs = self._resources(client)
            while running or (waiting and not stopping):
                most = tasks_at_once(client, len(own))
                while waiting and len(running) < most and not stopping:
                    chain = waiting.popleft()
                    future = client.submit(
                        run_batch_on_worker, *self._arguments, chain[0], own, pure=False, resources=needs
                    )
                    running[future] = chain
                    future.add_done_callback(finished.put)
                if (ended := self._next(client, finished)) is not None:
                    chain = running.pop(ended)
                    if not (stopping and ended.cancelled()) and (rest := self._outcome(ended, chain)):
                        waiting.appendleft(rest)
                if self._interrupt.requested and not stopping:
                    # What has begun is awaited; nothing else begins.
                    stopping = True
                    begun = {key for keys in client.processing().values() for key in keys}
                    client.cancel([other for other in running if other.key not in begun])
        except TwinbrainError:
            raise
        except Exception as error:
            if not is_lost(error, client):
                raise
            raise self._lost() from error
        finally:
            if running and client.status == "running":
                with suppress(OSError, CancelledError, RuntimeError):  # it may be lost by now
                    client.cancel(list(running), force=True)
        if stopping and self.state.done + self.state.failed < self.state.total:
            raise self._interrupted()

    def _resources(self, client: Client) -> dict[str, int] | None:
        """Return what a task asks for: a GPU for itself, where workers say that they have some."""
        device = json.loads(self._store.attrs["spec"])["run"]["device"]
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        has_gpus = any("GPU" in worker["resources"] for worker in workers)
        return {"GPU": 1} if has_gpus and device.startswith("cuda") else None

    def _next(self, client: Client, finished: SimpleQueue[Future]) -> Future | None:
        """Return the next task that has ended, or None after a while without one."""
        try:
            future = finished.get(timeout=_LOOK_EVERY)
        except Empty:
            future = None
        now = time.monotonic()
        if future is not None or client.nthreads() or not isinstance(client.cluster, LocalCluster):
            self._without_workers = now  # others may get workers again, now or tomorrow
        elif now - self._without_workers > _PATIENCE:
            raise ClusterError(
                f"expected worker processes, found that all have ended, with {self.state.done} of {self.state.total} "
                f"points done; they are kept: see what they print, and resume {self._store.location}"
            )
        if now - self._looked > _LOOK_EVERY:
            self._claim.check()
            self._looked = now
        return future

    def _outcome(self, future: Future, chain: list[Job]) -> list[Job]:
        """Take what a task has returned, and return what its batch still needs."""
        if future.status in ("cancelled", "lost"):
            raise self._lost()
        if future.status == "finished":
            self._add(future.result())
            return chain[1:]
        error = future.exception()
        job = chain[0]
        if isinstance(error, KilledWorker):
            if len(job) > 1:  # one of its points may be to blame; the others are not
                return [*((point,) for point in job), *chain[1:]]
            text = f"workers died again and again while they computed this point: {error}"
            self._add(record_failure(*self._arguments, job[0], text))
            return chain[1:]
        if isinstance(error, TwinbrainError):
            raise error
        if isinstance(error, CommClosedError | CancelledError):
            raise self._lost() from error
        raise ClusterError(
            f"expected workers that can compute a batch, found {type(error).__name__}: {error}; see that what the "
            "workflow and the reductions need is there too"
        ) from error

    def _add(self, report: Report) -> None:
        before = self.state
        self.state = SweepState(
            before.done + report.done,
            before.failed + report.failed,
            before.total,
            before.now + report.done + report.failed,
            report.error or before.error,
        )
        self._progress(self.state)

    @property
    def _points(self) -> str:
        return f"{self.state.total} point{'s' * (self.state.total != 1)}"

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"expected the scheduler to answer, found it lost, with {self.state.done} of {self._points} "
            f"done; they are kept: resume {self._store.location} once there is a scheduler"
        )

    def _interrupted(self) -> RunInterrupted:
        return RunInterrupted(f"stopped after {self.state.done + self.state.failed} of {self._points}")


def tasks_at_once(client: Client, n_bytes: int) -> int:
    """Return how many tasks are with the scheduler at a time, where each carries so many bytes of functions."""
    if n_bytes * _MOST_SUBMITTED <= _MOST_CARRIED:
        return _MOST_SUBMITTED
    return max(2 * len(client.nthreads()), 16, _MOST_CARRIED // n_bytes)
