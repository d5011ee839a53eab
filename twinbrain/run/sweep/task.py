"""What a worker does: compute points of a batch, and write the batch."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
import xarray as xr

from twinbrain.errors import RunInterrupted, SpecError, StoreError, TwinbrainError
from twinbrain.run.sweep.fit import fitted
from twinbrain.run.sweep.own import OwnFunctions
from twinbrain.run.sweep.packed import unpack
from twinbrain.run.sweep.points import in_order, keep_point, run_point
from twinbrain.run.sweep.reductions import check_reductions, reduce_run
from twinbrain.run.sweep.sharing import Shared
from twinbrain.run.sweep.training import train_point
from twinbrain.spec.axes import SAMPLE, Axis, axes_of, values_at
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location
from twinbrain.store.claim import Claim, under
from twinbrain.store.declared import check_declared, declared
from twinbrain.store.sweep import DONE, ERROR, FAILED, RUNS, SECONDS, STATUS, BatchResult, SweepStore


@dataclass(frozen=True)
class Report:
    """What became of points.

    Parameters
    ----------
    done, failed : int
        How many.
    error : str
        The first error among them (``""``: none).
    """

    done: int
    failed: int
    error: str = ""


@dataclass(frozen=True, eq=False)
class Bench:
    """What a process keeps of a sweep from batch to batch."""

    store: SweepStore
    workflow: Workflow
    axes: tuple[Axis, ...]
    template: xr.Dataset
    shared: Shared


# Of the last sweep that this process has worked for.
_bench: dict[tuple[Location, str], Bench] = {}


def run_batch(location: Location, created: str, claim: Claim, points: Sequence[int], own: OwnFunctions) -> Report:
    """Compute points of one batch and write them; those that failed too.

    Parameters
    ----------
    location : Location
        The sweep.
    created : str
        Names its creation: what another sweep left at this place is not mixed up with it.
    claim : Claim
        Under which it is written; kept runs too.
    points : sequence of int
        Points of one batch; nobody else may be writing it.
    own : OwnFunctions
        The user's own functions.

    Raises
    ------
    StoreError
        If the sweep cannot be read or written. Every other error of a point is written down with it.
    """
    bench = _bench_of(location, created)
    result = _batch_of(bench, points[0])
    report = Report(0, 0)
    for point in points:
        began = time.perf_counter()
        with under(claim):
            error, note = _compute(bench, point, own, result)
        place = point - result.start
        result.status[place] = FAILED if error else DONE
        result.error[place] = error or note
        result.seconds[place] = time.perf_counter() - began
        report = Report(report.done + (not error), report.failed + bool(error), report.error or error)
    with under(claim):
        bench.store.write(result)
    return report


def run_batch_on_worker(location: Location, created: str, claim: Claim, points: Sequence[int], own: bytes) -> Report:
    """Do what `run_batch` does, in a task of Dask.

    What is lazy is computed here and now: through the client of its worker, a task would wait for that outside of the
    worker's one thread, which then begins with another batch beside it.
    """
    with dask.config.set(scheduler="synchronous"):
        return run_batch(location, created, claim, points, unpack(own))


def record_failure(location: Location, created: str, claim: Claim, point: int, error: str) -> Report:
    """Write down that a point cannot be computed, its error with it."""
    bench = _bench_of(location, created)
    result = _batch_of(bench, point)
    result.status[point - result.start] = FAILED
    result.error[point - result.start] = error
    with under(claim):
        bench.store.write(result)
    return Report(0, 1, error)


def stored_sweep_workflow(store: SweepStore) -> Workflow:
    """Return the workflow of a sweep.

    Raises
    ------
    SpecError
        If it is not what the sweep was started with, or the axes by which points are numbered are not its.
    """
    workflow = declared(store.attrs["spec"], store.connectome(), "sweep")
    check_declared(workflow, store.attrs, store.location, "sweep")
    assert workflow.sweep is not None
    if _values(stored_axes(store)) != _values(in_order(axes_of(workflow.sweep), workflow)):
        raise SpecError(
            f"{store.location}: expected axes with the values that its workflow sweeps, found others; restore the "
            "sweep from a copy, or start it anew elsewhere"
        )
    return workflow


def _values(axes: Sequence[Axis]) -> list[str]:
    """Return what axes sweep: not their names, which follow from the results, nor samples, drawn on some machine."""
    return [
        json.dumps([list(axis.columns), len(axis)] if axis.name == SAMPLE else [axis.columns, axis.labels, axis.order])
        for axis in axes
    ]


def stored_axes(store: SweepStore) -> tuple[Axis, ...]:
    """Return the axes of a sweep in the order in which its points are numbered: the last varies fastest."""
    return tuple(
        Axis(
            axis["name"],
            {key: tuple(values) for key, values in axis["columns"].items()},
            tuple(axis.get("labels", ())),
            tuple(map(tuple, axis.get("order", ()))),
        )
        for axis in json.loads(store.attrs["axes"])
    )


def _bench_of(location: Location, created: str) -> Bench:
    key = (location, created)
    if key not in _bench:
        for earlier in _bench.values():
            earlier.shared.close()
        _bench.clear()
        store = SweepStore(location)
        if store.attrs["created"] != created:
            raise StoreError(f"expected the sweep that this work is for, found another: {location}; start it anew")
        _bench[key] = Bench(store, stored_sweep_workflow(store), stored_axes(store), store.template(), Shared())
    return _bench[key]


def _batch_of(bench: Bench, point: int) -> BatchResult:
    """Return the batch of a point as it stands; what is not computed yet is NaN."""
    store = bench.store
    start = point // store.batch * store.batch
    stop = min(start + store.batch, store.n_points)
    here, n = slice(start, stop), stop - start
    status = store.read(STATUS, here)
    if not status.any():
        values = {str(name): np.full((n, *array.shape), np.nan, array.dtype) for name, array in bench.template.items()}
        return BatchResult(start, stop, status, [""] * n, np.full(n, np.nan, np.float32), values)
    values = {str(name): store.read(str(name), here) for name in bench.template}
    errors = [str(error) for error in store.read(ERROR, here)]
    return BatchResult(start, stop, status, errors, store.read(SECONDS, here), values)


def _compute(bench: Bench, point: int, own: OwnFunctions, result: BatchResult) -> tuple[str, str]:
    """Compute a point into its place of ``result``; return what went wrong, and what is to be noted beside a result."""
    values = values_at(bench.axes, point)
    sweep = bench.workflow.sweep
    assert sweep is not None
    for array in result.values.values():
        array[point - result.start] = np.nan
    try:
        results, note = _results(bench, values, sweep, own, point)
        found = fitted(results, bench.template)
    except _ReductionError as error:
        return _said(error.error), ""
    except TwinbrainError as error:
        # Where runs are kept, a store that cannot be written stops all.
        if isinstance(error, RunInterrupted) or (isinstance(error, StoreError) and sweep.keep_runs):
            raise
        return _said(error), ""
    except Exception as error:
        return _said(error), ""
    for name, value in found.items():
        result.values[name][point - result.start] = value
    return "", note


class _ReductionError(Exception):
    """Holds what a reduction raised, which is never more than a fault of its point."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _said(error: Exception) -> str:
    """Return an error as it is kept: what is no text in UTF-8, such as the name of a file, is written out."""
    try:
        text = str(error)
    except Exception as another:  # a class of a user's
        text = f"(its text is not to be had: {type(another).__name__})"
    said = f"{type(error).__name__}: {text}"
    if not isinstance(error, TwinbrainError):  # a fault of ours or of a user's function: where it happened helps
        frame = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{said} ({frame.name}, {frame.filename}:{frame.lineno})"
    return said.encode("utf-8", "backslashreplace").decode()


def _results(
    bench: Bench, values: dict[str, Any], sweep: Sweep, own: OwnFunctions, point: int
) -> tuple[dict[str, xr.DataArray], str]:
    kept = run_location(bench.store.location, point) if sweep.keep_runs else None
    if bench.workflow.train is not None:
        return train_point(bench.workflow, values, kept, own.tasks), ""
    check_reductions(sweep.reduce, own.reductions)
    if kept is None:
        run = run_point(bench.workflow, values, bench.shared, shown=bool(own.reductions))
    else:
        run = keep_point(bench.workflow, values, kept)
    note = json.loads(run.attrs["breakdown"])["text"] if "breakdown" in run.attrs else ""
    try:
        return reduce_run(run, sweep.reduce, own.reductions), note
    except RunInterrupted:
        raise
    except Exception as error:
        raise _ReductionError(error) from error


def run_location(location: Location, point: int) -> Location:
    """Return where the run of a point is kept."""
    return location.child(RUNS).child(f"{point:06d}.zarr")
