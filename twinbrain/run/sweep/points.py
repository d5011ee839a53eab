"""The points of a sweep, run one after the other in one process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xarray as xr

from twinbrain import store
from twinbrain.interrupt import Interrupt
from twinbrain.run.attributes import settings
from twinbrain.run.breakdown import Watch
from twinbrain.run.describe import probe_layouts
from twinbrain.run.prepare import Prepared, prepare, silent
from twinbrain.run.simulate import check_pure, resume, run_prepared
from twinbrain.run.sweep.assign import assigned
from twinbrain.run.sweep.files import check_data, opened
from twinbrain.run.sweep.sharing import Shared, shares_network
from twinbrain.run.windows import run_windows
from twinbrain.spec.axes import Axis
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location, MemoryRun
from twinbrain.store.claim import claimed_in_sweep
from twinbrain.store.declared import check_kept
from twinbrain.store.layout import GROUPS as RUN_GROUPS
from twinbrain.store.root import KEY

# Steps at a time; nobody follows them.
_STRIDE = 2000


def remove_remains(location: Location, groups: Iterable[str]) -> None:
    """Remove what is left of what a sweep kept of a point, and whose root document is lost: it is made anew."""
    if location.read(KEY) is None:
        location.clear(groups)


def point_workflow(workflow: Workflow, values: Mapping[str, Any]) -> Workflow:
    """Return the workflow of one point: what `simulate` would run to the same result."""
    point = assigned(workflow.model_copy(update={"sweep": None}), opened(workflow.sweep, values))
    check_data(workflow.sweep, point)
    return point


def in_order(axes: Sequence[Axis], workflow: Workflow) -> tuple[Axis, ...]:
    """Return axes in the order in which points are numbered: the last varies fastest, and shares the most."""
    if workflow.train is not None:
        return tuple(axes)
    return tuple(sorted(axes, key=lambda axis: all(map(shares_network, axis.columns))))


def run_point(workflow: Workflow, values: Mapping[str, Any], shared: Shared, *, shown: bool = False) -> xr.DataTree:
    """Run a point in memory.

    Parameters
    ----------
    workflow : Workflow
        The workflow that is swept.
    values : mapping of str to value
        What the point gives its keys.
    shared : Shared
        What earlier points have left.
    shown : bool, optional
        Whether a person's own functions see the run. They may write into it, so it shares nothing with other points.

    Returns
    -------
    DataTree
        The run, as `open_run` would give it; if it is not shown, valid until the next point is run.
    """
    prepared = prepare(shared.workflow(workflow, values))
    network, known = shared.network(prepared, values)
    simulation = shared.simulation(prepared, network)
    summary, connectome = (
        (known.summary.copy(deep=True), known.connectome.copy()) if shown else (known.summary, known.connectome)
    )
    run = memory_run(prepared, summary, connectome, probe_layouts(network.probes, prepared.layout))
    with Interrupt() as interrupt:
        watch = Watch(prepared.layout, prepared.workflow.run.on_breakdown == "stop")
        run_windows(simulation, network, run, prepared.grid, silent, interrupt, watch, stride=_STRIDE)
    if shown:
        return run.tree()
    known.run = run.tree(known.run)
    return known.run


def keep_point(workflow: Workflow, values: Mapping[str, Any], location: Location) -> xr.DataTree:
    """Run a point into a store of its own, or go on with what is there of it."""
    prepared = prepare(point_workflow(workflow, values))
    with claimed_in_sweep(location, "run"):
        remove_remains(location, RUN_GROUPS)
        if store.is_resumable(location):
            kept = store.open_run(location)
            check_kept(kept.attrs["digest"], prepared.workflow, location, "run")
            check_pure(location, kept)
            return resume(location)
        run_prepared(prepared, location)
        return store.open_run(location)


def memory_run(
    prepared: Prepared,
    network: xr.Dataset,
    connectome: xr.Dataset,
    probes: list[store.ProbeLayout],
    *,
    spikes: bool = True,
) -> MemoryRun:
    """Return a run in memory that has no windows yet."""
    return MemoryRun(
        attrs=settings(prepared),
        network=network,
        connectome=connectome,
        rate_bin_steps=prepared.grid.rate_bin,
        dt=prepared.grid.dt,
        probes=probes,
        spikes=spikes,
    )
