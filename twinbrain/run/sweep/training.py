"""Sweeps whose points train: what is checked before, and how a point is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import xarray as xr

from twinbrain.errors import RunInterrupted, SpecError
from twinbrain.run.sweep.points import point_workflow, remove_remains
from twinbrain.run.sweep.reductions import template_of
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location
from twinbrain.store.claim import claimed_in_sweep
from twinbrain.store.training import GROUPS


def training_base(workflow: Workflow) -> Workflow:
    """Return a workflow that trains, with its connectome loaded and without its sweep."""
    from twinbrain.learn.train import training_workflow

    return training_workflow(point_workflow(workflow, {}), None)


def training_template(sweep: Sweep, own: Mapping[str, Any]) -> xr.Dataset:
    """Return the results of a point, which are the same numbers whatever is trained.

    Raises
    ------
    SpecError
        If reductions are asked for.
    """
    from twinbrain.learn.measures import empty_measures

    if own or sweep.reduce != Sweep.model_fields["reduce"].default:
        found = ", ".join([*own, *sweep.reduce])
        raise SpecError(
            f"sweep.reduce: expected none in a sweep of trainings, whose results are always the same, found {found}; "
            "leave it out"
        )
    return template_of(empty_measures())


def check_point(workflow: Workflow) -> None:
    """Check what can be checked of a training without building anything; see `twinbrain.learn.measures`."""
    from twinbrain.learn.measures import check_training

    check_training(workflow)


def check_built(workflow: Workflow) -> None:
    """Check what only shows when all of a training is built, such as a delay shorter than the step."""
    from twinbrain.learn.baselines.matched import untrained
    from twinbrain.learn.plan import plan_training
    from twinbrain.learn.train import training_workflow

    if trains_baseline(workflow):
        untrained(training_workflow(workflow, None))
    else:
        plan_training(workflow)


def trains_baseline(workflow: Workflow) -> bool:
    """Return whether a baseline is trained, in place of a network."""
    return workflow.train is not None and workflow.train.baseline is not None


def idle_of_training(workflow: Workflow) -> list[str]:
    """Return a line for each setting without effect on a training of a sweep; see `twinbrain.learn.idle`."""
    from twinbrain.learn.idle import idle_settings

    return list(idle_settings(workflow, swept=True))


def train_point(
    workflow: Workflow, values: Mapping[str, Any], out: Location | None, tasks: Mapping[str, Callable[..., Any]]
) -> dict[str, xr.DataArray]:
    """Train at a point, and return what is kept of it.

    Parameters
    ----------
    workflow : Workflow
        The workflow that is swept.
    values : mapping of str to value
        What the point gives its keys.
    out : Location, optional
        Where its training is kept, if it is.
    tasks : mapping of str to callable
        The user's own tasks.

    Raises
    ------
    RunInterrupted
        If it was asked to stop.
    """
    from twinbrain.learn.measures import measure
    from twinbrain.learn.tasks.registry import registering

    try:
        with registering(tasks), nullcontext() if out is None else claimed_in_sweep(out, "training"):
            if out is not None:
                remove_remains(out, GROUPS)
            return measure(point_workflow(workflow, values), out)
    except RunInterrupted:
        raise RunInterrupted("stopped while a point was trained; points that are done are kept") from None
