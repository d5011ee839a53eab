"""Prepare a sweep: check it, find the shape of its results, and create its store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
import xarray as xr

from twinbrain.errors import LearnError, SpecError
from twinbrain.network.build import check_parameters
from twinbrain.run.prepare import Prepared, check_fits, prepare
from twinbrain.run.sweep.assign import assigned_at
from twinbrain.run.sweep.files import opened, pinned_sweep, pinned_training
from twinbrain.run.sweep.fit import common
from twinbrain.run.sweep.own import OwnFunctions, check_own, functions_kept, own_functions
from twinbrain.run.sweep.points import in_order, point_workflow
from twinbrain.run.sweep.reductions import Reduction, check_reductions, template_of
from twinbrain.run.sweep.shape import without_spikes
from twinbrain.run.sweep.sharing import shares_network
from twinbrain.run.sweep.task import stored_sweep_workflow
from twinbrain.run.sweep.training import (
    check_built,
    check_point,
    idle_of_training,
    training_base,
    training_template,
    trains_baseline,
)
from twinbrain.run.versions import LEARNING, engine_of, versions, versions_in_bits
from twinbrain.spec.axes import Axis, axes_of, coordinates, n_points, values_at
from twinbrain.spec.difference import changes
from twinbrain.spec.keys import full_key
from twinbrain.spec.overlap import check_places
from twinbrain.spec.seeds import check_seeds
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location
from twinbrain.store.creation import CREATED, new_creation
from twinbrain.store.sweep import POINT, RESERVED, SweepStore, is_sweep
from twinbrain.store.sweep_create import check_sweep_target, create_sweep
from twinbrain.store.versions import check_versions

Own = Mapping[str, Reduction]

# A batch is about so long, so that a kill costs little and neither do tasks and files.
_SECONDS_A_BATCH = 5.0
_LARGEST_BATCH = 64
_FEWEST_BATCHES = 16
# Points of an axis that are checked before any is run: its ends, and some between.
_CHECKED = 5


@dataclass(frozen=True)
class PreparedSweep:
    """A sweep that has passed every check.

    Parameters
    ----------
    workflow : Workflow
        With its connectome loaded, its samples drawn.
    axes : tuple of Axis
        In the order in which points are numbered: the last varies fastest, and shares the most.
    dims : tuple of str
        Names of the axes in the order in which they were declared.
    template : Dataset
        Results of a point without spikes: their shapes.
    batch : int
        Points of a batch.
    seconds : float, optional
        Expected time of a point on one core; of trainings it is not known.
    own : OwnFunctions
        The person's own reductions and tasks, and what they were before any was called.
    notes : tuple of str
        Settings without effect, and what plans of the points that were looked at say.
    """

    workflow: Workflow
    axes: tuple[Axis, ...]
    dims: tuple[str, ...]
    template: xr.Dataset
    batch: int
    seconds: float | None
    own: OwnFunctions
    notes: tuple[str, ...] = ()

    @property
    def n_points(self) -> int:
        """Number of points."""
        return n_points(self.axes)


def prepare_sweep(workflow: Workflow, own: Own) -> PreparedSweep:
    """Check a sweep, and find out what its results look like.

    Raises
    ------
    SpecError, ConnectomeError, EngineError, PlanError
        If a point cannot be run, or a reduction fails on a run without spikes.
    """
    sweep = workflow.sweep
    if sweep is None:
        raise SpecError("expected a sweep, found a workflow without one; give values: coupling=[0.5, 1.0]")
    functions = own_functions(own, workflow.model_dump_json())  # before any is called
    with functions.called():
        if workflow.train is not None:
            return _prepare_trainings(workflow, sweep, functions)
        return _prepare_runs(workflow, sweep, functions)


def _prepare_runs(workflow: Workflow, sweep: Sweep, functions: OwnFunctions) -> PreparedSweep:
    own = functions.reductions
    check_reductions(sweep.reduce, own)
    sweep = pinned_sweep(sweep)
    base = prepare(point_workflow(workflow, {})).workflow.model_copy(update={"sweep": sweep})
    declared = axes_of(sweep)
    check_seeds(declared)
    tried = in_order(declared, workflow)
    first = _prepared(base, tried, values_at(tried, 0))
    check_fits(first, whole=not sweep.keep_runs)  # a point that is reduced is held in memory
    with _at(values_at(tried, 0)):
        check_parameters(first.layout, first.quanta, dt=first.workflow.run.dt, seed=first.workflow.run.seed)
    template = template_of(without_spikes(first, sweep, own))
    template, told = _checked(base, tried, template, sweep, own)
    declared = axes_of(sweep, taken_names(template))
    axes = in_order(declared, workflow)
    plan = first.plan
    wanted = max(1, min(_LARGEST_BATCH, int(_SECONDS_A_BATCH / plan.seconds), n_points(axes) // _FEWEST_BATCHES))
    return PreparedSweep(
        base,
        axes,
        tuple(axis.name for axis in declared),
        template,
        _batch(sweep, axes, wanted),
        plan.seconds,
        functions,
        (
            *_idle(sweep),
            *(("sweep.contrasts: they have no effect, since no case trains",) if sweep.contrasts else ()),
            *told,
        ),
    )


def _prepare_trainings(workflow: Workflow, sweep: Sweep, own: OwnFunctions) -> PreparedSweep:
    template = training_template(sweep, own.reductions)
    base = pinned_training(training_base(workflow), sweep)
    sweep = base.sweep or sweep
    axes = axes_of(sweep, taken_names(template))
    check_seeds(axes)
    notes = list(_idle(sweep))
    first: dict[bool, dict[str, Any]] = {}  # of networks, and of baselines
    for values in _tried(axes):
        with _at(values):
            check_point(point := _point(base, axes, values))
        first.setdefault(trains_baseline(point), values)
        notes += idle_of_training(point.model_copy(update={"record": workflow.record}))
    for values in first.values():
        with _at(values):
            check_built(_point(base, axes, values))
    names = tuple(axis.name for axis in axes)
    batch = _batch(sweep, axes, 1)  # a training takes long
    told = tuple(dict.fromkeys(notes))
    return PreparedSweep(base, axes, names, template, batch, None, own, told)


def _idle(sweep: Sweep) -> Iterator[str]:
    """Yield a line for each setting that has no effect."""
    if sweep.keep_runs and sweep.batch not in (None, 1):
        yield f"sweep.batch: {sweep.batch} has no effect with sweep.keep_runs: a run that is kept is computed by itself"


def _batch(sweep: Sweep, axes: Sequence[Axis], wanted: int) -> int:
    """Return the points of a batch: those asked for or wanted, and no more than there are."""
    return 1 if sweep.keep_runs else min(sweep.batch or wanted, n_points(axes))


def taken_names(template: xr.Dataset) -> tuple[str, ...]:
    """Return the names that no axis of a sweep may have."""
    return (*RESERVED, *map(str, template.variables), *map(str, template.dims))


def open_or_create(prepared: PreparedSweep, location: Location, *, overwrite: bool) -> SweepStore:
    """Return the store of a sweep: the one that is there if it is of the same sweep, or a new one.

    Raises
    ------
    StoreError
        If something else is there.
    SpecError
        If it is a sweep of another workflow; the differences are named.
    """
    if not overwrite and is_sweep(location):
        store = SweepStore(location)
        check_same(store, prepared.workflow)
        check_own(store, prepared.own)
        return store
    check_sweep_target(location, overwrite=overwrite)
    workflow = prepared.workflow
    found = versions(LEARNING if workflow.train is not None else _engine(workflow, prepared.axes))
    spec = workflow.model_dump_json()
    create_sweep(
        location,
        attrs={
            "twinbrain_version": found["twinbrain"],
            "workflow": workflow.name,
            CREATED: new_creation(),
            "spec": spec,
            "functions": functions_kept(prepared.own),
            "digest": workflow.digest,
            "axes": json.dumps(
                [
                    {"name": axis.name, "columns": axis.columns, "labels": axis.labels, "order": axis.order}
                    for axis in prepared.axes
                ]
            ),
            "dims": list(prepared.dims),
            "shapes": json.dumps({name: array.shape for name, array in prepared.template.data_vars.items()}),
            "versions": json.dumps(found),
        },
        coordinates=_coordinates(prepared.axes, taken_names(prepared.template)),
        template=prepared.template,
        connectome=workflow.brain.connectome.to_dataset(),
        batch=prepared.batch,
    )
    return SweepStore(location)


def _engine(workflow: Workflow, axes: Sequence[Axis]) -> str:
    """Return the engine whose versions count: torch, if any point takes it, since it has more than others."""
    columns = {tuple(full_key(key)): values for axis in axes for key, values in axis.columns.items()}
    engines = {workflow.run.engine, *columns.get(("run", "engine"), ())}
    return "torch" if "torch" in engines else workflow.run.engine


def check_free(location: Location) -> None:
    """Refuse, before anything is computed, a place where neither a sweep stands nor one can be made.

    Raises
    ------
    StoreError
        If something else is there, or nothing can be written.
    """
    if not is_sweep(location):
        check_sweep_target(location, overwrite=False)


def check_same(store: SweepStore, workflow: Workflow) -> None:
    """Check that a store is of this workflow, and of this version.

    Raises
    ------
    SpecError
        If not; what differs is named.
    """
    check_version(store)
    if store.attrs["digest"] == workflow.digest:
        stored_sweep_workflow(store)  # its connectome may be another
        return
    raise SpecError(
        f"{store.location}: expected the workflow that this sweep was started with, found a changed one: "
        f"{changes(store.attrs['spec'], workflow)}; change it back, name another path, or start anew with "
        "overwrite=True (--overwrite)"
    )


def check_version(store: SweepStore) -> None:
    """Check that a sweep was begun with the versions that are here: others might give other bits.

    Raises
    ------
    StoreError
        If not.
    """
    begun = json.loads(store.attrs["versions"])
    here = versions_in_bits(engine_of(begun))
    check_versions(store.location, "sweep", begun, here, "start it anew elsewhere")


def _prepared(base: Workflow, axes: Sequence[Axis], values: Mapping[str, Any]) -> Prepared:
    with _at(values):
        return prepare(_point(base, axes, values))


def _point(base: Workflow, axes: Sequence[Axis], values: Mapping[str, Any]) -> Workflow:
    """Return what `point_workflow` does, after checking that every key counts."""
    workflow, places = assigned_at(point_workflow(base, {}), opened(base.sweep, values))
    check_places(places, axes)
    return workflow


@contextmanager
def _at(values: Mapping[str, Any]) -> Iterator[None]:
    """Say of what point a fault is."""
    try:
        yield
    except (SpecError, LearnError) as error:
        given = ", ".join(f"{key} = {shorten(str(value), 60)}" for key, value in values.items())
        where = f"sweep, at {given}"
        raise error.within(where) if isinstance(error, SpecError) else LearnError(f"{where}: {error}") from None


def _checked(
    base: Workflow, axes: Sequence[Axis], template: xr.Dataset, sweep: Sweep, own: Own
) -> tuple[xr.Dataset, list[str]]:
    """Check some values of each axis, the others at their first, so that most mistakes show before anything runs.

    Returns what the templates of all have in common, and what their plans say.
    """
    told: Counter[str] = Counter()
    n = 0
    for axis in axes:
        for values in _tried_along(axis, axes):
            prepared = _prepared(base, axes, values)
            run = prepared.workflow.run
            with _at(values):
                if not all(map(shares_network, axis.columns)):
                    check_parameters(prepared.layout, prepared.quanta, dt=run.dt, seed=run.seed)
                template = common(template, without_spikes(prepared, sweep, own))
            told.update(dict.fromkeys(prepared.plan.notes, 1))
            n += 1
    return template, [note if count == n else f"{note} (at some points)" for note, count in told.items()]


def _tried(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    return (values for axis in axes for values in _tried_along(axis, axes))


def _tried_along(axis: Axis, axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    """Yield the values of the points that are checked along an axis: of cases all."""
    n = len(axis) if axis.labels else _CHECKED
    for place in np.unique(np.linspace(0, len(axis) - 1, n).round().astype(int)):
        yield {key: value for other in axes for key, value in other.at(int(place) if other is axis else 0).items()}


def _coordinates(axes: Sequence[Axis], taken: Sequence[str]) -> xr.Dataset:
    """Return the values of the swept keys at each point."""
    places = np.unravel_index(np.arange(n_points(axes)), [len(axis) for axis in axes])
    place_on = {axis.name: place for axis, place in zip(axes, places, strict=True)}
    return xr.Dataset(
        {
            found.name: (
                POINT,
                found.values[place_on[found.axis]],
                {"key": found.key, "axis": found.axis} | ({"units": found.unit} if found.unit else {}),
            )
            for found in coordinates(axes, taken)
        }
    )
