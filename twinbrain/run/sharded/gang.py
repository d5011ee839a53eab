"""The gang of a sharded run: one task a shard, each on a worker of its own; where one is lost, all begin again.

What was committed is never computed twice: the new gang goes on from there, to the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from twinbrain.errors import ClusterError, StoreError, TwinbrainError
from twinbrain.interrupt import Interrupt
from twinbrain.network.partition import Partition
from twinbrain.run.breakdown import breakdown_error
from twinbrain.run.prepare import Prepared, Progress
from twinbrain.run.sharded.attempt import Attempt
from twinbrain.run.sharded.rank import RankOutcome, RankTask
from twinbrain.run.sharded.workers import wait_for_workers
from twinbrain.store import Location, RunInfo, run_info
from twinbrain.store.claim import Claim

if TYPE_CHECKING:
    from distributed import Client

# Gangs that may be lost one after the other without a window more.
_MOST_IN_VAIN = 3
PATIENCE = 300.0
"""Seconds that workers may take to come, other than from a queue."""


def run_gang(
    client: Client,
    prepared: Prepared,
    partition: Partition,
    location: Location,
    claim: Claim,
    *,
    start: Literal["create", "resume"],
    overwrite: bool = False,
    progress: Progress,
    interrupt: Interrupt,
    patience: float = PATIENCE,
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
    claim : Claim
        Under which it is written.
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
        One a rank, of the gang that came to the end; none if it was lost after all was committed.

    Raises
    ------
    RunInterrupted
        If asked to stop; all windows until then are committed.
    BreakdownError
        If the run stopped because a state is no finite number.
    ClusterError
        If there are too few workers, one after the other is lost, or the scheduler is.
    TwinbrainError
        What a rank raises that no lost worker explains.
    """
    before = found(location) if start == "create" else None
    in_vain, committed = 0, -1.0
    while True:
        task = RankTask(
            gang=f"shards-{uuid4().hex[:12]}",
            rank=0,
            shards=partition.nodes,
            shares=partition.shares,
            hosts=(),
            port=0,
            workflow=prepared.workflow,
            location=location,
            claim=claim,
            start=start,
            overwrite=overwrite,
        )
        with _scheduler_there(client, location):
            workers = wait_for_workers(client, len(partition.nodes), interrupt, patience, progress)
            attempt = Attempt(client, workers, task)
            lost = attempt.run(progress, interrupt)
        if lost is None:
            return attempt.outcomes
        now = found(location)
        if now is not None and now != before:
            start = "resume"
            if now.status == "complete":
                return attempt.outcomes
            if now.status == "failed":
                raise breakdown_error(now.breakdown)
        reached = now.committed if now is not None and start == "resume" else -1.0
        in_vain = 0 if reached > committed else in_vain + 1
        committed = max(committed, reached)
        if in_vain >= _MOST_IN_VAIN:
            raise ClusterError(
                f"expected a gang that computes another window, found {in_vain} lost one after the other at "
                f"{max(committed, 0):g} ms (the last one because {lost}); see the workers' logs and memory, then "
                "resume the run"
            )


@contextmanager
def _scheduler_there(client: Client, location: Location) -> Iterator[None]:
    """Say what is safe where the scheduler is lost, which Dask tells as the loss of a connection."""
    from twinbrain.run.cluster.connect import is_lost

    try:
        yield
    except TwinbrainError:
        raise
    except Exception as error:
        if not is_lost(error, client):
            raise
        run = found(location)
        safe = "nothing was committed yet: start anew" if run is None else f"{run.committed:g} ms are kept: resume"
        raise ClusterError(
            f"expected the scheduler to answer, found it lost; {safe} {location} once there is a scheduler"
        ) from error


def found(location: Location) -> RunInfo | None:
    """Return what stands there, or None where there is no run, or one that was not fully created."""
    try:
        return run_info(location)
    except StoreError:
        return None
