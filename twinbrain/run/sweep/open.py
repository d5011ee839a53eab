"""Open a sweep as the grid that its axes span."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.same_task import SHARE, TASK, shares_of, tasks_of
from twinbrain.run.sweep.task import stored_axes
from twinbrain.spec.axes import Axis
from twinbrain.store import Location
from twinbrain.store.damage import reading
from twinbrain.store.root import KEY, SWEEP
from twinbrain.store.sweep import DONE, ERROR, PENDING, POINT, SECONDS, STATUS, SweepStore

_SHOWN = ("workflow", "twinbrain_version", "digest", "spec")


def open_sweep(path: str | Path | Location) -> xr.Dataset:
    """Return a sweep, lazily: results are loaded as they are used.

    Parameters
    ----------
    path : str or Path
        The sweep, such as ``"runs/coupling.zarr"``; also while it is running.

    Returns
    -------
    xarray.Dataset
        One dimension a swept key, named by its last part, with its values and their unit. Results are NaN where
        ``status`` is not 1 (done); 2 is failed, and ``error`` says why. Of trainings, ``task_name`` tells the task,
        and ``label_share`` on which share of the labels each was trained.

    Raises
    ------
    StoreError
        If there is none, or of another version.
    """
    location = Location.of(path)
    with reading(location, KEY, SWEEP.name):
        return _opened(location, SweepStore(location))


def _opened(location: Location, store: SweepStore) -> xr.Dataset:
    axes = stored_axes(store)
    flat = store.dataset()
    names = [str(name) for name, array in flat.variables.items() if array.dims == (POINT,) and "axis" in array.attrs]
    # Read here, not on the workers of a client that may be there.
    coordinates = {name: _along(store.read(name), flat[name].attrs, axes) for name in names}
    # What a kill left of results, or a point that failed when it was computed anew, does not count.
    for name in json.loads(store.attrs["shapes"]):
        flat[name] = flat[name].where(flat[STATUS] == DONE)
    flat[SECONDS] = flat[SECONDS].where(flat[STATUS] != PENDING)
    flat[ERROR] = flat[ERROR].where(flat[STATUS] != PENDING, "")
    grid = xr.Dataset(
        {name: _spread(array, axes) for name, array in flat.data_vars.items() if name not in names},
        coords={
            name: xr.Variable(array.dims, _texts_as_objects(store.read(str(name))), array.attrs)
            for name, array in flat.coords.items()
            if name not in names
        }
        | coordinates,
        attrs={key: store.attrs[key] for key in _SHOWN},
    )
    grid[ERROR] = grid[ERROR].astype(object)
    if json.loads(grid.attrs["spec"]).get("train"):
        grid[TASK] = tasks_of(grid).astype(np.str_)
        grid[SHARE] = shares_of(grid)
    grid = grid.transpose(*store.attrs["dims"], ...)
    grid.encoding["source"] = str(location.absolute())
    return grid


def _texts_as_objects(values: NDArray[Any]) -> NDArray[Any]:
    """Return texts as objects: xarray puts NaN beside these alone, where it selects, aligns or fills."""
    return values.astype(object) if values.dtype.kind == "T" else values


def _spread(array: xr.DataArray, axes: tuple[Axis, ...]) -> Any:
    """Return an array over points as one over the axes."""
    if POINT not in array.dims:
        return array.variable
    shape = (*(len(axis) for axis in axes), *array.shape[1:])
    dims = (*(axis.name for axis in axes), *map(str, array.dims[1:]))
    return xr.Variable(dims, array.data.reshape(shape), array.attrs)


def _along(values: NDArray[Any], attributes: dict[str, Any], axes: tuple[Axis, ...]) -> xr.Variable:
    """Return a coordinate over points as one along its axis."""
    grid = values.reshape([len(axis) for axis in axes])
    place: list[Any] = [slice(None) if axis.name == attributes["axis"] else 0 for axis in axes]
    told = _texts_as_objects(grid[tuple(place)])
    return xr.Variable(attributes["axis"], told, {k: v for k, v in attributes.items() if k != "axis"})
