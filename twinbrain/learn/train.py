"""Train a model on a task."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twinbrain.connectome.load import load_connectome
from twinbrain.errors import LearnError, RunInterrupted, SpecError
from twinbrain.interrupt import Interrupt
from twinbrain.learn.curves import empty_curves, with_epoch
from twinbrain.learn.loop import Arrays, Learner, Progress
from twinbrain.learn.setup import set_up
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.trained import Trained
from twinbrain.spec.brain import Brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.load import as_workflow
from twinbrain.spec.region import Region
from twinbrain.spec.training import Training
from twinbrain.spec.workflow import Run, Workflow
from twinbrain.store import Location, TrainingStore, create_training, open_training_store
from twinbrain.store.training import CONNECTOME

_SEEN_IN_BITS = ("twinbrain", "brian2", "numpy", "torch", "snntorch")


def train(
    model: Workflow | Brain | Region | str | Path,
    task: Task | str | dict[str, Any] | None = None,
    *,
    out: str | Path | Location | None = None,
    seed: int | None = None,
    dt: str | None = None,
    device: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **settings: Any,
) -> Trained:
    """Train a model on a task.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        What is to learn; a text is the name or the path of a workflow with a table ``train``.
    task : Task, str or dict, optional
        What is learned: a task, the name of one, or ``{"name": "digits", "coding": "rate"}``; otherwise the workflow's.
    out : str or Path, optional
        Where the training is kept, such as ``"runs/digits.zarr"``; without it nothing is kept on disk.
    seed : int, optional
        Keys every draw.
    dt : str (ms), optional
        Time step; by default the workflow's, and 1 ms for a brain or a region.
    device : str, optional
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    overwrite : bool
        Whether a training that stands at ``out`` may be replaced.
    progress : callable, optional
        Called with what is being done ("train", "epoch"), how much of it is done, and of how much.
    **settings
        What else `twinbrain.spec.training.Training` has: ``rule="eprop"``, ``trainable=["weight", "C_m"]``,
        ``epochs=20``, ``learning_rate=0.01``, …; in place of the workflow's.

    Returns
    -------
    Trained
        What was learned, with its learning curves.

    Raises
    ------
    LearnError
        If model, task and rule do not fit together, or the loss is no number any more.
    SpecError, ConnectomeError, EngineError, StoreError
        If the model cannot be built, there is no such device, or nothing can be kept there.
    RunInterrupted
        If it was asked to stop; what was learned so far is kept, and `resume_training` goes on from there.
    """
    given = task if isinstance(task, Task) else None
    named = task.name if isinstance(task, Task) else task
    workflow = training_workflow(model, named, seed=seed, dt=dt, device=device, dt_of_task=given, **settings)
    learner = _learner(workflow, given)
    location = None if out is None else Location.of(out)
    kept = None
    if location is not None:
        kept = create_training(
            location,
            _attributes(workflow, given, learner.setup.task.chance),
            empty_curves(learner.setup),
            workflow.brain.connectome.to_dataset(),
            overwrite=overwrite,
        )
    return _learn(learner, kept, progress)


def resume_training(
    path: str | Path | Location, *, task: Task | None = None, progress: Progress | None = None
) -> Trained:
    """Go on with a training that was interrupted, to the same bits as if it had not been.

    Parameters
    ----------
    path : str or Path
        Path or URL of the training.
    task : Task, optional
        Where it was given to `train` as an object.
    progress : callable, optional
        As in `train`.

    Raises
    ------
    StoreError
        If there is no training.
    LearnError
        If its task is not given, or is another.
    """
    kept = open_training_store(Location.of(path))
    learner = _learner(_stored_workflow(kept), _same_task(kept, task))
    if kept.attributes["status"] == "complete":
        return _opened(learner, kept)
    if (state := kept.state()) is not None:
        learner.restore(state)
    return _learn(learner, kept, progress)


def open_training(path: str | Path | Location, *, task: Task | None = None) -> Trained:
    """Return a training that is complete.

    Parameters
    ----------
    path : str or Path
        Path or URL of the training.
    task : Task, optional
        Where it was given to `train` as an object.

    Raises
    ------
    StoreError
        If there is none, or it is not complete.
    LearnError
        If its task is not given, or is another.
    """
    kept = open_training_store(Location.of(path))
    return _opened(_learner(_stored_workflow(kept), _same_task(kept, task)), kept)


def training_workflow(
    model: Workflow | Brain | Region | str | Path,
    task: str | dict[str, Any] | None,
    *,
    seed: int | None = None,
    dt: str | None = None,
    device: str | None = None,
    dt_of_task: Task | None = None,
    **settings: Any,
) -> Workflow:
    """Return a workflow with its table ``train``, changed as is wanted; see `train`.

    Raises
    ------
    SpecError
        If a setting is unknown or wrong, or there is no task.
    """
    workflow = as_workflow(model)
    brain = workflow.brain
    if not isinstance(brain.connectome, Connectome):
        brain = brain.model_copy(update={"connectome": load_connectome(brain.connectome)})
    if dt is None and not isinstance(model, Workflow | str | Path):
        dt = f"{dt_of_task.dt!r} ms" if dt_of_task is not None else "1 ms"
    run = {"seed": seed, "dt": dt, "device": device, "duration": None}
    before = {} if workflow.train is None else workflow.train.to_dict()
    if task is not None:
        before["task"] = task
    if "task" not in before:
        raise SpecError("expected a task to train on, found none; name one, or give the workflow a table 'train'")
    return Workflow(
        name=workflow.name,
        summary=workflow.summary,
        run=Run.parse(workflow.run.to_dict() | {key: value for key, value in run.items() if value is not None}),
        brain=brain,
        train=Training.parse(before | settings, "train"),
    )


def model_of(workflow: Workflow) -> Region | Brain:
    """Return what a workflow trains: its region, if its brain is one region alone."""
    connectome = workflow.brain.connectome
    if isinstance(connectome, Connectome) and connectome.name == "single" and len(workflow.brain.regions) == 1:
        return next(iter(workflow.brain.regions.values()))
    return workflow.brain


def _learner(workflow: Workflow, task: Task | None) -> Learner:
    assert workflow.train is not None
    if workflow.train.baseline:
        raise LearnError(
            f"train.baseline: expected none, since a brain is trained here, found {workflow.train.baseline!r}; use "
            "tb.train_baseline, or sweep it"
        )
    return Learner(set_up(model_of(workflow), workflow.train, workflow.run, task))


def _learn(learner: Learner, kept: TrainingStore | None, progress: Progress | None) -> Trained:
    curves = empty_curves(learner.setup) if kept is None else None

    def commit(epoch: Arrays, state: Arrays, summary: dict[str, Any]) -> None:
        nonlocal curves
        if kept is not None:
            kept.commit(epoch, state, **summary)
        elif curves is not None:
            curves = with_epoch(curves, learner.course.epoch - 1, epoch)

    with Interrupt() as interrupt:
        try:
            learner.learn(commit, progress or _silent, lambda: interrupt.requested)
        except LearnError as error:
            if kept is not None:
                kept.mark(status="failed", error=str(error))
            raise
        if interrupt.requested:
            done = f"{learner.course.epoch} of {learner.setup.training.epochs} epochs are kept"
            raise RunInterrupted(f"stopped: {done}" if kept is not None else "stopped: nothing was kept")
    learner.setup.network.load_state_dict(learner.course.best_state)
    if curves is None:
        assert kept is not None
        curves = kept.curves()
    else:
        curves = curves.isel(epoch=slice(0, learner.course.epoch))
    trained = Trained(learner.setup, curves)
    if kept is not None:
        best = {name: value.cpu().numpy() for name, value in learner.course.best_state.items()}
        kept.finish({"responses": trained.responses().drop_vars("rate")}, best, score=trained.score)
    return trained


def _opened(learner: Learner, kept: TrainingStore) -> Trained:
    import torch

    learner.setup.network.load_state_dict({name: torch.tensor(value) for name, value in kept.trained().items()})
    return Trained(learner.setup, kept.curves())


def _attributes(workflow: Workflow, task: Task | None, chance: float) -> dict[str, Any]:
    training = workflow.train
    assert training is not None
    return {
        "twinbrain_version": version("twinbrain"),
        "workflow": workflow.name,
        "task": training.task.name,
        "task_given": task is not None,
        "rule": training.rule.name,
        "seed": workflow.run.seed,
        "epochs": training.epochs,
        "chance": chance,
        "spec": workflow.model_dump_json(),
        "digest": workflow.digest,
        "versions": json.dumps({name: version(name) for name in _SEEN_IN_BITS}),
    }


def _stored_workflow(kept: TrainingStore) -> Workflow:
    data = json.loads(kept.attributes["spec"])
    data["brain"]["connectome"] = Connectome.from_dataset(kept.group(CONNECTOME))
    return Workflow.parse(data, "spec of the training")


def _same_task(kept: TrainingStore, task: Task | None) -> Task | None:
    expected = kept.attributes["task"]
    if kept.attributes["task_given"] and (task is None or task.name != expected):
        found = "none" if task is None else repr(task.name)
        raise LearnError(f"task: expected the task {expected!r} with which training began, found {found}; give it")
    return task


def _silent(what: str, done: int, total: int) -> None:
    """Take no notice of progress."""
