"""One rank of a gang: it builds its shard, and runs it with the others from the last commit to the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from twinbrain.engines.base import SimulationState, get_engine
from twinbrain.errors import BreakdownError, RunInterrupted
from twinbrain.network.agree import (
    ShardSummary,
    agreed,
    needed_from_elsewhere,
    own_neurons,
    plastic_names,
    summarise_shard,
    table_sizes,
)
from twinbrain.network.build import block_programs
from twinbrain.network.network import Network
from twinbrain.network.probes import lower_probes
from twinbrain.network.shard import shard_layout, without_empty_blocks
from twinbrain.run.breakdown import Watch
from twinbrain.run.create import create
from twinbrain.run.describe import brain_summary, probe_layouts
from twinbrain.run.fitting import fitting
from twinbrain.run.prepare import Prepared, Progress, build_network, prepare
from twinbrain.run.sharded.board import Board, board_of, forget
from twinbrain.run.sharded.exchange import Ring, gpu_of, joined
from twinbrain.run.sharded.memory import check_shard_fits
from twinbrain.run.sharded.merge import Merger
from twinbrain.run.sharded.simulation import Boundary, ShardedSimulation, Timings
from twinbrain.run.versions import versions
from twinbrain.run.windows import Writer, run_windows, simulation_state
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location, StateData, WindowData, resume_run
from twinbrain.store.claim import Claim, under

Report = Callable[[str, int, int], None]

# Seconds between reports of progress.
_INTERVAL = 0.1


@dataclass(frozen=True)
class RankTask:
    """What a rank is told: names, numbers, a spec and a path.

    Parameters
    ----------
    gang : str
        Name of the gang.
    rank : int
        Which rank.
    shards : tuple of tuple of int
        The nodes of each rank.
    shares : tuple of float
        Part of all work that each rank has.
    hosts : tuple of str
        Address of each rank's host.
    port : int
        Where they meet, at the host of rank 0.
    workflow : Workflow
        Prepared: its connectome is in it.
    location : Location
        The run, which rank 0 writes.
    claim : Claim
        Under which it does.
    start : {"create", "resume"}
        Whether to create it or to go on from its last commit.
    overwrite : bool
        Whether a run that stands there may be replaced.
    """

    gang: str
    rank: int
    shards: tuple[tuple[int, ...], ...]
    shares: tuple[float, ...]
    hosts: tuple[str, ...]
    port: int
    workflow: Workflow
    location: Location
    claim: Claim
    start: Literal["create", "resume"]
    overwrite: bool


@dataclass(frozen=True)
class RankOutcome:
    """How a rank ended.

    Parameters
    ----------
    interrupted : str
        Where the run stopped because it was asked to; else empty.
    broken : str
        What is not finite any more, where the run stopped for that; else empty.
    set_up, running : float (s)
        Wall time of building and preparing, and of all windows with their commits.
    timings : Timings
        Where the time of the steps went.
    window : int or None
        Steps between exchanges.
    """

    interrupted: str
    broken: str
    set_up: float
    running: float
    timings: Timings
    window: int | None


@dataclass
class _Elsewhere:
    """What takes the windows of a rank that does not write."""

    def commit(self, window: WindowData, state: StateData, *, status: str = "running") -> None:
        """Do nothing: rank 0 commits."""

    def note(self, name: str, value: str) -> None:
        """Do nothing: rank 0 does it."""

    def set_status(self, status: str) -> None:
        """Do nothing: rank 0 does it."""


@dataclass
class _Reporter:
    """Progress of a rank; that of rank 0 is reported, not more often than every so often."""

    board: Board
    report: Report | None
    _last: float = field(default=0.0)

    def __call__(self, what: str, done: int, total: int) -> None:
        self.board.check()
        now = time.monotonic()
        if self.report is not None and (done in (0, total) or now - self._last > _INTERVAL):
            self._last = now
            self.report(what, done, total)


def run_rank(task: RankTask, report: Report | None = None) -> RankOutcome:
    """Run one rank, beside all others of its gang.

    Parameters
    ----------
    task : RankTask
        What to do.
    report : callable, optional
        Told of progress at rank 0.

    Raises
    ------
    RankLostError
        If another rank is gone, or the driver says to give up.
    TwinbrainError
        If the run cannot be built or written.
    """
    board = board_of(task.gang)
    progress = _Reporter(board, report if task.rank == 0 else None)
    device = gpu_of(task.workflow.run.device, task.hosts, task.rank)
    try:
        board.check()
        with under(task.claim), joined(task.rank, task.hosts, task.port, device, board) as ring:
            return _run(task, ring, board, progress, device)
    finally:
        forget(task.gang)


def _run(task: RankTask, ring: Ring, board: Board, progress: Progress, device: str) -> RankOutcome:
    began = time.perf_counter()
    prepared = prepare(task.workflow)
    check_shard_fits(prepared, task.shares[task.rank], n_beside=task.hosts.count(task.hosts[task.rank]), device=device)
    own = replace(prepared, layout=shard_layout(prepared.layout, task.shards[task.rank]))
    network = without_empty_blocks(build_network(own, progress))
    summaries = ring.all(summarise_shard(network))
    network = agreed(network, summaries)
    boundary = _boundary(network, summaries, ring)
    progress("compile", 0, 1)
    run = prepared.workflow.run
    engine = get_engine(run.engine, device=device, precision=run.precision)
    merger = _merger(task, prepared, network, summaries, ring)
    simulation = ShardedSimulation(engine(network), ring, boundary, merger, board)
    progress("compile", 1, 1)
    writer = _open(task, prepared, network, simulation, summaries, merger, ring)
    simulation.agree()
    set_up, began = time.perf_counter() - began, time.perf_counter()
    watch = Watch(prepared.layout, run.on_breakdown == "stop", ring.from_first)
    interrupted = broken = ""
    try:
        run_windows(simulation, network, writer, prepared.grid, progress, simulation, watch)
    except RunInterrupted as interruption:  # as an exception it would end the worker
        interrupted = str(interruption)
    except BreakdownError as breakdown:  # which rank 0 alone can name
        broken = str(breakdown)
    simulation.close()
    ring.all(None)  # what rank 0 has left to write is written
    return RankOutcome(interrupted, broken, set_up, time.perf_counter() - began, simulation.timings, boundary.window)


def _boundary(network: Network, summaries: list[ShardSummary], ring: Ring) -> Boundary:
    arriving = needed_from_elsewhere(network)
    leaving = own_neurons(network) & (ring.sums(arriving.astype(np.int32)) > 0)
    delays = [s.shortest_from_elsewhere for s in summaries if s.shortest_from_elsewhere is not None]
    # A spike of step n and delay d is due in step n + d + 1.
    return Boundary(leaving, arriving, min(delays) + 1 if delays else None)


def _merger(
    task: RankTask, prepared: Prepared, network: Network, summaries: list[ShardSummary], ring: Ring
) -> Merger | None:
    sources = ring.gather({table.name: table.source for table in network.plastic})
    if sources is None:
        return None
    none = np.empty(0, np.int32)
    names = plastic_names(summaries).values()
    return Merger(
        prepared.layout,
        task.shards,
        prepared.workflow.record,
        prepared.grid.dt,
        {name: [of_rank.get(name, none) for of_rank in sources] for name in names},
        max(summary.max_delay for summary in summaries),
    )


def _open(
    task: RankTask,
    prepared: Prepared,
    network: Network,
    simulation: ShardedSimulation,
    summaries: list[ShardSummary],
    merger: Merger | None,
    ring: Ring,
) -> Writer:
    """Create or reopen the store at rank 0, and give every rank its state."""
    writer: Writer = _Elsewhere()
    parts: list[SimulationState] | list[None] | None = None
    own = simulation.state() if task.start == "resume" else None
    if merger is not None:
        state = None
        if task.start == "create":
            layout, record = prepared.layout, prepared.workflow.record
            probes = lower_probes(record, layout, block_programs(layout), prepared.grid.dt)
            summary = brain_summary(layout, table_sizes(summaries))
            writer = create(task.location, prepared, summary, probe_layouts(probes, layout), overwrite=task.overwrite)
        else:
            writer, _, state = resume_run(task.location, resumed_with=versions(prepared.workflow.run.engine))
        if state is None or own is None:
            parts = [None] * ring.n_ranks
        else:
            size = {"n_neurons": network.n_neurons, "max_delay": max(summary.max_delay for summary in summaries)}
            found = simulation_state(state)
            parts = merger.split(fitting(found, own, prepared.grid, **size, where=str(task.location)))
    if (part := ring.scatter(parts)) is not None:
        simulation.restore(part)
    return writer
