"""Which conditions are of one task, and so can be held against each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.errors import LearnError

TASK = "task_name"
"""Variable of an opened sweep of trainings: the name of each point's task, which stays with it in `xarray.concat`."""

SHARE = "label_share"
"""Variable of such a sweep: the share of the labels on which each point was trained."""

_KEYS = (("train", "task"), ("train", "task", "name"))
_KEYS_OF_SHARE = (("train", "labels"),)


def groups_of_tasks(comparison: xr.Dataset) -> NDArray[np.int64]:
    """Return for each condition the number of its task; conditions of one number can be held against each other.

    Those are of one task whose ``task`` (condition) and whose ``chance`` (condition, seed) agree, as far as they are
    there; where nothing is known of chance, as of what failed, it agrees with any.

    Parameters
    ----------
    comparison : xarray.Dataset
        See `twinbrain.analysis.compare`.
    """
    n = comparison.sizes["condition"]
    task = comparison["task"].values.tolist() if "task" in comparison else [""] * n
    chance = np.full((n, 1), np.nan)
    if "chance" in comparison:
        chance = comparison["chance"].transpose("condition", ...).values.reshape(n, -1).astype(np.float64)
    first: list[int] = []  # of each group a condition, one whose chance is known where there is one
    number = np.zeros(n, np.int64)
    for i in sorted(range(n), key=lambda i: bool(np.isnan(chance[i]).all())):
        alike = (k for k, j in enumerate(first) if task[i] == task[j] and _agree(chance[i], chance[j]))
        number[i] = next(alike, len(first))
        if number[i] == len(first):
            first.append(i)
    return number


def tasks_of(sweep: xr.Dataset) -> xr.DataArray:
    """Return the name of the task of each point of a sweep of trainings, as far as the sweep tells it, else ""."""
    if TASK in sweep.variables:
        # Sweeps that were put together have the spec of the first alone.
        return sweep[TASK].astype(object).where(sweep[TASK].notnull(), "").broadcast_like(sweep["status"])
    spec = json.loads(sweep.attrs.get("spec", "{}"))
    return _told(sweep, _KEYS, _name((spec.get("train") or {}).get("task")), _name)


def shares_of(sweep: xr.Dataset) -> xr.DataArray:
    """Return the share of the labels on which each point of a sweep of trainings is trained, as far as it tells."""
    if SHARE in sweep.variables:
        return sweep[SHARE].broadcast_like(sweep["status"])
    spec = json.loads(sweep.attrs.get("spec", "{}"))
    return _told(sweep, _KEYS_OF_SHARE, float((spec.get("train") or {}).get("labels", 1.0)), float).astype(np.float64)


def _told(
    sweep: xr.Dataset, keys: Sequence[tuple[str, ...]], default: object, read: Callable[[Any], object]
) -> xr.DataArray:
    """Return for each point what a sweep gives one of some keys, at its axes or in its cases."""
    from twinbrain.spec.keys import full_key  # takes half a second, which plots of runs need not wait for

    spec = json.loads(sweep.attrs.get("spec", "{}"))
    points = sweep["status"]
    found = xr.DataArray(np.full(points.shape, default, object), dims=points.dims)
    for coord in sweep.coords.values():
        if coord.attrs.get("key") and tuple(full_key(coord.attrs["key"])) in keys:
            found = _along(coord, [read(value) for value in coord.values.ravel()]).broadcast_like(found)
    cases = [str(case) for case in sweep["case"].values.ravel()] if "case" in sweep.coords else []
    for case, values in spec.get("sweep", {}).get("cases", {}).items():
        for value in (read(value) for key, value in values.items() if tuple(full_key(key)) in keys):
            if case in cases:
                found = found.where(_along(sweep["case"], [each != case for each in cases]).astype(bool), value)
    return found


def task_of_all(tasks: xr.DataArray) -> str:
    """Return the name of the task that trainings of one condition share; "" where it is unknown.

    Raises
    ------
    LearnError
        If they are of several.
    """
    names = sorted({*tasks.values.ravel().tolist()} - {""})
    if len(names) > 1:
        found = " and ".join(map(repr, names))
        raise LearnError(
            f"expected seeds, and amounts of labels, of one task in a condition, found {found}; put sweeps of several "
            "tasks together along 'case', with names of cases that differ"
        )
    return str(names[0]) if names else ""


def _along(coord: xr.DataArray, values: list[Any]) -> xr.DataArray:
    return xr.DataArray(np.array(values, object).reshape(coord.shape), dims=coord.dims)


def _agree(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    known = np.isfinite(one) & np.isfinite(other)
    return bool(np.isclose(one[known], other[known], rtol=0, atol=1e-9).all())


def _name(task: object) -> str:
    """Return the name of a task that is declared as a name, a table, or a table as text."""
    if isinstance(task, str) and task.startswith("{"):
        task = json.loads(task)
    return str(task.get("name", "")) if isinstance(task, dict) else str(task or "")
