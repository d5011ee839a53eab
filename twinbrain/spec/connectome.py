"""The connectome: which region reaches which, how strongly, and how far away."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NoReturn, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinbrain.errors import ConnectomeError, SpecError
from twinbrain.files import number
from twinbrain.spec.labelled import with_dims
from twinbrain.spec.labels import matching
from twinbrain.spec.plain_array import plain_array
from twinbrain.spec.suggest import nearest

_HEMISPHERES = ("left", "right", "")
_AXES = ["x", "y", "z"]
# Dimensions and unit of each variable, in the order of the digest.
_VARIABLES = {
    "weight": (("target", "source"), "1"),
    "length": (("target", "source"), "mm"),
    "centroids": (("region", "axis"), "mm"),
    "hemisphere": (("region",), ""),
    "cortical": (("region",), ""),
    "area": (("region",), "mm^2"),
}


class Connectome:
    """Weights and tract lengths among regions, immutable; always ``weight[target, source]``.

    What has labels of its own, names or numbers, in xarray or pandas, is brought into the order of ``labels``; an index
    that counts from 0 on is no label where no region is called so.

    Parameters
    ----------
    weight : array_like, shape (target, source)
        Strength of the connection from the source (column) to the target (row), not negative.
    length : array_like, shape (target, source), mm
        Length of the tract, not negative.
    labels : sequence of str, shape (region,)
        Name of each region, no two alike.
    centroids : array_like, shape (region, 3), mm, optional
    hemisphere : sequence of {"left", "right", ""}, shape (region,), optional
        ``""`` for a region of neither side.
    cortical : array_like of bool, shape (region,), optional
    area : array_like, shape (region,), mm^2, optional
    name : str, optional
        What to call it; not part of the digest.
    normalisation : str, optional
        How the weights were normalised.

    Raises
    ------
    ConnectomeError
        If a matrix is not square, shapes disagree, a number is negative or not finite, labels repeat, or an array has
        labels of other regions, or dimensions of other names.
    """

    _dataset: xr.Dataset
    _labels: tuple[str, ...]

    def __init__(
        self,
        weight: ArrayLike,
        length: ArrayLike,
        labels: Iterable[str],
        *,
        centroids: ArrayLike | None = None,
        hemisphere: ArrayLike | None = None,
        cortical: ArrayLike | None = None,
        area: ArrayLike | None = None,
        name: str = "",
        normalisation: str = "none",
    ) -> None:
        names = _labels(labels)
        n = len(names)
        given: list[Any] = [
            None if value is None else _along(key, value, names)
            for key, value in zip(_VARIABLES, (weight, length, centroids, hemisphere, cortical, area), strict=True)
        ]
        weight, length, centroids, hemisphere, cortical, area = given
        fields: dict[str, NDArray[Any] | None] = {
            "weight": _numbers("weight", weight, (n, n), names),
            "length": _numbers("length", length, (n, n), names),
            "centroids": None if centroids is None else _numbers("centroids", centroids, (n, 3), names),
            "hemisphere": None if hemisphere is None else _words(hemisphere, names),
            "cortical": None if cortical is None else _flags(cortical, names),
            "area": None if area is None else _numbers("area", area, (n,), names),
        }
        variables = {}
        for key, array in fields.items():
            if array is not None:
                array.flags.writeable = False
                dims, units = _VARIABLES[key]
                variables[key] = (dims, array, {"units": units} if units else {})
        coords: dict[str, Any] = dict.fromkeys(("target", "source", "region"), names) | {"axis": _AXES}
        coords = {dim: coords[dim] for dim in coords if any(dim in variable[0] for variable in variables.values())}
        attrs = {"name": str(name), "normalisation": str(normalisation)}
        self.__dict__.update(_dataset=xr.Dataset(variables, coords, attrs), _labels=tuple(names))

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a connectome is immutable; write connectome.replace({name}=...)")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dataset, (self.to_dataset(),)

    @property
    def dataset(self) -> xr.Dataset:
        """All of it as a dataset; the arrays are shared and read-only."""
        return self._dataset.copy()

    @property
    def weight(self) -> xr.DataArray:
        """Strengths ``[target, source]``."""
        return self.dataset["weight"]

    @property
    def length(self) -> xr.DataArray:
        """Tract lengths ``[target, source]`` in mm."""
        return self.dataset["length"]

    @property
    def labels(self) -> list[str]:
        """Names of the regions, in the order of the matrices."""
        return list(self._labels)

    @property
    def centroids(self) -> xr.DataArray | None:
        """Centres of the regions ``[region, axis]`` in mm, or None."""
        return self.dataset.get("centroids")

    @property
    def hemisphere(self) -> xr.DataArray | None:
        """``"left"``, ``"right"`` or ``""`` of each region, or None."""
        return self.dataset.get("hemisphere")

    @property
    def cortical(self) -> xr.DataArray | None:
        """Whether each region is cortex, or None."""
        return self.dataset.get("cortical")

    @property
    def area(self) -> xr.DataArray | None:
        """Surface area of each region in mm^2, or None."""
        return self.dataset.get("area")

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self._labels)

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self._dataset.attrs["name"])

    @property
    def normalisation(self) -> str:
        """How the weights were normalised."""
        return str(self._dataset.attrs["normalisation"])

    @cached_property
    def digest(self) -> str:
        """The sha256 of everything but the name."""
        sha = hashlib.sha256(json.dumps([self.normalisation, self.labels]).encode())
        for key in _VARIABLES:
            sha.update(f"|{key}|".encode())
            if key in self._dataset:
                array = self._dataset[key].values
                text = array.dtype.kind == "U"
                sha.update(json.dumps(array.tolist()).encode() if text else array.astype("<f8").tobytes())
        return sha.hexdigest()

    def match(self, patterns: str | Iterable[str]) -> NDArray[np.intp]:
        """Return the indices, ascending, of the regions whose label matches any of the patterns.

        Parameters
        ----------
        patterns : str or iterable of str
            Labels, or shell patterns such as ``"l*"``; case matters, and what is a label means that label alone.

        Raises
        ------
        ConnectomeError
            If a pattern matches no label, or is no text.
        """
        if not _iterates(patterns):
            raise ConnectomeError(f"expected labels or patterns of them, found {patterns!r}")
        found: set[int] = set()
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if not isinstance(pattern, str):
                raise ConnectomeError(f"expected labels or patterns of them, found {pattern!r} among them")
            wanted = set(matching(pattern, self._labels))
            hits = {i for i, label in enumerate(self._labels) if label in wanted}
            if not hits:
                raise ConnectomeError(
                    f"expected labels that match {pattern!r}, found none among the {self.n_regions} of "
                    f"{self.name or 'the connectome'}; near: {', '.join(_near(pattern, self._labels))}"
                )
            found |= hits
        return np.array(sorted(found), dtype=np.intp)

    def select(self, patterns: str | Iterable[str]) -> Self:
        """Return the part among the regions that `match`, in the order of this connectome."""
        return self.at(self.match(patterns))

    def at(self, index: ArrayLike) -> Self:
        """Return the part among the regions of these indices, in their order, or among those where a mask is true.

        Parameters
        ----------
        index : array_like of int, or of bool of shape (region,)
            Numbers of regions, from 0 on, or below 0 from the last; or for each region whether it is taken, such as
            `cortical`.

        Raises
        ------
        ConnectomeError
            If it is neither, or there is no such region, or one is named twice.

        Examples
        --------
        >>> cortex = connectome.at(connectome.cortical)
        """
        dims = set(self._dataset.dims) & {"target", "source", "region"}
        return self.from_dataset(self._dataset.isel(dict.fromkeys(dims, _places(index, self.labels))))

    def replace(self, **changes: Any) -> Self:
        """Return a copy in which the given arguments of the constructor are changed.

        Raises
        ------
        ConnectomeError
            If one of them cannot be; or if weights whose logarithm was taken are replaced, and ``normalisation`` does
            not tell whether it was of the new ones.
        """
        new = type(self)(**(_arguments(self._dataset) | changes))
        unsaid = "normalisation" not in changes and "log" in self.normalisation.split("+")
        if unsaid and not np.array_equal(new.weight.values, self.weight.values):
            raise ConnectomeError(
                f"expected the normalisation of the new weights beside them, since that of those they replace is "
                f"{self.normalisation!r}, and a logarithm cannot be told from weights; add normalisation='none', or "
                f"{self.normalisation!r} if it is theirs, too"
            )
        return new

    def to_dataset(self) -> xr.Dataset:
        """Return a dataset that any store can hold, from which `from_dataset` makes an equal connectome."""
        texts = {key: variable for key, variable in self._dataset.variables.items() if variable.dtype.kind == "U"}
        return self._dataset.assign({key: text.astype(np.dtypes.StringDType()) for key, text in texts.items()})

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Self:
        """Return the connectome that `to_dataset` made into ``dataset``.

        Raises
        ------
        ConnectomeError
            If a variable is missing, or what it holds cannot be right.
        """
        for key in ("weight", "length"):
            if key not in dataset:
                found = ", ".join(map(str, dataset.data_vars)) or "none"
                raise ConnectomeError(f"expected a variable {key!r} in the dataset, found {found}; add it")
        return cls(**_arguments(dataset))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Connectome):
            return NotImplemented
        return self.name == other.name and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        n_connections = np.count_nonzero(self.weight)
        name = f"{self.name!r}, " if self.name else ""
        return f"Connectome({name}{self.n_regions} regions, {n_connections} connections, {self.normalisation!r})"

    def _repr_html_(self) -> str:
        from twinbrain.spec.connectome_html import connectome_html

        return connectome_html(self)


def _arguments(dataset: xr.Dataset) -> dict[str, Any]:
    if "target" not in dataset["weight"].coords:
        raise ConnectomeError("expected labels as the coordinate 'target' of the weight, found none; assign them")
    labels = [str(label) for label in dataset["target"].values]
    found = {key: _along(key, dataset[key], labels) for key in _VARIABLES if key in dataset}
    return (
        # Without labels of their own, since others may be given.
        {key: array.drop_vars(list(array.coords)) for key, array in found.items()}
        | {"labels": labels}
        | {key: dataset.attrs[key] for key in ("name", "normalisation") if key in dataset.attrs}
    )


def _places(index: ArrayLike, labels: list[str]) -> NDArray[np.intp]:
    """Return the indices of regions that are given as such, or by a mask."""
    given = _plain("index", index)
    if given.dtype.kind == "b":
        given = np.flatnonzero(
            _shaped("index", _plain("index", _along("index", index, labels)), (len(labels),), labels)
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


def _along(key: str, value: Any, labels: list[str]) -> Any:
    """Return a variable with its regions in the order of ``labels``, wherever it has labels of its own."""
    dims = _VARIABLES[key][0] if key in _VARIABLES else ("region",)
    try:
        array = with_dims(value, dims, key)
    except SpecError as error:
        raise ConnectomeError(str(error)) from None
    if not isinstance(array, xr.DataArray) or array.dims != dims:
        return array
    for dim in dims:
        if dim in array.coords:
            own = array[dim].values
            numbered = own.dtype.kind in "iu" and own.tolist() == list(range(len(own)))
            order = _order_of([str(label) for label in own], labels, f"{dim!r} of {key}", dim == "axis", numbered)
            array = array.isel({dim: order})
    return array


def _order_of(own: list[str], labels: list[str], where: str, of_axes: bool, numbered: bool) -> list[int]:
    """Return where each of the labels that are wanted is among those that an array has."""
    own, wanted = ([label.lower() for label in own], _AXES) if of_axes else (own, labels)
    if sorted(own) == sorted(wanted):
        place = {label: i for i, label in enumerate(own)}
        return [place[label] for label in wanted]
    if numbered:
        return list(range(len(own)))
    what = "x, y and z" if of_axes else "the regions of the labels"
    raise ConnectomeError(
        f"expected {what} along {where}, found others, or some twice; select the same along each, or give its .values, "
        "which are taken by their places"
    )


def in_order(labels: Iterable[Any]) -> list[Any]:
    """Return labels as a list.

    Raises
    ------
    ConnectomeError
        If they have no order, as those of a set, or are no labels at all.
    """
    if isinstance(labels, set | frozenset | Mapping) or not _iterates(labels):
        raise ConnectomeError(f"expected labels in the order of the rows, as a list, found a {type(labels).__name__}")
    return list(labels)


def _iterates(value: object) -> bool:
    """Return whether something has items; an array of no dimension is called iterable, and is not."""
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0


def _labels(labels: Iterable[str]) -> list[str]:
    names = in_order(labels)
    seen: set[str] = set()
    for i, label in enumerate(names):
        if not isinstance(label, str) or not label or not label.isprintable() or label != label.strip():
            raise ConnectomeError(f"expected a printable text without blanks around it as label {i}, found {label!r}")
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
    unit = _VARIABLES[key][1] if key in _VARIABLES else ""
    try:
        return plain_array(value, unit or "1", f"{key} as numbers" if unit else f"{key} as a list")
    except SpecError as error:
        raise ConnectomeError(str(error)) from None


def _numbers(key: str, value: ArrayLike, shape: tuple[int, ...], labels: list[str]) -> NDArray[np.float64]:
    dims = _VARIABLES[key][0]
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
        regions = {"target": labels, "source": labels, "region": labels, "axis": _AXES}
        where = ", ".join(f"{dim}={regions[dim][i]!r}" for dim, i in zip(dims, first, strict=True))
        wanted = "finite" if key == "centroids" else "finite and not negative"
        raise ConnectomeError(
            f"expected {key} {wanted}, found {array[first]} at {where} ({faults.sum()} such in all); "
            f"put 0 where there is no connection"
            if dims[0] == "target"
            else f"expected {key} {wanted}, found {array[first]} at {where}; correct it, or leave {key} out"
        )
    return array


def _words(value: ArrayLike, labels: list[str]) -> NDArray[np.str_]:
    array = _shaped("hemisphere", np.array(_plain("hemisphere", value).tolist(), np.str_), (len(labels),), labels)
    for label, word in zip(labels, array.tolist(), strict=True):
        if word not in _HEMISPHERES:
            raise ConnectomeError(f"expected hemisphere 'left', 'right' or '', found {word!r} at region={label!r}")
    return array


def _flags(value: ArrayLike, labels: list[str]) -> NDArray[np.bool_]:
    array = _shaped("cortical", _plain("cortical", value), (len(labels),), labels)
    for label, flag in zip(labels, array.tolist(), strict=True):
        if not isinstance(flag, bool | int | float) or flag not in (0, 1):
            raise ConnectomeError(f"expected cortical as true or false, found {flag!r} at region={label!r}")
    return array.astype(np.bool_)


def _near(pattern: str, labels: tuple[str, ...]) -> list[str]:
    folded = {label.casefold(): label for label in labels}
    near = nearest(pattern.strip("*?").casefold(), folded, n=5, cutoff=0.4)
    return [folded[name] for name in near] or list(labels[:5])
