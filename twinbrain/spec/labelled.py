"""Arrays whose dimensions have names or labels, as those of xarray and pandas; without them, places count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import xarray as xr
from numpy.typing import NDArray

from twinbrain.errors import SpecError

_UNNAMED = re.compile(r"dim_\d+")  # as xarray calls them


def with_dims(value: Any, dims: Sequence[str], what: str, *, labels_tell: bool = False) -> Any:
    """Return an array with its dimensions in the order that is wanted, where it names them.

    Parameters
    ----------
    value : array_like
        Of xarray, or of pandas, whose names of rows and columns count where they differ; all else is returned as it is.
    dims : sequence of str
        The names, in the order in which an array without names has them.
    what : str
        What it is, for a message.
    labels_tell : bool
        Whether the labels tell the dimensions apart, so that pandas may call them by other names, such as ``"roi"``.
        Those of a single dimension may always be called so.

    Returns
    -------
    array_like
        Of an array with names or labels, an `xarray.DataArray` of these dimensions, with its labels.

    Raises
    ------
    SpecError
        If it has other names, since they may mean another order.
    """
    array = _of_pandas(value, dims, labels_tell or len(dims) == 1) if _is_of_pandas(value) else value
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


def counts_places(labels: NDArray[Any]) -> bool:
    """Return whether labels are whole numbers that count from 0, as pandas gives them where there are none."""
    return labels.dtype.kind in "iu" and labels.tolist() == list(range(len(labels)))


def _is_of_pandas(value: Any) -> bool:
    return hasattr(value, "axes") and hasattr(value, "iloc")


def _of_pandas(value: Any, dims: Sequence[str], renamed: bool) -> xr.DataArray:
    """Return a Series or a DataFrame, with the names of its axes, or those alone that are wanted."""
    given = [
        None if axis.name in (None, "") or (renamed and axis.name not in dims) else axis.name for axis in value.axes
    ]
    names = [f"dim_{place}" if name is None else str(name) for place, name in enumerate(given)]
    if len(set(names)) < len(names):  # as where rows and columns are both called "region"
        names = [f"dim_{place}" for place in range(len(names))]
    coords = {name: axis.to_numpy() for name, axis in zip(names, value.axes, strict=True)}
    return xr.DataArray(value.to_numpy(), coords, names, attrs=dict(value.attrs))
