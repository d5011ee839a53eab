"""One attempt at a sharded run: a task for each rank, pinned to a worker of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from twinbrain.errors import BreakdownError, RunInterrupted
from twinbrain.interrupt import Interrupt
from twinbrain.run.prepare import Progress
from twinbrain.run.sharded.board import RankLostError, ask_to_give_up, ask_to_stop
from twinbrain.run.sharded.exchange import free_port
from twinbrain.run.sharded.rank import RankOutcome, RankTask, run_rank

if TYPE_CHECKING:
    from distributed import Client, Future

_POLL = 0.05
# Seconds that ranks which were told to give up have for it, before their workers are restarted.
_GRACE = 60.0
# Seconds that a worker has to send how its rank ended, before it is looked at whether it is still there.
_ANSWER = 5.0


class Attempt:
    """One attempt: a task for each rank, pinned to a worker.

    Tasks are not retried by Dask: a rank alone is of no use.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    workers : sequence of str
        Address of each rank's worker.
    task : RankTask
        What rank 0 is told, without hosts and port.
    """

    def __init__(self, client: Client, workers: Sequence[str], task: RankTask) -> None:
        self.client, self.workers = client, tuple(workers)
        self.outcomes: tuple[RankOutcome, ...] = ()
        from distributed.comm.addressing import get_address_host

        self._task = replace(task, hosts=tuple(get_address_host(address) for address in workers))

    def run(self, progress: Progress, interrupt: Interrupt) -> str | None:
        """Run to the end, and return None, or what was lost."""
        events: SimpleQueue[tuple[str, int, int]] = SimpleQueue()
        self.client.subscribe_topic(self._task.gang, lambda event: events.put(tuple(event[1])))
        futures: list[Future[Any]] = []
        try:
            try:
                port = self._on_workers(free_port, self._task.hosts[0], ranks=[0])[0]
            except (OSError, KeyError, ValueError) as error:
                return f"worker {self.workers[0]} does not answer ({error})"
            futures = [self._submit(replace(self._task, rank=rank, port=port)) for rank in range(len(self.workers))]
            self._watch(futures, events, progress, interrupt)
            return self._end(futures)
        finally:
            if any(not future.done() for future in futures):
                self._on_workers(ask_to_give_up, self._task.gang)
            self.client.cancel(futures, force=True)
            self.client.unsubscribe_topic(self._task.gang)

    def _submit(self, task: RankTask) -> Future[Any]:
        return self.client.submit(
            shard_task,
            task,
            workers=[self.workers[task.rank]],
            allow_other_workers=False,
            retries=0,
            pure=False,
            key=f"{self._task.gang}-{task.rank}",
        )

    def _watch(
        self,
        futures: list[Future[Any]],
        events: SimpleQueue[tuple[str, int, int]],
        progress: Progress,
        interrupt: Interrupt,
    ) -> None:
        """Return once all have ended, or one has failed or is gone."""
        told = False
        while True:
            while not events.empty():
                what, done, total = events.get()
                progress(what, done, total)
                if told and what == "simulate":
                    progress("stop", done, total)
            if interrupt.requested and not told:
                self._on_workers(ask_to_stop, self._task.gang, ranks=[0])
                told = True
            if all(future.done() for future in futures) and events.empty():
                return
            if any(future.status not in ("pending", "finished") for future in futures) or self._gone():
                return
            time.sleep(_POLL)

    def _end(self, futures: list[Future[Any]]) -> str | None:
        """Return None if all came to the end, else what was lost; raise what no lost worker explains."""
        if outcomes := _results(futures):
            self.outcomes = outcomes
            if interrupted := self.outcomes[0].interrupted:
                raise RunInterrupted(interrupted)
            if broken := self.outcomes[0].broken:
                raise BreakdownError(broken)
            return None
        self._on_workers(ask_to_give_up, self._task.gang)
        end = time.monotonic() + _GRACE
        while any(not futures[rank].done() for rank in self._alive()):
            if time.monotonic() > end:
                stuck = [self.workers[rank] for rank in self._alive() if not futures[rank].done()]
                self.client.restart_workers(stuck, timeout=_GRACE, raise_for_error=False)
                break
            time.sleep(_POLL)
        errors = [error for future in futures if future.status == "error" and (error := future.exception())]
        for error in errors:
            if not _is_loss(error):
                raise error
        gone = self._gone()
        return f"worker {', '.join(gone)} is gone" if gone else "; ".join(map(str, errors)) or "a task was cancelled"

    def _alive(self) -> list[int]:
        known = self.client.nthreads()
        return [rank for rank, address in enumerate(self.workers) if address in known]

    def _gone(self) -> list[str]:
        alive = self._alive()
        return [address for rank, address in enumerate(self.workers) if rank not in alive]

    def _on_workers(
        self, function: Callable[..., Any], *arguments: Any, ranks: Sequence[int] | None = None
    ) -> list[Any]:
        """Return what a function returns beside the tasks of those workers that are there."""
        alive = self._alive()
        addresses = [self.workers[rank] for rank in alive if ranks is None or rank in ranks]
        if not addresses:
            return []
        answers = self.client.run(function, *arguments, workers=addresses, on_error="ignore")
        return list(answers.values())


def shard_task(task: RankTask) -> RankOutcome:
    """Run a rank within a task of Dask; see `run_rank`."""
    import dask
    from distributed import get_worker

    worker = get_worker()
    # What is lazy would be computed through the client of the worker, whose one thread would begin another task.
    with dask.config.set(scheduler="synchronous"):
        return run_rank(task, lambda *event: worker.log_event(task.gang, list(event)))


def _results(futures: Sequence[Future[Any]]) -> tuple[RankOutcome, ...]:
    """Return how ranks ended, or nothing if not all did, or a worker was lost with what it had to tell."""
    outcomes: list[RankOutcome] = []
    while all(future.status == "finished" for future in futures):
        if len(outcomes) == len(futures):
            return tuple(outcomes)
        # What was lost would be waited for without end, since nothing computes it again.
        with suppress(TimeoutError):
            outcomes.append(futures[len(outcomes)].result(timeout=_ANSWER))
    return ()


def _is_loss(error: BaseException) -> bool:
    """Return whether an error says that a worker was lost, rather than what is wrong with the run."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    return isinstance(error, RankLostError | KilledWorker | FutureCancelledError)
