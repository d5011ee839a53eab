"""Train a baseline in place of a brain: on the same task, with as many parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import BASELINES, Baseline, baseline
from twinbrain.learn.baselines.fit import Fit, fit
from twinbrain.learn.baselines.logistic import fit_logistic
from twinbrain.learn.baselines.view import View
from twinbrain.learn.setup import network_of, task_of
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.train import model_of, training_workflow
from twinbrain.spec.base import Spec
from twinbrain.spec.brain import Brain
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.training import Choice
from twinbrain.spec.workflow import Workflow

_LEARNING_RATE = 1e-3
"""Where a training gives none: what suits weights is not what suits a rule's unitless changes."""


class BaselineOptions(Spec):
    """Options of a baseline; see `fit`, and of ``view`` `baseline`."""

    view: View | None = None
    input_noise: Annotated[float, Field(ge=0)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0


@own_defaults()
def train_baseline(
    model: Workflow | Brain | Region | str | Path,
    task: Task | str | dict[str, Any] | None = None,
    *,
    seed: int | None = None,
    dt: str | None = None,
    **settings: Any,
) -> Fit:
    """Train a baseline on a task, with as many trainable parameters as a model has.

    Trials, epochs, batch size, learning rate, patience, clipping and seed are those of the training that the model
    would have.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        Whose place it takes.
    task : Task, str or dict, optional
        As for `twinbrain.train`.
    seed : int, optional
        Keys initial weights and the order of trials.
    dt : str (ms), optional
        Time step.
    **settings
        As for `twinbrain.train`, ``baseline="lstm"`` among them, or with options
        ``baseline={"name": "lstm", "dropout": 0.3, "input_noise": 0.6, "weight_decay": 0.01}``; see `fit`. A ``view``
        is an option too, see `baseline`.

    Raises
    ------
    LearnError
        If no baseline is named, there is no such, or it cannot be that small, or the loss is no number any more.
    SpecError, ConnectomeError
        If the model cannot be built, or a setting is wrong.
    """
    given = task if isinstance(task, Task) else None
    named = task.name if isinstance(task, Task) else task
    workflow = training_workflow(model, named, seed=seed, dt=dt, dt_of_task=given, **settings)
    training, run = workflow.train, workflow.run
    assert training is not None
    if not training.baseline:
        raise LearnError('train.baseline: expected the name of a baseline, such as "lstm", found none; name one')
    options = check_baseline(training.baseline)
    made, found = untrained(workflow, given)
    if training.baseline.name == "logistic":
        return fit_logistic(made, found)
    return fit(
        made,
        found,
        **options.model_dump(exclude={"view"}),
        epochs=training.epochs,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate or _LEARNING_RATE,
        patience=training.patience or training.epochs,
        largest_gradient=np.inf if training.clip is None else training.clip,
        seed=run.seed,
    )


@own_defaults()
def untrained(workflow: Workflow, given: Task | None = None) -> tuple[Baseline, Task]:
    """Return the baseline of a workflow before it is trained, and its task; the network that it stands for is built.

    Parameters
    ----------
    workflow : Workflow
        As `twinbrain.learn.train.training_workflow` gives it, with a baseline.
    given : Task, optional
        In place of the one that it names.

    Raises
    ------
    LearnError, SpecError, ConnectomeError
        As `train_baseline` would before it begins.
    """
    training, run = workflow.train, workflow.run
    assert training is not None
    assert training.baseline is not None
    options = check_baseline(training.baseline)
    task = task_of(training, run, given)
    network = network_of(model_of(workflow), training, run, task)
    name = training.baseline.name
    return baseline(name, task, n_parameters=network.n_trained, view=options.view, seed=run.seed), task


def check_baseline(choice: Choice) -> BaselineOptions:
    """Check the name of a baseline, and return its options.

    Raises
    ------
    LearnError
        If there is no such baseline, or it has no such option.
    SpecError
        If an option is of another type or out of range.
    """
    if choice.name not in BASELINES:
        raise LearnError(f"train.baseline: unknown baseline {choice.name!r}; {suggestion(choice.name, BASELINES)}")
    known = ("view",) if choice.name == "logistic" else tuple(BaselineOptions.model_fields)
    for option in choice.options:
        if option not in known:
            raise LearnError(f"train.baseline: {choice.name} has no option {option!r}; {suggestion(option, known)}")
    return BaselineOptions.parse(choice.options, f"train.baseline: {choice.name}")
