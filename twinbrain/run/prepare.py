"""From a workflow to what runs it: the connectome loaded, the layout, the plan, the time grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from twinbrain.connectome.load import load_connectome
from twinbrain.connectome.normalise import normalise
from twinbrain.engines.base import DEFAULT_DEVICE, MOST_STEPS, check_engine
from twinbrain.errors import ConnectomeError, Problem, SpecError
from twinbrain.network.build import block_programs, build, check_references
from twinbrain.network.given import with_pinned_files
from twinbrain.network.layout import Layout, lay_out
from twinbrain.network.network import Network
from twinbrain.network.plan import Plan, check_device_memory, check_memory, plan
from twinbrain.network.quanta import receptor_quanta, weight_units
from twinbrain.network.signals import whole_steps
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.workflow import Workflow

Progress = Callable[[str, int, int], None]
"""Called with what is being done ("build", "compile", "simulate"), how much of it is done, and of how much.

While a run in shards waits for its workers, also with "wait", how many there are, and of how many.
Once a run was asked to stop, also with "stop", and how much of the last window is done.
"""


@dataclass(frozen=True)
class TimeGrid:
    """Model time in whole steps.

    Parameters
    ----------
    dt : float (ms)
        Time step.
    n_steps, window, rate_bin : int
        The run, a window and a bin of the rates, in steps.
    """

    dt: float
    n_steps: int
    window: int
    rate_bin: int


@dataclass(frozen=True)
class Prepared:
    """A workflow that has passed every check that needs no build."""

    workflow: Workflow
    layout: Layout
    grid: TimeGrid
    quanta: dict[str, float]

    @cached_property
    def plan(self) -> Plan:
        """What the run will need."""
        workflow = self.workflow
        return plan(
            workflow.brain,
            self.layout,
            block_programs(self.layout),
            dt=workflow.run.dt,
            duration=workflow.run.duration,
            window=workflow.run.window,
            record=workflow.record,
            stimuli=workflow.stimuli,
            drive_seed=workflow.run.drive_seed,
        )


def prepare(workflow: Workflow) -> Prepared:
    """Check a workflow as a whole.

    Returns
    -------
    Prepared
        Its workflow holds the connectome itself in place of its name.

    Raises
    ------
    SpecError, ConnectomeError, EngineError
        If it cannot be run.
    """
    run = workflow.run
    check_engine(run.engine, device=run.device, precision=run.precision)
    grid = time_grid(workflow)
    connectome = _connectome(workflow)
    workflow = with_pinned_files(
        workflow.model_copy(update={"brain": workflow.brain.model_copy(update={"connectome": connectome})})
    )
    brain = workflow.brain
    layout = lay_out(brain, normalise(connectome, brain.normalisation), workflow.stimuli)
    programs = block_programs(layout)
    run = workflow.run
    check_references(layout, workflow.stimuli, workflow.record, dt=run.dt, duration=run.duration)
    return Prepared(workflow, layout, grid, receptor_quanta(brain, layout, workflow.stimuli, weight_units(programs)))


def check_fits(prepared: Prepared, *, whole: bool = False) -> None:
    """Refuse a run that the machine's memory, or the device's, does not hold.

    Parameters
    ----------
    prepared : Prepared
        What is run.
    whole : bool
        Whether all that is recorded is held to the end, and not one window after the other.

    Raises
    ------
    PlanError
        If the plan needs more than there is.
    """
    run = prepared.workflow.run
    if whole:
        held = prepared.workflow.replace(run=run.replace(window=f"{run.duration!r} ms"))
        prepared = replace(prepared, workflow=held)
    check_memory(prepared.plan, run.memory_limit)
    if run.device != DEFAULT_DEVICE:
        from twinbrain.engines.torch.device import free_memory

        check_device_memory(prepared.plan, run.device, free_memory(run.device))


def silent(what: str, done: int, total: int) -> None:
    """Take no notice of progress."""


def build_network(prepared: Prepared, progress: Progress = silent) -> Network:
    """Build the network of a prepared workflow; see `twinbrain.network.build.build`."""
    workflow = prepared.workflow
    return build(
        workflow.brain,
        prepared.layout,
        dt=workflow.run.dt,
        seed=workflow.run.seed,
        drive_seed=workflow.run.drive_seed,
        stimuli=workflow.stimuli,
        record=workflow.record,
        progress=lambda done, total: progress("build", done, total),
    )


def time_grid(workflow: Workflow) -> TimeGrid:
    """Return the run's time grid.

    Raises
    ------
    SpecError
        If a time is not a whole number of steps, windows do not hold whole bins, or the run is too long.
    """
    run, record = workflow.run, workflow.record
    times = {
        "run.duration": run.duration,
        "run.window": min(run.window, run.duration),
        "record.rate_bin": record.rate_bin,
    }
    times |= {f"record.state[{i}].interval": wanted.interval for i, wanted in enumerate(record.state)}
    times |= {f"stimuli.{stimulus.name}.duration": stimulus.duration for stimulus in workflow.stimuli}
    # These may be 0.
    times |= {f"stimuli.{stimulus.name}.start": stimulus.start for stimulus in workflow.stimuli if stimulus.start}
    steps = {name: whole_steps(value, run.dt) for name, value in times.items()}
    problems = [
        Problem(name, f"expected a whole number of steps of {run.dt:g} ms, found {value:g} ms; change it or run.dt")
        for name, value in times.items()
        # Of more steps than these, a float does not tell whether they are whole.
        if steps[name] < 1 or (steps[name] < 2**53 and abs(steps[name] * run.dt - value) > 1e-6 * run.dt)
    ]
    if not problems:
        problems += [
            Problem(name, f"expected a whole number of bins of {record.rate_bin:g} ms (record.rate_bin)")
            for name in ("run.duration", "run.window")
            if steps[name] % steps["record.rate_bin"]
        ]
    if (n_steps := steps["run.duration"]) > MOST_STEPS:
        most = MOST_STEPS * run.dt / 3.6e6
        message = f"expected at most {most:.3g} hours ({MOST_STEPS:,} steps of {run.dt:g} ms), found {n_steps:,} steps"
        problems.append(Problem("run.duration", f"{message}; shorten it, or take a longer run.dt"))
    problems += [
        Problem(
            f"record.state[{i}].interval",
            f"expected at most {MOST_STEPS:,} steps of {run.dt:g} ms, found {wanted.interval:g} ms; make it shorter",
        )
        for i, wanted in enumerate(record.state)
        if steps[f"record.state[{i}].interval"] > MOST_STEPS
    ]
    if problems:
        raise SpecError(problems)
    return TimeGrid(run.dt, steps["run.duration"], steps["run.window"], steps["record.rate_bin"])


def _connectome(workflow: Workflow) -> Connectome:
    connectome = workflow.brain.connectome
    if isinstance(connectome, Connectome):
        return connectome
    try:
        return load_connectome(connectome)
    except ConnectomeError as error:
        raise ConnectomeError(f"brain.connectome: {error}") from None
