"""Arrays whose dimensions have names or labels, as those of xarray and pandas; without them, places count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.spec.decoded import decoded
from twinbrain.spec.plain_labels import are_texts, ascend, plain_labels

_UNNAMED = re.compile(r"dim_\d+")  # as xarray calls them
_IN_TIME = frozenset(("frame", "step", "time"))
_NEVER_IN_TIME = frozenset(("channel", "feature", "neuron", "output"))


def with_dims(
    value: Any, dims: Sequence[str], what: str, *, alone: str | None = None, labels_tell: bool = False
) -> Any:
    """Return an array with its dimensions in the order that is wanted, where it names them.

    Parameters
    ----------
    value : array_like
        Of xarray, or of pandas, whose names of rows and columns count where they differ; all else is returned as
        `decoded` has it.
    dims : sequence of str
        The names, in the order in which an array without names has them.
    what : str
        What it is, for a message.
    alone : str, optional
        The one of them that an array of a single dimension has, where there may be such.
    labels_tell : bool
        Whether the labels tell the dimensions apart, so that pandas may call them by other names, such as ``"roi"``.
        Those of a single dimension may always be called so.

    Returns
    -------
    array_like
        Of an array with names or labels, an `xarray.DataArray` of these dimensions, with its labels, as `plain_labels`
        has them.

    Raises
    ------
    SpecError
        If it has other names, since they may mean another order, or `decoded` refuses it.
    """
    array = value = decoded(value, what)
    if is_of_pandas(value):
        array = _of_pandas(value, dims, renamed=labels_tell or value.ndim == 1)
    if not isinstance(array, xr.DataArray):
        return array
    array = _with_plain_labels(array)
    dims = (alone,) if alone is not None and array.ndim == 1 else dims
    if array.ndim != len(dims):
        return array  # who knows the shape that is wanted refuses another one
    if set(array.dims) == set(dims):
        return array.transpose(*dims)
    places = zip(array.dims, dims, strict=True)
    if not all(own == wanted or _UNNAMED.fullmatch(str(own)) for own, wanted in places):
        raise SpecError(
            f"expected {what} along {', '.join(dims)}, found dimensions called {', '.join(map(str, array.dims))}; "
            "rename them, or give .values, which are taken by their places"
        )
    called = dict(zip(array.dims, dims, strict=True))
    timed = {wanted for own, wanted in called.items() if own in array.coords and array[own].dtype.kind in "mM"}
    never = _NEVER_IN_TIME | ({"trial"} if _IN_TIME & {*dims} and not _IN_TIME & timed else set())
    if wrong := sorted(never & timed):
        raise SpecError(
            f"expected {what} along {', '.join(dims)}, found times as labels along {wrong[0]}; transpose it (.T), or "
            "give .values, which are taken by their places"
        )
    coords = {
        name: (dim, coord.values, coord.attrs)
        for own, coord in array.coords.items()
        if coord.ndim == 1 and ((name := called.get(own, own)) == (dim := called[coord.dims[0]]) or name not in dims)
    }
    return xr.DataArray(array.data, coords, dims, attrs=array.attrs)


def refuse_disorder(array: Any, dims: Sequence[str], what: str) -> None:
    """Refuse labels that are no names, and do not ascend along dimensions along which places count.

    Parameters
    ----------
    array : array_like
        As `with_dims` returned it.
    dims : sequence of str
    what : str
        What it is, for a message.

    Raises
    ------
    SpecError
        If there are such, since the order may be that of the labels, or that of the places; what cannot be compared
        does not ascend.
    """
    if not isinstance(array, xr.DataArray):
        return
    for dim in array.dims:
        if dim in dims and dim in array.coords and not ascend(own := array[dim].values) and not are_texts(own):
            raise SpecError(
                f"expected the labels of {what} along {dim} to ascend, or to be names, found others; select them in "
                f"order (as .sortby({dim!r}) of xarray does), or give .values, which are taken by their places"
            )


def refuse_other_labels(one: Any, other: Any, what: str, *, of_one_table: bool = False) -> None:
    """Refuse two lists that belong together by their places, where they have other labels than each other.

    Parameters
    ----------
    one, other : array_like
        Of one dimension, by whatever name.
    what : str
        What both are, for a message.
    of_one_table : bool
        Whether they may be different rows of one table of pandas, of which the numbers are no labels.

    Raises
    ------
    SpecError
        If they have, or the same in another order.
    """
    own, others = _labels_of(one), _labels_of(other)
    if own is None or others is None or (of_one_table and _are_other_rows(one, other)):
        return
    if differ(own, others):
        raise SpecError(
            f"expected {what} with the same labels, in the same order, found others; select the same of each, or give "
            ".values, which are taken by their places"
        )


def _labels_of(value: Any) -> NDArray[Any] | None:
    """Return the labels of an array of one dimension, if it has any."""
    if getattr(value, "ndim", None) != 1:
        return None
    if is_of_pandas(value):
        return plain_labels(value.axes[0])
    if isinstance(value, xr.DataArray) and value.dims[0] in value.coords:
        return plain_labels(value[value.dims[0]].to_index())
    return None


def _are_other_rows(one: Any, other: Any) -> bool:
    """Return whether both are rows of a column of a table of pandas, numbered as they come, and none is of both."""
    are_rows = all(
        is_of_pandas(column)
        and column.name not in (None, "")  # which a Series has not that was made of seeds and values
        and column.index.name in (None, "")
        and column.index.dtype.kind in "iu"
        for column in (one, other)
    )
    return are_rows and one.name == other.name and not np.isin(one.index.to_numpy(), other.index.to_numpy()).any()


def differ(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether labels are others; what counts from 0 has no labels, where those of the other are no numbers."""
    if np.array_equal(one, other):
        return False
    return not any(counts_places(a) and b.dtype.kind not in "iuf" for a, b in ((one, other), (other, one)))


def is_labelled(value: Any) -> bool:
    """Return whether an array has names of its dimensions, or labels along them."""
    if is_of_pandas(value):
        return any(axis.name not in (None, "") or not counts_places(plain_labels(axis)) for axis in value.axes)
    return isinstance(value, xr.DataArray) and any(
        not _UNNAMED.fullmatch(str(dim)) or (dim in value.coords and not counts_places(value[dim].values))
        for dim in value.dims
    )


def counts_places(labels: NDArray[Any]) -> bool:
    """Return whether labels are whole numbers that count from 0, as pandas gives them where there are none."""
    return labels.dtype.kind in "iu" and labels.tolist() == list(range(len(labels)))


def is_of_pandas(value: Any) -> bool:
    """Return whether something is a Series or a DataFrame; pandas is not imported to tell that."""
    return hasattr(value, "axes") and hasattr(value, "iloc")


def _with_plain_labels(array: xr.DataArray) -> xr.DataArray:
    """Return an array of xarray with those labels in types of NumPy that have one."""
    plain = {
        name: (coord.dims, labels, coord.attrs)
        for name, coord in array.coords.items()
        if coord.ndim == 1
        and (name in array.dims or name not in array.xindexes)  # as the levels of a MultiIndex are
        and coord.values.dtype.kind == "O"
        and (labels := plain_labels(coord.to_index())).dtype.kind != "O"
    }
    return array.assign_coords(plain)


def _of_pandas(value: Any, dims: Sequence[str], renamed: bool) -> xr.DataArray:
    """Return a Series or a DataFrame, with the names of its axes, or those alone that are wanted."""
    given = [
        None if axis.name in (None, "") or (renamed and axis.name not in dims) else axis.name for axis in value.axes
    ]
    names = [f"dim_{place}" if name is None else str(name) for place, name in enumerate(given)]
    if len(set(names)) < len(names):  # as where rows and columns are both called "region"
        names = [f"dim_{place}" for place in range(len(names))]
    coords = {name: plain_labels(axis) for name, axis in zip(names, value.axes, strict=True)}
    return xr.DataArray(value.to_numpy(), coords, names, attrs=dict(value.attrs))
