"""Reductions: what is kept of a point, computed beside its simulation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.errors import Problem, SpecError
from twinbrain.spec.base import suggestion

Reduction = Callable[[xr.DataTree], Any]
"""Takes a run, and returns a number, a DataArray or a Dataset, of the same shape for every point."""

LIBRARY: dict[str, Callable[..., xr.DataArray]] = {
    "mean_rates": analysis.mean_rates,
    "rates": analysis.rates,
    "cv_isi": analysis.cv_isi,
    "synchrony": analysis.synchrony,
    "fano_factor": analysis.fano_factor,
    "spectrum": analysis.spectrum,
    "functional_connectivity": analysis.functional_connectivity,
}


def split(
    given: Iterable[str | Reduction] | Mapping[str, Mapping[str, Any] | Reduction],
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Reduction]]:
    """Return the names of reductions with their options, and a user's own functions among them.

    Parameters
    ----------
    given : iterable or mapping
        Names and functions; or names to options, or to functions.

    Raises
    ------
    SpecError
        If a function has no name of its own.
    """
    items = given.items() if isinstance(given, Mapping) else [(_name_of(item), item) for item in given]
    own = {name: function for name, function in items if callable(function)}
    declared = {name: item if isinstance(item, Mapping) else {} for name, item in items}
    return declared, own


def check_reductions(declared: Mapping[str, Mapping[str, Any]], own: Mapping[str, Reduction]) -> None:
    """Check that every reduction that is declared is known.

    Raises
    ------
    SpecError
        With every one that is not.
    """
    if unknown := [name for name in declared if name not in LIBRARY and name not in own]:
        raise SpecError(
            Problem(
                f"sweep.reduce.{name}",
                f"unknown reduction {name!r}; {suggestion(name, [*LIBRARY, *own])}; "
                "or give a function of yours: reduce=[...]",
            )
            for name in unknown
        )


def reduce_run(
    run: xr.DataTree, declared: Mapping[str, Mapping[str, Any]], own: Mapping[str, Reduction]
) -> dict[str, xr.DataArray]:
    """Return all reductions of a run, in memory.

    Parameters
    ----------
    run : DataTree
        A run.
    declared : mapping of str to mapping
        Names of reductions and their options.
    own : mapping of str to callable
        A user's functions among them.

    Returns
    -------
    dict of str to DataArray
        One a reduction, of its name; of a Dataset, one a variable, named ``"<reduction>_<variable>"``. Numbers are
        floats, NaN where there is none.

    Raises
    ------
    SpecError
        If one does not return numbers.
    """
    found: dict[str, xr.DataArray] = {}
    for name, options in declared.items():
        with warnings.catch_warnings():
            # A mean of nothing is NaN, which is what the result says too.
            warnings.simplefilter("ignore", RuntimeWarning)
            value = own[name](run) if name in own else LIBRARY[name](run, **options)
            parts = (
                {f"{name}_{key}": array for key, array in value.items()}
                if isinstance(value, xr.Dataset)
                else {name: value}
            )
            for key, part in parts.items():
                array = part.load() if isinstance(part, xr.DataArray) else xr.DataArray(np.asarray(part))
                if array.dtype.kind not in "fiub" or (array.ndim and not isinstance(part, xr.DataArray)):
                    raise SpecError(
                        f"reduction {name}: expected a number, a DataArray or a Dataset of numbers, found "
                        f"{type(part).__name__} of {array.dtype}; return one of these"
                    )
                found[key] = array.astype(np.result_type(array.dtype, np.float32), copy=False)
    return found


def template_of(results: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Return the dataset whose variables the results of a point fill.

    Its coordinates are those of every point: those of dimensions, and texts along them. Dimensions of one name but of
    other coordinates take the name of the reduction before theirs.
    """
    found = xr.Dataset()
    for name, array in results.items():
        new = array.drop_vars(
            [key for key in array.coords if key not in array.dims and array[key].dtype.kind not in "UT"]
        )
        clashing = {
            str(dim): f"{name}_{dim}"
            for dim in new.dims
            if dim in found.dims and not (dim in new.coords and new.indexes[dim].equals(found.indexes.get(dim)))
        }
        new = new.rename(clashing).drop_vars([key for key in new.coords if key in found.coords and key not in new.dims])
        found = found.merge(new.rename(name), join="exact", compat="override")
    return found


def values_of(results: Mapping[str, xr.DataArray], template: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Return the numbers of a point's results, which have the shapes of the template.

    Raises
    ------
    SpecError
        If one has not.
    """
    found = {name: array.values for name, array in results.items()}
    shapes = {name: values.shape for name, values in found.items()}
    if shapes != template:
        differing = [name for name in {**template, **shapes} if shapes.get(name) != template.get(name)]
        raise SpecError(
            f"expected results of one shape at every point, found {differing[0]} of shape "
            f"{shapes.get(differing[0])} instead of {template.get(differing[0])}; sweep what keeps the populations and "
            "the duration, or reduce to what does not depend on them"
        )
    return found


def _name_of(function: Any) -> str:
    if isinstance(function, str):
        return function
    name = str(getattr(function, "__name__", ""))
    if not name.isidentifier():
        raise SpecError(
            f"reduce: expected names of reductions and functions with names, found {function!r}; "
            "give it a name: reduce={'my_name': function}"
        )
    return name
