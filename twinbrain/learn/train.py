"""Train a model on a task."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from twinbrain.connectome.load import load_connectome
from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.errors import LearnError, RunInterrupted, SpecError
from twinbrain.interrupt import Interrupt
from twinbrain.learn.curves import empty_curves, with_best, with_epoch
from twinbrain.learn.kept import CHANGED, attributes_of, versions_seen
from twinbrain.learn.learned import take_over
from twinbrain.learn.loop import Arrays, Learner, Progress
from twinbrain.learn.setup import set_up
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.trained import Trained
from twinbrain.network.given import with_pinned_files
from twinbrain.progress import shown
from twinbrain.spec.brain import Brain, region_alone
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.difference import changes
from twinbrain.spec.load import as_workflow
from twinbrain.spec.named_files import with_whole_paths
from twinbrain.spec.region import Region
from twinbrain.spec.training import Training
from twinbrain.spec.workflow import Run, Workflow
from twinbrain.store import Location, TrainingStore, create_training, is_training, open_training_store
from twinbrain.store.claim import apart, claimed
from twinbrain.store.training import check_training_target


@own_defaults()
def train(
    model: Workflow | Brain | Region | str | Path,
    task: Task | str | dict[str, Any] | None = None,
    *,
    out: str | Path | Location | None = None,
    seed: int | None = None,
    dt: str | None = None,
    device: str | None = None,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
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
        Where the training is kept, such as ``"runs/digits.zarr"``; without it nothing is kept on disk. If a complete
        training of the same workflow and task is there already, of the same versions, it is opened.
    seed : int, optional
        Keys every draw.
    dt : str (ms), optional
        Time step; by default the workflow's, and 1 ms for a brain or a region.
    device : str, optional
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    overwrite : bool
        Train anew, in place of a training that stands at ``out``, whatever it is.
    progress : callable or bool, optional
        Called with what is being done ("train", "epoch"), how much of it is done, and of how much. By default a bar is
        drawn on a terminal and in a notebook; False draws none.
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
    if not isinstance(task, Task | str | dict | None):
        what = f"task: expected a task, the name of one or a table, found a {type(task).__name__}"
        raise LearnError(f"{what}; of datasets make one: tb.task_of(train_set, test_set, dt='1 ms')")
    given = task if isinstance(task, Task) else None
    named = task.name if isinstance(task, Task) else task
    workflow = training_workflow(model, named, seed=seed, dt=dt, device=device, dt_of_task=given, **settings)
    location = None if out is None else Location.of(out)
    if location is not None:
        earlier = open_training_store(location).attributes if not overwrite and is_training(location) else {}
        if earlier and _is_of(earlier, workflow):
            from twinbrain.learn.resume import open_training

            return open_training(location, task=given)
        other = "" if not earlier or earlier["digest"] == workflow.digest else changes(earlier["spec"], workflow)
        check_training_target(location, overwrite=overwrite, changes=other)
    with nullcontext() if location is None else claimed(location, "training"):
        learner = learner_of(workflow, given)
        if location is None:
            return go_on(learner, None, progress)
        connectome = workflow.brain.connectome
        assert isinstance(connectome, Connectome)
        kept = create_training(
            location.absolute(),  # the working folder may change meanwhile
            attributes_of(workflow, learner.setup.task, given=given is not None),
            empty_curves(learner.setup),
            connectome.to_dataset(),
            overwrite=overwrite,
        )
        return go_on(learner, kept, progress)


def _is_of(kept: dict[str, Any], workflow: Workflow) -> bool:
    """Return whether a training of these attributes is complete, and what a workflow would give, to the last bit."""
    same = kept["status"] == "complete" and kept["digest"] == workflow.digest and kept["versions"] == versions_seen()
    return same and CHANGED not in kept


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

    It goes on from any working folder as it began: it holds the connectome itself, files are named by whole paths, and
    those of drives by their contents, too.

    Raises
    ------
    SpecError
        If a setting is unknown or wrong, there is no task, there are stimuli or a sweep, or a file cannot be read.
    """
    workflow = as_workflow(model)
    brain = workflow.brain
    if workflow.stimuli:
        raise SpecError(
            "stimuli: expected none in a workflow that trains, whose task is the input, found "
            f"{len(workflow.stimuli)}; leave them out, or make them drives of a region"
        )
    if workflow.sweep is not None:
        raise SpecError(
            "sweep: expected a workflow of one training, found one with a table 'sweep'; give it to tb.sweep, or give "
            "its brain alone"
        )
    if not isinstance(brain.connectome, Connectome):
        brain = brain.model_copy(update={"connectome": load_connectome(brain.connectome)})
    if dt is None and not isinstance(model, Workflow | str | os.PathLike):
        dt = f"{dt_of_task.dt!r} ms" if dt_of_task is not None else "1 ms"
    run = {"seed": seed, "dt": dt, "device": device, "duration": None}
    before = {} if workflow.train is None else workflow.train.to_dict()
    if task is not None:
        before["task"] = task
    if "task" not in before:
        raise SpecError("expected a task to train on, found none; name one, or give the workflow a table 'train'")
    training = Training.parse(before | settings, "train")
    options = with_whole_paths(training.task.options, ("train", "task"), Path())
    declared = Workflow(
        name=workflow.name,
        summary=workflow.summary,
        run=Run.parse(workflow.run.to_dict() | {key: value for key, value in run.items() if value is not None}),
        brain=brain,
        train=training.replace(task=training.task.replace(options=options)),
    )
    return with_pinned_files(declared)


def model_of(workflow: Workflow) -> Region | Brain:
    """Return what a workflow trains: its region, if its brain is one region alone."""
    return region_alone(workflow.brain) or workflow.brain


def learner_of(workflow: Workflow, task: Task | None, *, calibrated: bool = True) -> Learner:
    """Return what a workflow trains, before the first epoch; see `set_up`."""
    assert workflow.train is not None
    if workflow.train.baseline:
        raise LearnError(
            "train.baseline: expected none, since a brain is trained here, found "
            f"{workflow.train.baseline.name!r}; use tb.train_baseline, or sweep it"
        )
    return Learner(set_up(model_of(workflow), workflow.train, workflow.run, task, calibrated=calibrated))


def go_on(learner: Learner, kept: TrainingStore | None, progress: Progress | bool | None) -> Trained:
    """Train from where the learner is to the end, each epoch being kept; see `train`."""
    curves = empty_curves(learner.setup) if kept is None else None

    def commit(epoch: Arrays, state: Arrays, summary: dict[str, Any]) -> None:
        nonlocal curves
        if kept is not None:
            kept.commit(epoch, state, **summary)
        elif curves is not None:
            curves = with_epoch(curves, learner.course.epoch - 1, epoch)

    with Interrupt() as interrupt, _shown(progress, learner.course.epoch, learner.setup.training.epochs) as tell:
        try:
            learner.learn(commit, tell, lambda: interrupt.requested)
        except LearnError as error:
            if kept is None:
                raise
            kept.mark(status="failed", error=str(error))
            raise LearnError(
                f"{error}; what was learned in {kept.epochs_done} epochs is kept: go on from there by resuming with "
                "another learning_rate or clip"
            ) from None
        if not learner.is_done:
            if kept is None:
                raise RunInterrupted("stopped: nothing was kept")
            kept.mark(status="interrupted")
            raise RunInterrupted(f"stopped: {kept.epochs_done} of {learner.setup.training.epochs} epochs are kept")
    take_over(learner.setup.network, learner.course.best_state)
    if curves is None:
        assert kept is not None
        curves = kept.curves()
    else:
        curves = curves.isel(epoch=slice(0, learner.course.epoch))
    trained = Trained(learner.setup, with_best(curves))
    if kept is not None:
        best = {name: value.cpu().numpy() for name, value in learner.course.best_state.items()}
        kept.finish({"responses": trained.responses().drop_vars("rate")}, best, score=trained.score)
    return trained


@contextmanager
def _shown(progress: Progress | bool | None, epoch: int, n_epochs: int) -> Iterator[Progress]:
    """Give a function to be told of progress, whose bar counts batches in all epochs."""
    if callable(progress):
        yield apart(progress)
        return
    with shown(progress, {"training": "training"}) as bar:

        def tell(what: str, done: int, total: int) -> None:
            nonlocal epoch
            if what == "train":
                epoch = done
            else:
                bar("training", epoch * total + done, total * n_epochs)

        yield tell
