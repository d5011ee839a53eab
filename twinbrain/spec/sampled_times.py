"""Times that samples have as labels, held against how far apart these are said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.spec.plain_array import plain_array, told_unit
from twinbrain.spec.plain_labels import are_texts

_ROOM = 0.1  # for times in single precision, as a share of the interval


def since_first(times: NDArray[Any]) -> NDArray[Any]:
    """Return times as they are counted from the first, in a type that is wide enough for that.

    Parameters
    ----------
    times : ndarray
        Numbers, or times of NumPy; at least one.
    """
    wide = {"i": np.int64, "u": np.int64, "f": np.float64}.get(times.dtype.kind, times.dtype)
    times = times.astype(wide)
    return np.asarray(times - times[0])


def go_alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two rows of times go up equally, one as the other, wherever each begins.

    Parameters
    ----------
    one, other : ndarray
        Of one length.
    """
    if not any(one.dtype.kind in kinds and other.dtype.kind in kinds for kinds in ("iuf", "mM")):
        return False
    rows = [since_first(times) for times in (one, other)]
    rows = [row / np.timedelta64(1, "ns") if row.dtype.kind == "m" else row for row in rows]
    apart = rows[0][-1] / max(len(one) - 1, 1)
    even = np.arange(len(one)) * apart
    return len(one) == 1 or (apart > 0 and all(bool((np.abs(row - even) <= _ROOM * apart).all()) for row in rows))


def refuse_other_times(array: Any, dim: str, interval: float, name: str) -> None:
    """Refuse times along a dimension that are not as far apart as an interval says; without a unit, unequally far.

    Parameters
    ----------
    array : array_like
        As `with_dims` returned it.
    dim : str
        Along which the samples are.
    interval : float (ms)
        From one to the next.
    name : str
        What the interval is called, for a message.

    Raises
    ------
    SpecError
        If there are such, or they are in a unit that is none of time.
    """
    if not isinstance(array, xr.DataArray) or dim not in array.dims or array.sizes[dim] < 2:
        return
    for own in _times_along(array, dim):
        has_unit = own.dtype.kind in "mM" or bool(told_unit(own.attrs))
        since = xr.DataArray(since_first(own.values), attrs=own.attrs)
        times = plain_array(since, "ms" if has_unit else "1", f"times along {dim}")
        apart = interval if has_unit else times[-1] / (len(times) - 1)
        if (np.abs(times - np.arange(len(times)) * apart) > _ROOM * apart).any():
            steps = np.diff(times)
            raise SpecError(
                f"expected samples as far apart along {dim} as {name} says, {interval:g} ms, or without a unit equally "
                f"far, found {steps.mean():g}{' ms' * has_unit} on average, from {steps.min():g} to {steps.max():g}; "
                f"correct {name}, sample it anew (.interp of xarray), or give .values, which are taken by their places"
            )


def _times_along(array: xr.DataArray, dim: str) -> list[xr.DataArray]:
    """Return the labels of a dimension that are times or numbers; where these have no unit, what else is in time too.

    Raises
    ------
    SpecError
        If labels are neither these nor names.
    """
    beside = [coord for name, coord in array.coords.items() if name != dim and coord.dims == (dim,) and _is_time(coord)]
    if dim not in array.coords:
        return beside
    own = array[dim]
    if own.dtype.kind not in "iufmM" and not are_texts(own.values):
        raise SpecError(
            f"expected times as labels along {dim}, found {own.values[0]!r}, which is none; label it by times alone, "
            "or give .values, which are taken by their places"
        )
    if own.dtype.kind in "mM" or told_unit(own.attrs):
        return [own]
    return [own, *beside] if own.dtype.kind in "iuf" else beside


def _is_time(coord: xr.DataArray) -> bool:
    try:
        return coord.dtype.kind in "mM" or (
            coord.dtype.kind in "iuf" and units.number(f"1 {told_unit(coord.attrs)}", "ms") > 0
        )
    except UnitError:
        return False
