"""Arrays whose dimensions have names or labels, as those of xarray and pandas; without them, places count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import xarray as xr

from twinbrain.errors import SpecError

_UNNAMED = re.compile(r"dim_\d+")  # as xarray calls them


def with_dims(value: Any, dims: Sequence[str], what: str) -> Any:
    """Return an array with its dimensions in the order that is wanted, where it names them.

    Parameters
    ----------
    value : array_like
        Of xarray, or of pandas, whose names of rows and columns count where they are among ``dims``; all else is
        returned as it is.
    dims : sequence of str
        The names, in the order in which an array without names has them.
    what : str
        What it is, for a message.

    Returns
    -------
    array_like
        Of an array with names or labels, an `xarray.DataArray` of these dimensions, with its labels.

    Raises
    ------
    SpecError
        If it has other names, since they may mean another order.
    """
    array = _of_pandas(value, dims) if hasattr(value, "axes") and hasattr(value, "iloc") else value
    if not isinstance(array, xr.DataArray) or array.ndim != len(dims):
        return array  # who knows the shape that is wanted refuses another one
    if set(array.dims) == set(dims):
        return array.transpose(*dims)
    places = zip(array.dims, dims, strict=True)
    if not all(own == wanted or _UNNAMED.fullmatch(str(own)) for own, wanted in places):
        raise SpecError(
            f"expected {what} along {', '.join(dims)}, found dimensions called {', '.join(map(str, array.dims))}; "
            "rename them, or give .values, which are taken by their places"
        )
    coords = {wanted: array[own].values for own, wanted in zip(array.dims, dims, strict=True) if own in array.coords}
    return xr.DataArray(array.data, coords, dims, attrs=array.attrs)


def _of_pandas(value: Any, dims: Sequence[str]) -> xr.DataArray:
    """Return a Series or a DataFrame; an index that counts rows from 0 is what one has that was given none."""
    names = [axis.name if axis.name in dims else f"dim_{place}" for place, axis in enumerate(value.axes)]
    if len(set(names)) < len(names):  # as where rows and columns are both called "region"
        names = [f"dim_{place}" for place in range(len(names))]
    coords = {}
    for name, axis in zip(names, value.axes, strict=True):
        labels = [str(label) for label in axis]
        if labels != [str(place) for place in range(len(labels))]:
            coords[name] = labels
    return xr.DataArray(value.to_numpy(), coords, names, attrs=dict(value.attrs))
