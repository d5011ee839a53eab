"""The gang of a sharded run: one task a shard, each on a worker of its own; where one is lost, all begin again.

What was committed is never computed twice: the new gang goes on from there, to the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from twinbrain.errors import EngineError, RunInterrupted, StoreError
from twinbrain.network.partition import Partition
from twinbrain.run.interrupt import Interrupt
from twinbrain.run.prepare import Prepared, Progress
from twinbrain.run.sharded.board import RankLostError, ask_to_give_up, ask_to_stop
from twinbrain.run.sharded.exchange import free_port
from twinbrain.run.sharded.rank import RankOutcome, RankTask, run_rank
from twinbrain.store import Location, RunInfo, run_info

if TYPE_CHECKING:
    from distributed import Client, Future

# Gangs that may be lost one after the other without a window more.
_MOST_IN_VAIN = 3
_POLL = 0.05
# Seconds that ranks which were told to give up have for it, before their workers are restarted.
_GRACE = 60.0


def run_gang(
    client: Client,
    prepared: Prepared,
    partition: Partition,
    location: Location,
    *,
    start: Literal["create", "resume"],
    overwrite: bool = False,
    progress: Progress,
    interrupt: Interrupt,
    patience: float = 300.0,
) -> tuple[RankOutcome, ...]:
    """Run a brain in shards, to its end.

    Parameters
    ----------
    client : distributed.Client
        Of a cluster with at least as many workers as there are shards.
    prepared : Prepared
        What is run.
    partition : Partition
        Its shards.
    location : Location
        The run, which all workers may reach; the worker that has rank 0 writes it.
    start : {"create", "resume"}
        Whether to create it or to go on with it.
    overwrite : bool
        Whether a run that stands there may be replaced.
    progress : callable
        Told how far it is.
    interrupt : Interrupt
        Asked whether to stop.
    patience : float (s)
        How long to wait for enough workers.

    Returns
    -------
    tuple of RankOutcome
        One a rank, of the gang that came to the end.

    Raises
    ------
    RunInterrupted
        If asked to stop; all windows until then are committed.
    EngineError
        If there are too few workers, or one after the other is lost.
    TwinbrainError
        What a rank raises that no lost worker explains.
    """
    before = found(location) if start == "create" else None
    in_vain, committed = 0, -1.0
    while True:
        workers = wait_for_workers(client, len(partition.nodes), interrupt, patience)
        gang = _Gang(client, prepared, partition, location, workers, start, overwrite)
        lost = gang.run(progress, interrupt)
        if lost is None:
            return gang.outcomes
        now = found(location)
        if now is not None and now != before:
            start = "resume"
        reached = now.committed if now is not None and start == "resume" else -1.0
        in_vain = 0 if reached > committed else in_vain + 1
        committed = max(committed, reached)
        if in_vain >= _MOST_IN_VAIN:
            raise EngineError(
                f"expected a gang that computes another window, found {in_vain} lost one after the other at "
                f"{max(committed, 0):g} ms (the last one because {lost}); see the workers' logs and memory, then "
                "resume the run"
            )


def found(location: Location) -> RunInfo | None:
    """Return what stands there, or None where there is no run, or one that was not fully created."""
    try:
        return run_info(location)
    except StoreError:
        return None


def wait_for_workers(client: Client, n_workers: int, interrupt: Interrupt, patience: float) -> list[str]:
    """Return the addresses of so many workers, those that have least to do first.

    Raises
    ------
    EngineError
        If there are too few, or they are not processes of their own.
    """
    end = time.monotonic() + patience
    while True:
        tasks = {address: len(keys) for address, keys in client.processing().items()}
        alive = sorted(client.nthreads(), key=lambda address: (tasks.get(address, 0), address))
        if any(address.startswith("inproc") for address in alive):
            raise EngineError(
                "expected workers that are processes of their own, found threads of this one; "
                "use LocalCluster(processes=True)"
            )
        if len(alive) >= n_workers:
            return alive[:n_workers]
        if interrupt.requested:
            raise KeyboardInterrupt
        if time.monotonic() > end:
            raise EngineError(
                f"expected {n_workers} workers, one a shard, found {len(alive)} after {patience:g} s; start more, or "
                "ask for fewer shards"
            )
        time.sleep(_POLL)


def shard_task(task: RankTask) -> RankOutcome:
    """Run a rank within a task of Dask; see `run_rank`."""
    from distributed import get_worker

    worker = get_worker()
    return run_rank(task, lambda *event: worker.log_event(task.gang, list(event)))


class _Gang:
    """One attempt: a task for each rank, pinned to a worker.

    Tasks are not retried by Dask: a rank alone is of no use.
    """

    def __init__(
        self,
        client: Client,
        prepared: Prepared,
        partition: Partition,
        location: Location,
        workers: Sequence[str],
        start: Literal["create", "resume"],
        overwrite: bool,
    ) -> None:
        from distributed.comm.addressing import get_address_host

        self.client, self.workers = client, tuple(workers)
        self.name = f"shards-{uuid4().hex[:12]}"
        self.outcomes: tuple[RankOutcome, ...] = ()
        hosts = tuple(get_address_host(address) for address in workers)
        self._task = RankTask(
            self.name, 0, partition.nodes, partition.shares, hosts, 0, prepared.workflow, location, start, overwrite
        )
        self._dt = prepared.grid.dt

    def run(self, progress: Progress, interrupt: Interrupt) -> str | None:
        """Run to the end, and return None, or what was lost."""
        events: SimpleQueue[tuple[str, int, int]] = SimpleQueue()
        self.client.subscribe_topic(self.name, lambda event: events.put(tuple(event[1])))
        futures: list[Future] = []
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
                self._on_workers(ask_to_give_up, self.name)
            self.client.cancel(futures, force=True)
            self.client.unsubscribe_topic(self.name)

    def _submit(self, task: RankTask) -> Future:
        return self.client.submit(
            shard_task,
            task,
            workers=[self.workers[task.rank]],
            allow_other_workers=False,
            retries=0,
            pure=False,
            key=f"{self.name}-{task.rank}",
        )

    def _watch(
        self, futures: list[Future], events: SimpleQueue[tuple[str, int, int]], progress: Progress, interrupt: Interrupt
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
                self._on_workers(ask_to_stop, self.name, ranks=[0])
                told = True
            if all(future.done() for future in futures) and events.empty():
                return
            if any(future.status not in ("pending", "finished") for future in futures) or self._gone():
                return
            time.sleep(_POLL)

    def _end(self, futures: list[Future]) -> str | None:
        """Return None if all came to the end, else what was lost; raise what no lost worker explains."""
        if all(future.status == "finished" for future in futures):
            self.outcomes = tuple(future.result() for future in futures)
            if interrupted := self.outcomes[0].interrupted:
                raise RunInterrupted(interrupted)
            return None
        self._on_workers(ask_to_give_up, self.name)
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


def _is_loss(error: BaseException) -> bool:
    """Return whether an error says that a worker was lost, rather than what is wrong with the run."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    return isinstance(error, RankLostError | KilledWorker | FutureCancelledError)
