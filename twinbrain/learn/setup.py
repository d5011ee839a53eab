"""All that a training begins with: the task attached to the model, the network built, the rule prepared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.engines.torch.device import resolve_device
from twinbrain.errors import LearnError, Problem, SpecError
from twinbrain.learn.attach import attach
from twinbrain.learn.background import background, has_background
from twinbrain.learn.batch import Batch, Objective, batch_of
from twinbrain.learn.calibrate import calibrate
from twinbrain.learn.ends import INPUT
from twinbrain.learn.lower import Lowered, lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.registry import rule as rule_named
from twinbrain.learn.rules.rule import Rule
from twinbrain.learn.tasks.disturb import keep_labels
from twinbrain.learn.tasks.registry import find_task, task_options
from twinbrain.learn.tasks.registry import task as task_named
from twinbrain.learn.tasks.task import SPLITS, Task
from twinbrain.learn.tasks.trials import Trials
from twinbrain.learn.threads import one_thread
from twinbrain.network.random import stream_key
from twinbrain.network.synapses import LONGEST_DELAY
from twinbrain.spec.brain import Brain
from twinbrain.spec.region import Region
from twinbrain.spec.training import Training
from twinbrain.spec.workflow import Run

_CALIBRATION_TRIALS = 64
_ANY_DELAY = 1000
"""Steps that a trained delay may take however short a trial is."""


@dataclass(frozen=True, eq=False)
class Setup:
    """What a training begins with.

    Parameters
    ----------
    task : Task
        What is learned.
    training : Training
        How.
    run : Run
        Seed, time step and device.
    network : TrainableNetwork
        As it is before training.
    rule : Rule
        Prepared for it.
    objective : Objective
        What is made small.
    """

    task: Task
    training: Training
    run: Run
    network: TrainableNetwork
    rule: Rule
    objective: Objective

    def batch(self, trials: Trials, index: NDArray[np.int64], stream: str) -> Batch:
        """Return some trials as tensors; ``stream`` keys what drives add to them."""
        drawn = background_of(self.network.lowered, stream, self.run.seed, index, trials.n_steps)
        return batch_of(self.task, trials, index, drawn, str(self.device))

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return resolve_device(self.run.device)


def background_of(lowered: Lowered, stream: str, seed: int, index: NDArray[np.int64], n_steps: int) -> Tensor | None:
    """Return what drives add to trials, each by its own draws; None where there are no drives."""
    if not has_background(lowered):
        return None
    return background(lowered, [trial_seed(seed, stream, int(i)) for i in index], n_steps)


def trial_seed(seed: int, stream: str, trial: int) -> int:
    """Return the seed of the drives of one trial."""
    key = stream_key(seed, "trial", stream, str(trial))
    return int(key.first) | int(key.second) << 31


def set_up(
    model: Region | Brain, training: Training, run: Run, task: Task | None = None, *, calibrated: bool = True
) -> Setup:
    """Return what a training begins with.

    Parameters
    ----------
    model : Region or Brain
        What is to learn.
    training : Training
        How.
    run : Run
        Seed, time step and device.
    task : Task, optional
        In place of the task that ``training`` names.
    calibrated : bool
        Whether weights of the input are found; not needed where those of a training are put in their place.

    Raises
    ------
    LearnError
        If the model, the task and the rule do not fit together.
    SpecError, ConnectomeError, EngineError
        If the model cannot be built, or there is no such device.
    """
    task = task_of(training, run, task)
    rule = rule_named(training.rule.name, **training.rule.options)
    task = replace(task, n_channels=task.n_channels + rule.extra_channels(task))
    fresh = not has_input(model)
    network = network_of(model, training, run, task)
    objective = Objective(task.kind, run.dt, training.rate_range, training.rate_penalty, network.own_neurons())
    setup = Setup(task, training, run, network, rule, objective)
    if calibrated and fresh and training.input.weight is None:
        some = np.arange(min(_CALIBRATION_TRIALS, len(task.train)))
        with one_thread(network.lowered.network.n_neurons, len(some), setup.device):
            calibrate(network, setup.batch(task.train, some, "calibration"), training.input.rate)
    rule.prepare(network, objective, run.seed)
    rule.to(setup.device)
    return setup


def task_of(training: Training, run: Run, task: Task | None = None) -> Task:
    """Return the task of a training, of its training trials those with labels.

    Parameters
    ----------
    training : Training
        Names it.
    run : Run
        Time step, and seed by which trials are chosen.
    task : Task, optional
        In place of the one that ``training`` names.

    Raises
    ------
    LearnError
        If its steps are not those of the run, it has no trials to learn from or to test, or labels are to be left out
        of a regression.
    SpecError
        If there is no such task, or it has no such option.
    """
    if task is None:
        options = training.task.options
        if "dt" in task_options(find_task(training.task.name)).model_fields:
            options = {"dt": f"{run.dt!r} ms"} | options
        task = task_named(training.task.name, **options)
    if abs(task.dt - run.dt) > 1e-9:
        raise LearnError(
            f"task {task.name}: expected steps of {run.dt:g} ms, the time step of the run, found {task.dt:g} ms; give "
            f'run.dt = "{task.dt:g} ms", or the task dt = "{run.dt:g} ms"'
        )
    if missing := [split for split in SPLITS if not len(getattr(task, split))]:
        raise LearnError(
            f"task {task.name}: expected trials to train on, to validate with and to test, found none in "
            f"{' and '.join(missing)}; put some trials aside"
        )
    if training.labels < 1:
        task = replace(task, train=keep_labels(task.train, training.labels, run.seed))
    return task


def network_of(model: Region | Brain, training: Training, run: Run, task: Task) -> TrainableNetwork:
    """Return the network that is trained, as it is built; see `set_up`."""
    lowered = lower(
        attach(model, task, training.input, training.readout), dt=run.dt, seed=run.seed, memory_limit=run.memory_limit
    )
    window = None if training.window is None else _steps("window", training.window, run.dt)
    if training.trainable.delay:
        _check_longest(_steps("trainable.longest_delay", training.trainable.longest_delay, run.dt), lowered, task)
    network = TrainableNetwork(lowered, training.trainable, training.surrogate, _precision(training), window)
    return network.to(resolve_device(run.device))


def _check_longest(longest: int, lowered: Lowered, task: Task) -> None:
    """Refuse trained delays so long that a spike never arrives, or that no table holds: each step costs a matrix."""
    dt, declared = lowered.network.dt, max(int(table.delay.max(initial=1)) for table in lowered.network.tables)
    limit = min(max(task.train.n_steps, declared, _ANY_DELAY), LONGEST_DELAY)
    if longest > limit:
        what = (
            f"expected at most {limit * dt:g} ms ({limit:,} steps), where a trial has {task.train.n_steps:,} steps, "
            f"found {longest * dt:g} ms; make it shorter"
        )
        raise SpecError([Problem("train.trainable.longest_delay", what)])


def _steps(key: str, time: float, dt: float) -> int:
    """Return a time in whole steps; less than one is refused."""
    if time < dt * (1 - 1e-9):
        what = f"expected a step of {dt:g} ms at least, found {time:g} ms; lengthen it, or make run.dt shorter"
        raise SpecError([Problem(f"train.{key}", what)])
    return round(time / dt)


def _precision(training: Training) -> str:
    return "float64" if training.precision == "float64" else "float32"


def has_input(model: Region | Brain) -> bool:
    """Return whether a population of the model is the input already, whose weights stay as they are."""
    regions = [model] if isinstance(model, Region) else list(model.regions.values())
    return any(INPUT in region.populations for region in regions)
