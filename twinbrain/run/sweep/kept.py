"""What a sweep keeps of its points beside their results: where, of which, and whether it is all there."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError, SpecError
from twinbrain.run.prepare import prepare
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.task import run_location, stored_axes, stored_sweep_workflow
from twinbrain.spec.axes import values_at
from twinbrain.spec.workflow import Workflow
from twinbrain.store.complete import are_complete
from twinbrain.store.sweep import DONE, PENDING, RUNS, STATUS, SweepStore


def keeps_runs(store: SweepStore) -> bool:
    """Return whether a sweep keeps the runs or trainings of its points."""
    return bool(json.loads(store.attrs["spec"])["sweep"]["keep_runs"])


def kept_workflows(store: SweepStore, points: NDArray[np.int64]) -> dict[int, Workflow | None]:
    """Return the workflows of those among some points of which something is kept: of a baseline, nothing is.

    None stands for one that names a file which is not here, or has changed.
    """
    if not len(points):
        return {}
    workflow, axes = stored_sweep_workflow(store), stored_axes(store)
    found: dict[int, Workflow | None] = {}
    for point in map(int, points):
        try:
            own = point_workflow(workflow, values_at(axes, point))
        except (SpecError, ConnectomeError):
            found[point] = None
            continue
        if own.train is None or not own.train.baseline:
            found[point] = own
    return found


def kept_digest(workflow: Workflow) -> str:
    """Return the digest that the run or the training of a point has when it is kept."""
    if workflow.train is None:
        return prepare(workflow).workflow.digest
    from twinbrain.learn.train import training_workflow

    return training_workflow(workflow, None).digest


def status_of(store: SweepStore) -> NDArray[np.uint8]:
    """Return the status of each point; pending of those that are done, but of which what was kept is not whole."""
    status = store.read(STATUS)
    if keeps_runs(store):
        done = np.flatnonzero(status == DONE)
        names = [run_location(store.location, int(point)).name for point in done]
        lacking = done[~np.array(are_complete(store.location.child(RUNS), names), bool)]
        status[list(kept_workflows(store, lacking))] = PENDING
    return status
