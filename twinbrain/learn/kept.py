"""What is kept of a training beside its curves: what it takes to begin it again, and to know that it is the same."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np

from twinbrain.errors import LearnError, StoreError
from twinbrain.functions import check_functions, described
from twinbrain.learn.tasks.registry import Build, own_tasks
from twinbrain.learn.tasks.task import SPLITS, Task
from twinbrain.spec.workflow import Workflow
from twinbrain.store import TrainingStore
from twinbrain.store.declared import check_declared, declared
from twinbrain.store.training import CONNECTOME
from twinbrain.store.versions import check_versions

CHANGED = "changed"
"""Attribute of a training: the settings that others were given for after some epochs; its spec has the last."""
_SEEN_IN_BITS = ("twinbrain", "brian2", "numba", "numpy", "torch", "snntorch")


def attributes_of(workflow: Workflow, task: Task, *, given: bool) -> dict[str, Any]:
    """Return the attributes of a training.

    Parameters
    ----------
    workflow : Workflow
        With its table ``train``.
    task : Task
        What is learned.
    given : bool
        Whether the task was given as an object, and so cannot be made again from its name.
    """
    training = workflow.train
    assert training is not None
    return {
        "twinbrain_version": version("twinbrain"),
        "workflow": workflow.name,
        "task": training.task.name,
        "task_given": given,
        "task_function": json.dumps({own: described(build) for own, build in _own(training.task.name, given).items()}),
        "task_digest": task_digest(task),
        "rule": training.rule.name,
        "seed": workflow.run.seed,
        "epochs": training.epochs,
        "chance": task.chance,
        **spec_of(workflow),
        "versions": versions_seen(),
    }


def versions_seen() -> str:
    """Return the versions of the packages that can be seen in the bits of a training, as JSON."""
    return json.dumps({name: version(name) for name in _SEEN_IN_BITS})


def spec_of(workflow: Workflow) -> dict[str, str]:
    """Return the attributes that hold a declaration."""
    return {"spec": workflow.model_dump_json(), "digest": workflow.digest}


def stored_workflow(kept: TrainingStore) -> Workflow:
    """Return what was trained, and how.

    Raises
    ------
    SpecError
        If it is not what the training began with.
    """
    workflow = declared(kept.attributes["spec"], kept.group(CONNECTOME), "training")
    check_declared(workflow, kept.attributes, kept.location, "training")
    return workflow


def check_given(kept: TrainingStore, task: Task | None) -> None:
    """Make sure that the task is given with which a training began, where it must be.

    Raises
    ------
    LearnError
        If none is given, or one of another name.
    SpecError
        If it began with a function of a person's own, and that is not given, or is another.
    """
    expected = kept.attributes["task"]
    if kept.attributes["task_given"] and (task is None or task.name != expected):
        found = "none" if task is None else repr(task.name)
        raise LearnError(f"task: expected the task {expected!r} with which training began, found {found}; give it")
    if task is None:
        begun = json.loads(kept.attributes.get("task_function", "{}"))
        check_functions(begun, _own(stored_task(kept)), "--task-from", str(kept.location))


def _own(name: str, given: bool = False) -> dict[str, Build]:
    """Return the person's own function that makes the task of a name; none where the task is ours, or was given."""
    return {own: build for own, build in own_tasks().items() if own == name and not given}


def stored_task(kept: TrainingStore) -> str:
    """Return the name of the task of a training."""
    name: str = json.loads(kept.attributes["spec"])["train"]["task"]["name"]
    return name


def check_same(kept: TrainingStore, task: Task) -> None:
    """Make sure that a task has the trials with which a training began.

    Raises
    ------
    LearnError
        If it has others.
    """
    if task_digest(task) != kept.attributes["task_digest"]:
        raise LearnError(
            f"task {task.name}: expected the trials with which training began, found others; give the task with the "
            "same options, and the same data"
        )


def check_training_versions(kept: TrainingStore) -> None:
    """Make sure that what goes on with a training can come to the same bits.

    Raises
    ------
    StoreError
        If packages have other versions than those that it began with.
    """
    begun = json.loads(kept.attributes["versions"])
    here = {name: version(name) for name in _SEEN_IN_BITS}
    check_versions(kept.location, "training", begun, here, "train anew elsewhere")


def check_pure(kept: TrainingStore) -> None:
    """Make sure that a training, also a complete one, was learned in one way, by the versions that are here.

    Raises
    ------
    StoreError
        If not; what to do about a training that a sweep keeps is said.
    """
    check_training_versions(kept)
    if changed := kept.attributes.get(CHANGED):
        raise StoreError(
            f"{kept.location}: expected a training of the same settings from its first epoch on, found that {changed} "
            "changed on the way; move it elsewhere, and resume the sweep, which then computes the point anew"
        )


def task_digest(task: Task) -> str:
    """Return the sha256 of a task's trials."""
    digest = hashlib.sha256(f"{task.n_channels} {task.n_outputs} {task.kind} {task.dt!r}".encode())
    for split in SPLITS:
        trials = getattr(task, split)
        for values in (trials.start, trials.step, trials.channel, trials.target, trials.scored):
            array = np.ascontiguousarray(values)
            digest.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
