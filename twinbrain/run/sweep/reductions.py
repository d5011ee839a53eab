"""Reductions: what is kept of a point, computed beside its simulation."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.indexes import PandasMultiIndex

from twinbrain import analysis
from twinbrain.errors import Problem, SpecError, UnitError
from twinbrain.functions import ending_refused
from twinbrain.run.sweep.keepable import keepable
from twinbrain.spec.plain_array import numbers_and_unit, plain_array
from twinbrain.spec.suggest import suggestion
from twinbrain.store.sweep import RESERVED
from twinbrain.units import familiar

Reduction = Callable[..., Any]
"""Takes a run, and options if need be; returns a number, a DataArray or a Dataset, of one shape for every point."""

# Up to it every whole number is a float.
_LARGEST = 2**53

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
    given: str | Reduction | Iterable[str | Reduction] | Mapping[str, Mapping[str, Any] | Reduction],
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Reduction]]:
    """Return the names of reductions with their options, and a user's own functions among them.

    Parameters
    ----------
    given : str, callable, iterable or mapping
        Names and functions; or names to options, or to functions.

    Raises
    ------
    SpecError
        If a function has no name of its own, or one is given as something else.
    """
    if isinstance(given, str) or callable(given):
        given = [given]
    if not isinstance(given, Iterable):
        raise SpecError(f"reduce: expected names of analyses and functions, found {given!r}; give a list of them")
    items = list(given.items()) if isinstance(given, Mapping) else [(_name_of(item), item) for item in given]
    names = [name for name, _ in items]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise SpecError(f"reduce: {repeated!r} is given twice; give one of them another name: reduce={{'name': ...}}")
    for name, item in items:
        if not (isinstance(item, str | Mapping) or callable(item)):
            raise SpecError(f"reduce: expected options of {name!r} as a table, or a function, found {item!r}")
    own = {name: item for name, item in items if callable(item)}
    declared = {name: item if isinstance(item, Mapping) else {} for name, item in items}
    return declared, own


def check_reductions(declared: Mapping[str, Mapping[str, Any]], own: Mapping[str, Reduction]) -> None:
    """Check that every reduction that is declared is known, and takes its options.

    Raises
    ------
    SpecError
        With every one that is not.
    """
    problems = []
    for name, options in declared.items():
        if name not in LIBRARY and name not in own:
            message = f"unknown reduction {name!r}; {suggestion(name, [*LIBRARY, *own])}; or give a function of yours"
        elif name in LIBRARY and name in own:
            message = "expected another name for a function of yours, found that of an analysis; give it one of its own"
        elif not re.fullmatch(r"\w[\w.-]*", name) or name in RESERVED:
            message = f"expected a name that can be an array's beside {', '.join(RESERVED)}; give it another"
        elif unfit := _unfit(own.get(name) or LIBRARY[name], options):
            message = unfit
        else:
            continue
        problems.append(Problem(f"sweep.reduce.{name}", message))
    if problems:
        raise SpecError(problems)


def _unfit(function: Reduction, options: Mapping[str, Any]) -> str:
    """Return what is wrong with the options of a function (``""``: nothing)."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # of some that are not written in Python
        return ""
    try:
        signature.bind(None, **options)
    except TypeError as error:
        return f"expected a function of a run, and options that it has, found {error}; it takes {signature}"
    return ""


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
        floats, NaN where there is none; those of quantities in the unit that is told in ``attrs["units"]``.

    Raises
    ------
    SpecError
        If one does not return numbers, or numbers that no float is, or two results have one name.
    """
    parts = {}
    for name, tree in alone(run, declared, own):
        try:
            with warnings.catch_warnings():
                # A mean of nothing is NaN, which is what the result says too.
                warnings.simplefilter("ignore", RuntimeWarning)
                parts[name] = _reduced(tree, name, own.get(name) or LIBRARY[name], declared[name])
        except SpecError as error:
            raise error.within(f"sweep.reduce.{name}") from None
    return joined({name: parts[name] for name in declared})


def joined(parts: Mapping[str, Mapping[str, xr.DataArray]]) -> dict[str, xr.DataArray]:
    """Return the results of all reductions, whose names have to differ.

    Raises
    ------
    SpecError
        If two are called alike.
    """
    found: dict[str, xr.DataArray] = {}
    for name, results in parts.items():
        for key, array in results.items():
            if key in found:
                raise SpecError(
                    f"sweep.reduce.{name}: expected results with names of their own, found a second {key!r} (one of a "
                    f"Dataset is called '{name}_<variable>'); give the function or the variable another name"
                )
            found[key] = array
    return found


def alone(run: xr.DataTree, names: Iterable[str], own: Mapping[str, Reduction]) -> Iterator[tuple[str, xr.DataTree]]:
    """Yield each reduction with the run as it was, whatever a user's functions write into theirs.

    Ours, which write nothing, come first; the last function takes the run itself, so that one alone costs no copy.
    """
    names = sorted(names, key=lambda name: name in own)
    for place, name in enumerate(names):
        copied = name in own and place < len(names) - 1
        yield name, run.copy(deep=True) if copied else run


def _reduced(run: xr.DataTree, name: str, function: Reduction, options: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    with ending_refused(name):
        value = function(run, **options)
    parts = {f"{name}_{key}": part for key, part in value.items()} if isinstance(value, xr.Dataset) else {name: value}
    found = {}
    for key, part in parts.items():
        array = _array(part)
        if array.dtype.kind not in "fiub" or (array.ndim and not isinstance(part, xr.DataArray)):
            raise SpecError(
                "expected a number, a DataArray or a Dataset of numbers, found "
                f"{type(part).__name__} of {array.dtype}; return one of these"
            )
        if array.dtype.kind in "iu" and ((array.values > _LARGEST) | (array.values < -_LARGEST)).any():
            raise SpecError(
                f"expected whole numbers up to 2**53, since what is kept are floats, found {key!r} with larger ones, "
                "which would be rounded; return what is left of them, such as a difference or a share"
            )
        if array.dtype.itemsize > 8:
            raise SpecError(
                f"expected floats of at most 64 bits, found {key!r} of {array.dtype}, which would be rounded; return "
                "np.float64(...)"
            )
        # A run without spikes, which says what of type each is, may well give a truth value where others give a number.
        found[key] = array.astype(np.float32 if array.dtype in (np.float16, np.float32) else np.float64, copy=False)
        if function is LIBRARY.get(name):
            # The window that it tells is this point's; at others, of another duration, it may be another.
            for told in ("start", "stop"):
                found[key].attrs.pop(told, None)
    return found


def _array(value: Any) -> xr.DataArray:
    """Return a result as an array of its own numbers: what comes next may write into those of the run."""
    array = value.compute().copy(deep=True) if isinstance(value, xr.DataArray) else None
    given = value if array is None else array.data
    if own := numbers_and_unit(given)[1]:
        # Through arithmetic xarray keeps the unit of one array, which is none of the result's.
        if array is not None and (told := array.attrs.get("units")) is not None:
            raise SpecError(
                f"expected a unit once, found {told!r} as the attribute units beside a quantity in {own!r}; drop what "
                "does not hold, such as what xarray keeps of an array that was multiplied: array.drop_attrs(deep=False)"
            )
        try:
            unit = familiar(own)  # in which quantities of all points are, whatever each is given in
        except UnitError as error:
            raise SpecError(f"expected a quantity in a unit such as ms, found one in {own!r}{error}") from None
        numbers = plain_array(given, unit, "numbers")
        array = xr.DataArray(numbers) if array is None else array.copy(data=numbers)
        return array.assign_attrs(units=unit)
    if array is not None:
        return array
    # NaN where it is masked, as xarray makes of masked arrays.
    if isinstance(value, np.ma.MaskedArray) and value.dtype.kind in "fiub":
        value = np.ma.filled(value.astype(np.float64), np.nan)
    try:
        return xr.DataArray(np.array(value))
    except (ValueError, TypeError, RuntimeError):  # of a DataTree, or rows of unequal length
        raise SpecError(
            f"expected a number, a DataArray or a Dataset of numbers, found {type(value).__name__}; return one of these"
        ) from None


def template_of(results: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Return the dataset whose variables the results of a point fill.

    Its coordinates are those of every point: those of dimensions, and texts along them. Dimensions of one name but of
    other coordinates, and other texts of one name, take the name of the reduction before theirs.

    Raises
    ------
    SpecError
        If a result is called as something else in a sweep, has other texts of one name along a dimension than another
        or names that are those of another with its own before them, or could not be read again as it was.
    """
    known = {*RESERVED, *(str(key) for array in results.values() for key in (*array.dims, *array.coords))}
    for name, array in results.items():
        if taken := [*({name} & known), *({*array.dims, *array.coords} & {*RESERVED})]:
            raise SpecError(
                f"sweep.reduce.{name}: expected names of its own, found {str(taken[0])!r}, which means something "
                "else in the result of a sweep; give it another"
            )
    found = xr.Dataset()
    for name, array in results.items():
        _refuse_levels(name, array)
        # What a result was selected at is told by its function, and may differ between points.
        new = array.drop_vars(
            [key for key, c in array.coords.items() if key not in array.dims and not (c.dims and c.dtype.kind in "UT")]
        )
        new = _named_apart(new, name, found, {*known, *results})
        known.update(map(str, new.coords), map(str, new.dims))
        found = found.merge(new.rename(name), join="exact", compat="override")
    return keepable(found)


def _named_apart(new: xr.DataArray, name: str, found: xr.Dataset, taken: Set[str]) -> xr.DataArray:
    """Return a result whose dimensions and texts are called otherwise where those of another are called so."""
    known = {*found.dims, *found.coords}
    clashing = {
        str(dim): f"{name}_{dim}"
        for dim in new.dims
        if dim in known and not (dim in new.coords and new.indexes[dim].equals(found.indexes.get(dim)))
    }
    _refuse_taken(name, clashing, taken)
    new = new.rename(clashing)
    same = [key for key in new.coords if key in known and key not in new.dims]
    other = [key for key in same if not new[key].variable.equals(found[key].variable)]
    for key in other:
        if {*new[key].dims} & {*found[key].dims}:  # of which it would be the second label
            raise SpecError(
                f"sweep.reduce.{name}: expected texts {str(key)!r} along {', '.join(map(str, new[key].dims))} as "
                "those of another result, found others; give them a name of their own, or select the same"
            )
    apart = {str(key): f"{name}_{key}" for key in other}
    _refuse_taken(name, apart, taken)
    return new.drop_vars({*same} - {*other}).rename(apart)


def _refuse_taken(name: str, renamed: Mapping[str, str], taken: Set[str]) -> None:
    """Refuse new names of dimensions and texts that something else has, which would be taken for the same."""
    for key, given in renamed.items():
        if given in taken:
            raise SpecError(
                f"sweep.reduce.{name}: expected {key!r} as in another result, or nothing else called {given!r}, as it "
                "would be here, found neither; give it a name of its own"
            )


def _refuse_levels(name: str, array: xr.DataArray) -> None:
    """Refuse an index of several levels, which no array is, and of which xarray drops all if one level is dropped."""
    for dim in map(str, array.dims):
        if isinstance(array.xindexes.get(dim), PandasMultiIndex):
            raise SpecError(
                f"sweep.reduce.{name}: expected one coordinate a dimension, found several levels of {dim!r}; unstack "
                f"it, or give it one: .reset_index({dim!r}, drop=True)"
            )


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
