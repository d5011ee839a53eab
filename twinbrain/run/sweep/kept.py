"""What a sweep keeps of its points beside their results: where, of which, and whether it is all there."""

from __future__ import annotations

import asyncio
import json

import numpy as np
from numpy.typing import NDArray
from zarr.core.sync import sync

from twinbrain.run.prepare import prepare
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.task import run_location, stored_axes, stored_sweep_workflow
from twinbrain.spec.axes import values_at
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location
from twinbrain.store.root import KEY
from twinbrain.store.sweep import DONE, PENDING, RUNS, STATUS, SweepStore

# Root documents that are read at a time.
_AT_A_TIME = 64


def keeps_runs(store: SweepStore) -> bool:
    """Return whether a sweep keeps the runs or trainings of its points."""
    return bool(json.loads(store.attrs["spec"])["sweep"]["keep_runs"])


def kept_workflows(store: SweepStore, points: NDArray[np.int64]) -> dict[int, Workflow]:
    """Return the workflows of those among some points of which something is kept: of a baseline, nothing is."""
    if not len(points):
        return {}
    workflow, axes = stored_sweep_workflow(store), stored_axes(store)
    found = {int(point): point_workflow(workflow, values_at(axes, point)) for point in points}
    return {point: own for point, own in found.items() if own.train is None or not own.train.baseline}


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
        lacking = done[~_are_complete(store.location, done)]
        status[list(kept_workflows(store, lacking))] = PENDING
    return status


def _are_complete(location: Location, points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return of which points a run or a training is kept that says that it is complete."""
    store = location.store(read_only=True)

    async def is_complete(point: int) -> bool:
        found = await location.fetch(store, f"{RUNS}/{run_location(location, point).name}/{KEY}")
        # Not parsed, since there may be thousands; in the texts among its attributes quotes are escaped.
        return found is not None and b'"status": "complete"' in found.to_bytes()

    async def are_complete(some: NDArray[np.int64]) -> list[bool]:
        return list(await asyncio.gather(*(is_complete(int(point)) for point in some)))

    parts = [sync(are_complete(points[i : i + _AT_A_TIME])) for i in range(0, len(points), _AT_A_TIME)]
    return np.array([one for part in parts for one in part], bool)
