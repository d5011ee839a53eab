"""Advance a simulation window by window; record, commit and checkpoint at the end of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, Simulation, SimulationState, Spikes
from twinbrain.errors import RunInterrupted
from twinbrain.network.network import Network, Probe
from twinbrain.run.breakdown import Watch, breakdown_error
from twinbrain.run.prepare import Progress, TimeGrid
from twinbrain.store import StateData, WindowData

# Steps between calls of progress, and looks at whether to stop at once.
STRIDE = 200


class Writer(Protocol):
    """What keeps windows: a `RunWriter`, or a `MemoryRun`."""

    def commit(self, window: WindowData, state: StateData, *, status: str = "running") -> None:
        """Add a window, and the state at its end."""

    def note(self, name: str, value: str) -> None:
        """Give the run an attribute, unless it has it."""

    def set_status(self, status: str) -> None:
        """Change the status of the run."""


class StopRequest(Protocol):
    """Whether to stop at the end of a window."""

    requested: bool


def run_windows(
    simulation: Simulation,
    network: Network,
    writer: Writer,
    grid: TimeGrid,
    progress: Progress,
    interrupt: StopRequest,
    watch: Watch,
    *,
    stride: int = STRIDE,
) -> None:
    """Run to the end of the time grid.

    Parameters
    ----------
    simulation : Simulation
        At the step where it is to go on.
    network : Network
        What it simulates.
    writer : Writer
        Where results go.
    grid : TimeGrid
        How long, and in what windows.
    progress : callable
        Told how far it is.
    interrupt : StopRequest
        Asked at the end of each window whether to stop.
    watch : Watch
        Looks at the end of each window whether the state is finite.
    stride : int
        Steps between calls of progress.

    Raises
    ------
    RunInterrupted
        If asked to stop; all windows until then are committed.
    BreakdownError
        If a state is not finite, and the watch stops then; that window is committed too.
    StoreError
        If the store cannot be written; what was committed stays readable.
    """
    sizes = np.array([population.size for population in network.populations])
    population_of = np.repeat(np.arange(len(sizes)), sizes)
    progress("simulate", simulation.step, grid.n_steps)
    if interrupt.requested and simulation.step < grid.n_steps:  # asked while the network was built
        writer.set_status("interrupted")
        raise _interrupted(simulation.step, grid)
    while simulation.step < grid.n_steps:
        first = simulation.step
        last = min(grid.n_steps, (first // grid.window + 1) * grid.window)
        while simulation.step < last:
            simulation.advance(min(stride, last - simulation.step))
            progress("simulate", simulation.step, grid.n_steps)
            if interrupt.requested:
                progress("stop", simulation.step - first, last - first)
        window = _window(simulation.collect(), first, last, grid, population_of, sizes)
        state = simulation.state()
        if breakdown := watch.look(state.variables, first * grid.dt, last * grid.dt):
            writer.note("breakdown", json.dumps(breakdown.to_dict()))
        broken = watch.stops and watch.agreed(breakdown is not None)
        complete = last == grid.n_steps
        stopped = interrupt.requested and not complete
        writer.commit(
            window,
            state_data(state),
            status="failed" if broken else "complete" if complete else "interrupted" if stopped else "running",
        )
        if broken:
            raise breakdown_error(str(breakdown))
        if stopped:
            raise _interrupted(last, grid)


def _interrupted(step: int, grid: TimeGrid) -> RunInterrupted:
    return RunInterrupted(f"stopped at {step * grid.dt:g} ms of {grid.n_steps * grid.dt:g} ms of model time")


def _window(
    recording: Recording,
    first: int,
    last: int,
    grid: TimeGrid,
    population_of: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> WindowData:
    spikes = recording.spikes
    n_bins = (last - first) // grid.rate_bin
    cell = (spikes.step - first) // grid.rate_bin * len(sizes) + population_of[spikes.neuron]
    counts = np.bincount(cell, minlength=n_bins * len(sizes)).reshape(n_bins, len(sizes))
    rates = (counts / (sizes * grid.rate_bin * grid.dt * 1e-3)).astype(np.float32)
    return WindowData(
        first_step=first,
        next_step=last,
        time_step=spikes.step,
        neuron=spikes.neuron,
        rates=rates,
        samples=recording.samples,
    )


def silence(grid: TimeGrid, n_populations: int, probes: Sequence[Probe]) -> tuple[WindowData, StateData]:
    """Return a whole run in which nothing happens, as one window, and a state without variables."""
    none: NDArray[np.int32] = np.empty(0, np.int32)
    window = WindowData(
        first_step=0,
        next_step=grid.n_steps,
        time_step=none,
        neuron=none,
        rates=np.zeros((grid.n_steps // grid.rate_bin, n_populations), np.float32),
        samples={probe.name: np.zeros((grid.n_steps // probe.every, len(probe.places))) for probe in probes},
    )
    return window, StateData(grid.n_steps, {}, none, none)


def state_data(state: SimulationState) -> StateData:
    """Return a state as the store keeps it."""
    return StateData(
        step=state.step,
        variables=state.variables,
        under_way_step=state.under_way.step,
        under_way_neuron=state.under_way.neuron,
    )


def simulation_state(data: StateData) -> SimulationState:
    """Return a state as an engine takes it."""
    return SimulationState(data.step, dict(data.variables), Spikes(data.under_way_step, data.under_way_neuron))
