"""What is given of the regions of a connectome, as plain arrays in the order of their labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinbrain.errors import ConnectomeError, SpecError
from twinbrain.files import number
from twinbrain.spec.labelled import counts_places, refuse_disorder, with_dims
from twinbrain.spec.plain_array import plain_array

_HEMISPHERES = ("left", "right", "")
AXES = ["x", "y", "z"]
# Dimensions and unit of each variable, in the order of the digest.
VARIABLES = {
    "weight": (("target", "source"), "1"),
    "length": (("target", "source"), "mm"),
    "centroids": (("region", "axis"), "mm"),
    "hemisphere": (("region",), ""),
    "cortical": (("region",), ""),
    "area": (("region",), "mm^2"),
}


def places_of(index: ArrayLike, labels: list[str]) -> NDArray[np.intp]:
    """Return the indices of regions that are given as such, or by a mask."""
    given = _plain("index", index)
    if given.dtype.kind == "b":
        given = np.flatnonzero(
            _shaped("index", _plain("index", along_labels("index", index, labels)), (len(labels),), labels)
        )
    elif given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        found = "texts; select takes labels" if given.dtype.kind in "SUT" else f"{given.dtype} of shape {given.shape}"
        raise ConnectomeError(f"expected indices of regions, or for each region true or false, found {found}")
    for place in given.tolist():
        if not -len(labels) <= place < len(labels):
            raise ConnectomeError(f"expected indices of {len(labels)} regions, from 0 on, found {place}")
    chosen = given.astype(np.intp) % len(labels)
    if len(twice := np.flatnonzero(np.bincount(chosen) > 1)):
        raise ConnectomeError(f"expected each region once, found index {twice[0]} ({labels[twice[0]]!r}) twice")
    return chosen


def along_labels(key: str, value: Any, labels: list[str]) -> Any:
    """Return a variable with its regions in the order of ``labels``, wherever it has labels of its own."""
    dims = VARIABLES[key][0] if key in VARIABLES else ("region",)
    of_pairs = dims[0] == "target"
    try:
        array = with_dims(value, dims, key, labels_tell=not of_pairs)
    except SpecError as error:
        raise ConnectomeError(str(error)) from None
    if not isinstance(array, xr.DataArray) or array.dims != dims:
        return array
    orders = {
        dim: None
        if dim not in array.coords
        else _order_of(array[dim].values, labels, f"{dim!r} of {key}", dim == "axis")
        for dim in dims
    }
    known = {dim: order for dim, order in orders.items() if order is not None}
    moved = [dim for dim, order in known.items() if order != sorted(order)]
    if of_pairs and moved and len(known) == 1:
        (other,) = {*dims} - {*moved}
        raise ConnectomeError(
            f"expected labels of regions along {other!r} of {key}, too, found some along {moved[0]!r} alone, in "
            f"another order than the regions have; label both, or give its .values, which are taken by their places"
        )
    return array.isel(known)


def _order_of(labels: NDArray[Any], regions: list[str], where: str, of_axes: bool) -> list[int] | None:
    """Return where each of the labels that are wanted is among those that an array has; None if they count places."""
    own, wanted = texts_of(labels, where), regions
    if of_axes:
        own, wanted = [label.lower() for label in own], AXES
    if sorted(own) == sorted(wanted):
        if own != wanted and counts_places(labels):
            raise ConnectomeError(
                f"expected the regions along {where} by their labels, found the numbers 0 to {len(own) - 1}, which may "
                "be labels or places, since regions are called so in another order; give the labels as texts, or its "
                ".values, which are taken by their places"
            )
        place = {label: i for i, label in enumerate(own)}
        return [place[label] for label in wanted]
    if own == [str(place) for place in range(len(wanted))]:
        return None
    what = "x, y and z" if of_axes else "the regions of the labels"
    raise ConnectomeError(
        f"expected {what} along {where}, found others, or some twice; select the same along each, or give its .values, "
        "which are taken by their places"
    )


def texts_of(labels: Iterable[Any], where: str) -> list[str]:
    """Return labels as texts, from texts, bytes and whole numbers.

    Raises
    ------
    ConnectomeError
        If one is something else, such as a missing one, or bytes that are no UTF-8.
    """
    texts = []
    for label in labels:
        try:
            text = label.decode() if isinstance(label, bytes) else label
        except UnicodeDecodeError:
            text = None
        if not isinstance(text, str | int | np.integer) or isinstance(text, bool):
            raise ConnectomeError(
                f"expected texts or whole numbers as labels along {where}, found {label!r}; give each region a label "
                "that is one"
            )
        texts.append(str(text))
    return texts


def in_order(labels: Iterable[Any]) -> list[Any]:
    """Return labels as a list.

    Raises
    ------
    ConnectomeError
        If they have no order, as those of a set, or another than the rows of a table of pandas that they are of; or if
        they are no labels at all.
    """
    if isinstance(labels, set | frozenset | Mapping) or not iterates(labels):
        raise ConnectomeError(f"expected labels in the order of the rows, as a list, found a {type(labels).__name__}")
    dims = getattr(labels, "dims", ("region",))  # one dimension may have any name
    try:
        refuse_disorder(with_dims(labels, dims, "names of regions"), dims, "names of regions")
    except SpecError as error:
        raise ConnectomeError(str(error)) from None
    return listed(labels)


def listed(labels: Iterable[Any]) -> list[Any]:
    """Return labels as a list, and as texts what a file held as bytes."""
    labels = labels.values.tolist() if isinstance(labels, xr.DataArray | xr.Variable) else labels
    return [_decoded(label) if isinstance(label, bytes) else label for label in labels]


def _decoded(label: bytes) -> str | bytes:
    """Return a text that a file held as bytes; what is none is left to who looks at labels."""
    try:
        return label.decode()
    except UnicodeDecodeError:
        return label


def iterates(value: object) -> bool:
    """Return whether something has items; an array of no dimension is called iterable, and is not."""
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0


def distinct_labels(labels: Iterable[str]) -> list[str]:
    """Return labels as a list of texts, each once; see `Connectome`."""
    names = in_order(labels)
    seen: set[str] = set()
    for i, label in enumerate(names):
        if not isinstance(label, str) or not label or not label.isprintable() or label != label.strip():
            raise ConnectomeError(f"expected a printable text without blanks around it as label {i}, found {label!r}")
        if label == "*":  # alone as a key it would mean this region, where everyone means all
            raise ConnectomeError(f"expected another label than '*', which stands for all, found it as {i}; rename it")
        if (shown := unicodedata.normalize("NFC", label)) in seen:  # two forms look the same everywhere
            raise ConnectomeError(f"expected labels that differ, found {label!r} twice, again at {i}; rename one")
        seen.add(shown)
    if not names:
        raise ConnectomeError("expected at least one region, found no labels")
    return names


def _shaped(key: str, array: NDArray[Any], shape: tuple[int, ...], labels: list[str]) -> NDArray[Any]:
    if len(shape) == 2 and shape[0] == shape[1] and (array.ndim != 2 or array.shape[0] != array.shape[1]):
        raise ConnectomeError(f"expected {key} as a square matrix [target, source], found shape {array.shape}")
    if array.shape != shape:
        raise ConnectomeError(
            f"expected {key} of shape {shape} for {len(labels)} labels, found {array.shape}; "
            f"give each region one label and one entry"
        )
    return array


def _plain(key: str, value: Any) -> NDArray[Any]:
    unit = VARIABLES[key][1] if key in VARIABLES else ""
    try:
        return plain_array(value, unit or "1", f"{key} as numbers" if unit else f"{key} as a list")
    except SpecError as error:
        raise ConnectomeError(str(error)) from None


def numbers_of(key: str, value: ArrayLike, shape: tuple[int, ...], labels: list[str]) -> NDArray[np.float64]:
    """Return a variable as finite numbers in its unit and of a shape."""
    dims = VARIABLES[key][0]
    given = _plain(key, value)
    if given.dtype.kind in "cM":
        raise ConnectomeError(f"expected {key} as real numbers, found {given.dtype.name}; give the part that counts")
    try:
        if given.dtype.kind in "SUTO":  # texts among them, which are numbers of the digits 0 to 9
            cells = [cell.decode() if isinstance(cell, bytes) else cell for cell in given.ravel().tolist()]
            cells = [number(cell) if isinstance(cell, str) else cell for cell in cells]
            given = np.reshape(cells, given.shape)
        array = np.array(given, dtype=np.float64) + 0.0  # -0.0 becomes 0.0, so that equal weights digest alike
    except (TypeError, ValueError, OverflowError) as error:
        raise ConnectomeError(f"expected {key} as numbers, found a {type(value).__name__} ({error})") from None
    _shaped(key, array, shape, labels)
    faults = ~np.isfinite(array) if key == "centroids" else ~np.isfinite(array) | (array < 0)
    if faults.any():
        first = tuple(int(i) for i in np.argwhere(faults)[0])
        regions = {"target": labels, "source": labels, "region": labels, "axis": AXES}
        where = ", ".join(f"{dim}={regions[dim][i]!r}" for dim, i in zip(dims, first, strict=True))
        wanted = "finite" if key == "centroids" else "finite and not negative"
        raise ConnectomeError(
            f"expected {key} {wanted}, found {array[first]} at {where} ({faults.sum()} such in all); "
            f"put 0 where there is no connection"
            if dims[0] == "target"
            else f"expected {key} {wanted}, found {array[first]} at {where}; correct it, or leave {key} out"
        )
    return array


def hemispheres_of(value: ArrayLike, labels: list[str]) -> NDArray[np.str_]:
    """Return for each region ``"left"``, ``"right"`` or ``""``."""
    array = _shaped("hemisphere", np.array(_plain("hemisphere", value).tolist(), np.str_), (len(labels),), labels)
    for label, word in zip(labels, array.tolist(), strict=True):
        if word not in _HEMISPHERES:
            raise ConnectomeError(f"expected hemisphere 'left', 'right' or '', found {word!r} at region={label!r}")
    return array


def flags_of(value: ArrayLike, labels: list[str]) -> NDArray[np.bool_]:
    """Return for each region whether it is cortical."""
    array = _shaped("cortical", _plain("cortical", value), (len(labels),), labels)
    for label, flag in zip(labels, array.tolist(), strict=True):
        if not isinstance(flag, bool | int | float) or flag not in (0, 1):
            raise ConnectomeError(f"expected cortical as true or false, found {flag!r} at region={label!r}")
    return array.astype(np.bool_)
