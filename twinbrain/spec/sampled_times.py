"""Times that samples have as labels, held against how far apart these are said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.plain_array import plain_array

_ROOM = 0.1  # for times in single precision, as a share of the interval


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
    if not isinstance(array, xr.DataArray) or dim not in array.coords or array.sizes[dim] < 2:
        return
    own = array[dim]
    if own.dtype.kind not in "iufmM":
        return
    has_unit = own.dtype.kind in "mM" or bool(own.attrs.get("units"))
    since = xr.DataArray(own.values - own.values[0], attrs=own.attrs)
    times = plain_array(since, "ms" if has_unit else "1", f"times along {dim}")
    apart = interval if has_unit else times[-1] / (len(times) - 1)
    if (np.abs(times - np.arange(len(times)) * apart) > _ROOM * apart).any():
        steps = np.diff(times)
        raise SpecError(
            f"expected samples as far apart along {dim} as {name} says, {interval:g} ms, or without a unit equally "
            f"far, found {steps.mean():g}{' ms' * has_unit} on average, from {steps.min():g} to {steps.max():g}; "
            f"correct {name}, sample it anew (.interp of xarray), or give .values, which are taken by their places"
        )
