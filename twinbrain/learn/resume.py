"""Go on with a training, or open one that is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.errors import SpecError
from twinbrain.learn.curves import with_best
from twinbrain.learn.fitting import check_curves, check_state, check_trained
from twinbrain.learn.kept import (
    CHANGED,
    check_given,
    check_same,
    check_training_versions,
    spec_of,
    stored_task,
    stored_workflow,
)
from twinbrain.learn.learned import take_over
from twinbrain.learn.loop import Progress
from twinbrain.learn.tasks.registry import Build, registering
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.train import go_on, learner_of
from twinbrain.learn.trained import Trained
from twinbrain.spec.training import Training
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location, TrainingStore, open_training_store
from twinbrain.store.claim import claimed
from twinbrain.store.damage import reading

_MAY_CHANGE = ("learning_rate", "clip", "patience")


@own_defaults()
def resume_training(
    path: str | Path | Location,
    *,
    task: Task | Build | None = None,
    progress: Progress | bool | None = None,
    **changes: Any,
) -> Trained:
    """Go on with a training that was interrupted, to the same bits as if it had not been.

    One that failed goes on from its last good epoch; it takes another ``learning_rate`` or ``clip`` to come further.

    Parameters
    ----------
    path : str or Path
        Path or URL of the training.
    task : Task or callable, optional
        Where it was given to `train`, or is made by a function of yours: the task, or the function.
    progress : callable or bool, optional
        As in `train`.
    **changes
        ``learning_rate``, ``clip`` or ``patience``, from here on; of a training that is complete, none is left.

    Raises
    ------
    StoreError
        If there is no training, or it was begun with other versions of packages.
    LearnError
        If its task is not given, or is another; or the loss is no number any more.
    SpecError
        If something else is to change, or anything of what is complete; or the function of yours that makes its task is
        not given, or is another.
    RunInterrupted
        As in `train`.
    """
    kept = open_training_store(Location.of(path).absolute())
    with _given(kept, task) as given:
        return _resumed(kept, given, progress, changes)


def _resumed(
    kept: TrainingStore, task: Task | None, progress: Progress | bool | None, changes: dict[str, Any]
) -> Trained:
    check_given(kept, task)
    if kept.attributes["status"] == "complete":
        workflow = stored_workflow(kept)
        if _changed(workflow, changes).digest != workflow.digest:
            raise SpecError(
                f"expected a training that is not complete, to go on with another {' and '.join(changes)}, found one "
                f"of {kept.epochs_done} epochs that is: {kept.location}; train anew"
            )
        return _opened(kept, task)
    check_training_versions(kept)
    with claimed(kept.location, "training", kept.safe):
        kept = open_training_store(kept.location)  # who wrote it until now may have come further
        workflow = _changed(stored_workflow(kept), changes)
        state = kept.state()
        learner = learner_of(workflow, task, calibrated=state is None)
        check_same(kept, learner.setup.task)
        check_curves(kept, learner.setup)
        if state is not None:
            check_state(kept, state, learner)
            with reading(kept.location, "checkpoint", "training"):
                learner.restore(state)
        others = {} if state is None or workflow.digest == kept.attributes["digest"] else changes
        changed = sorted({*filter(None, kept.attributes.get(CHANGED, "").split(", ")), *others})
        noted = {CHANGED: ", ".join(changed)} if changed else {}
        kept.mark(status="running", error="", **spec_of(workflow), **noted)
        return go_on(learner, kept, progress)


@own_defaults()
def open_training(path: str | Path | Location, *, task: Task | Build | None = None) -> Trained:
    """Return a training that is complete.

    Parameters
    ----------
    path : str or Path
        Path or URL of the training.
    task : Task or callable, optional
        Where it was given to `train`, or is made by a function of yours: the task, or the function.

    Raises
    ------
    StoreError
        If there is none, or it is not complete.
    LearnError, SpecError
        If its task is not given, or is another.
    """
    kept = open_training_store(Location.of(path).absolute())
    with _given(kept, task) as given:
        check_given(kept, given)
        return _opened(kept, given)


@contextmanager
def _given(kept: TrainingStore, task: Task | Build | None) -> Iterator[Task | None]:
    """Give the task that was passed; a function has the name of the task meanwhile."""
    if task is None or isinstance(task, Task):
        yield task
        return
    with registering({stored_task(kept): task}):
        yield None


def _changed(workflow: Workflow, changes: dict[str, Any]) -> Workflow:
    for name in changes:
        if name not in _MAY_CHANGE:
            raise SpecError(
                f"expected {', '.join(_MAY_CHANGE)} to change in a training that was begun, found {name!r}; train anew"
            )
    assert workflow.train is not None
    return workflow.model_copy(update={"train": Training.parse(workflow.train.to_dict() | changes, "train")})


def _opened(kept: TrainingStore, task: Task | None) -> Trained:
    trained = kept.trained()
    setup = learner_of(stored_workflow(kept), task, calibrated=False).setup
    check_same(kept, setup.task)
    check_curves(kept, setup)
    check_trained(kept, trained, setup.network)
    take_over(setup.network, {name: torch.tensor(value) for name, value in trained.items()})
    return Trained(setup, with_best(kept.curves()))
