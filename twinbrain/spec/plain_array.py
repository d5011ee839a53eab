"""Arrays as people give them, as plain ones: with their units converted, and with nothing masked."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.spec.decoded import decoded
from twinbrain.spec.labelled import is_labelled

# What NumPy takes as it stands; a time is a number of NumPy, too, but one with a unit.
_PLAIN = (bool, int, float, complex, str, bytes, np.generic)
_TIMES = {"m": "minute", "h": "hour", "D": "day", "W": "week"} | {unit: unit for unit in ("s", "ms", "us", "ns", "ps")}
# What people write as the unit of what has none.
_NO_UNIT = {"-", "a.u.", "arb. units", "arbitrary units", "au", "fraction", "n/a", "none", "normalised", "normalized"}
_NO_UNIT |= {"probability", "streamline count", "streamlines", "unitless"}
_POWER = re.compile(r"(?<=[^\W\d_])([-+]?\d+)\b")


def plain_array(value: Any, unit: str = "1", what: str = "an array of numbers") -> NDArray[Any]:
    """Return what is given as an array as a plain one of NumPy, with what carries a unit in the one that is wanted.

    Parameters
    ----------
    value : array_like
        Of NumPy, pandas, xarray (with its unit in ``attrs["units"]``, or ``"unit"``), Dask or torch, a quantity of
        brian2, pint, astropy, unyt or quantities, a time of NumPy, a masked array in which nothing is masked, or a list
        of any of them, where these have neither labels nor names of dimensions. Numbers without a unit are taken to be
        in the one that is wanted.
    unit : str
        Which one that is; ``"1"`` is none, and beside numbers so are texts such as "a.u." and "streamlines".
    what : str
        What is expected, for a message.

    Returns
    -------
    ndarray
        Of any type and shape, and maybe of the memory of what is given.

    Raises
    ------
    SpecError
        If a part is masked, a unit is of another dimension, or stands beside what is no number or has another, an array
        in a list has labels or names of dimensions, cells hold lists or arrays, `decoded` refuses it, or it is none.
    """
    try:
        array = _array(value, unit, what)
    except SpecError:
        raise
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:  # of rows of unequal length, among others
        raise SpecError(f"expected {what}, found a {type(value).__name__} ({error})") from None
    if array.dtype.kind == "O" and not array.ndim:
        raise SpecError(f"expected {what}, found a {type(value).__name__}")
    return array


def _array(value: Any, unit: str, what: str) -> NDArray[Any]:
    if isinstance(value, list | tuple):
        if not all(_is_plain(kind) for kind in set(map(type, value))):
            value = [item if _is_plain(type(item)) else decoded(item, what) for item in value]
            if any(map(is_labelled, value)):
                raise SpecError(
                    f"expected {what}, found a list of arrays with labels, or names of dimensions, "
                    "which may mean another order; put them together into one (xarray.concat, pandas.concat), or give "
                    "the .values of each, which are taken by their places"
                )
            value = [item if _is_plain(type(item)) else _array(item, unit, what)[()] for item in value]
        return np.array(value)
    if isinstance(value, Mapping | Set):
        raise SpecError(f"expected {what}, found a {type(value).__name__}, which has no order")
    value = decoded(value, what)
    _refuse_masked(value, what)
    value, own = numbers_and_unit(value, what)
    array = np.asanyarray(value.detach().cpu() if hasattr(value, "detach") else value)
    _refuse_masked(array, what)
    array = np.asarray(array)
    if array.dtype.kind == "O" and array.ndim:  # of cells that NumPy has no type for, such as quantities
        cells = array.ravel().tolist()
        if any(map(is_row, cells)):  # taken as one column, they would lose the dimension that each has of its own
            raise SpecError(
                f"expected {what}, found lists or arrays in the cells of another; give numbers in them, or a list of "
                "rows, such as [np.ravel(cell) for cell in np.ravel(cells)]"
            )
        array = _array(cells, unit, what).reshape(array.shape)
    if array.dtype.kind == "m":
        array, own = _in_its_unit(array, what)
    return array if own is None or own == unit else _converted(array, own, unit, what)


def is_row(cell: Any) -> bool:
    """Return whether a cell of an array is itself a list, or an array of any dimension."""
    return isinstance(cell, list | tuple) or getattr(cell, "ndim", 0) > 0


def _is_plain(kind: type) -> bool:
    return issubclass(kind, _PLAIN) and not issubclass(kind, np.timedelta64)


def _refuse_masked(value: Any, what: str) -> None:
    """Refuse masked numbers, of NumPy and of astropy, before they are taken as plain ones, which have no mask."""
    if isinstance(value, np.ndarray) and (n := np.count_nonzero(getattr(value, "mask", False))):
        raise SpecError(
            f"expected {what}, found {n} masked; fill in (.filled) what should stand there, or leave them out"
        )


def numbers_and_unit(value: Any, what: str = "numbers") -> tuple[Any, str | None]:
    """Return the numbers of a quantity, and their unit as text; None where it carries none."""
    if hasattr(getattr(value, "dim", None), "get_dimension"):  # of brian2, whose numbers are in SI
        return np.asarray(value), str(value.dim)
    if isinstance(attributes := getattr(value, "attrs", None), Mapping):  # of xarray and pandas
        inner, own = numbers_and_unit(value.data, what) if isinstance(value, xr.DataArray) else (value, None)
        told = told_unit(attributes, what)
        if own and told and not are_alike(own, told):
            raise SpecError(f"expected {what} in one unit, found {told!r} beside numbers in {own!r}; correct the units")
        return inner, told or own
    if hasattr(value, "magnitude") and hasattr(value, "units"):  # of pint, and of quantities, which neo has
        return value.magnitude, _text(getattr(value.dimensionality, "string", str(value.units)))
    if isinstance(value, np.ndarray):  # of astropy, and of unyt
        return value, _text(getattr(value, "unit", getattr(value, "units", None)))
    if isinstance(value, datetime.timedelta):
        return value.total_seconds(), "s"
    return value, None


def told_unit(attributes: Mapping[Any, Any], what: str = "numbers") -> str | None:
    """Return the unit that is told beside numbers, under ``units`` or, as a text, ``unit``, in capitals or not.

    Raises
    ------
    SpecError
        If there are two, which differ.
    """
    given = {str(key): attributes[key] for key in attributes if str(key).lower() in ("unit", "units")}
    # A number called unit is that of a neuron, as sorters of spikes have them.
    told = [_text(value) for key, value in given.items() if key == "units" or _is_text(value)]
    found = sorted((text for text in told if text is not None), key=bool, reverse=True)  # empty ones come last
    if other := next((text for text in found[1:] if text and not are_alike(found[0], text)), None):
        raise SpecError(f"expected {what} in one unit, found {found[0]!r} and {other!r}; correct the units")
    return found[0] if found else None


def _is_text(value: Any) -> bool:
    return isinstance(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value, str | bytes)


def _text(units: Any) -> str | None:
    """Return a unit as text, which files of HDF5 may hold as bytes, or as the one element of an array.

    Powers may stand as in "mm2" of netCDF and astropy, or "mm²" of pint.
    """
    units = units.item() if isinstance(units, np.ndarray) and units.size == 1 else units
    units = units.decode(errors="replace") if isinstance(units, bytes) else units
    return None if units is None else _POWER.sub(r"^\1", unicodedata.normalize("NFKC", str(units)).replace("·", "*"))


def _in_its_unit(array: NDArray[Any], what: str) -> tuple[NDArray[Any], str]:
    """Return times of NumPy as numbers of a unit."""
    name, count = np.datetime_data(array.dtype)
    if name not in _TIMES or np.isnat(array).any():
        found = "times that are none (NaT)" if name in _TIMES else f"times of type {array.dtype}"
        raise SpecError(f"expected {what}, found {found}; give numbers")
    return array.astype(np.int64) * count, _TIMES[name]


def _converted(array: NDArray[Any], own: str, unit: str, what: str) -> NDArray[Any]:
    try:
        factor = _factor(own, unit)
    except UnitError:
        if unit == "1" and own.strip().casefold() in _NO_UNIT:
            return array
        wanted = "without a unit" if unit == "1" else f"in {unit}"
        raise SpecError(f"expected {what} {wanted}, found some in {own!r}; convert them, or give numbers") from None
    if factor == 1:
        return array
    if array.dtype.kind not in "uif":
        raise SpecError(f"expected {what}, found {array.dtype} beside the unit {own!r}; give real numbers, or no unit")
    wide = array.astype(np.float64) if array.dtype == np.float16 else array  # which ends at 65504
    # To as many digits as numbers with a unit are read, so that 200 pF in SI are 200 again.
    cells = [float(f"{number:.15g}") for number in (wide * factor).ravel().tolist()]
    return np.array(cells, np.float64).reshape(array.shape)


def are_alike(one: str, other: str) -> bool:
    """Return whether two units are one, whatever they are called."""
    try:
        return _factor(one, other) == 1
    except UnitError:
        return False


@lru_cache(1000)
def _factor(own: str, unit: str) -> float:
    return units.number(1.0 if own == "1" else f"1 {own}", unit)
