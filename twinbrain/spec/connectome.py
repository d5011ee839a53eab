"""The connectome: which region reaches which, how strongly, and how far away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NoReturn, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.spec.labels import matching
from twinbrain.spec.of_regions import (
    AXES,
    VARIABLES,
    along_labels,
    distinct_labels,
    flags_of,
    hemispheres_of,
    iterates,
    listed,
    numbers_of,
    places_of,
    texts_of,
)
from twinbrain.spec.plain_text import check_text
from twinbrain.spec.suggest import nearest

_DIMS = ("target", "source", "region", "axis")


class Connectome:
    """Weights and tract lengths among regions, immutable; always ``weight[target, source]``.

    What has labels of its own, names or numbers, in xarray or pandas, is brought into the order of ``labels``; an index
    that counts from 0 on is no label where no region is called so. A matrix has labels of its own along both of its
    dimensions, or has its regions in the order of ``labels``. Units that arrays carry are converted; what is masked is
    refused, and so are arrays of Zarr, HDF5 and netCDF whose dimensions have names: open their files with xarray.

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
        names = distinct_labels(labels)
        n = len(names)
        given: list[Any] = [
            None if value is None else along_labels(key, value, names)
            for key, value in zip(VARIABLES, (weight, length, centroids, hemisphere, cortical, area), strict=True)
        ]
        weight, length, centroids, hemisphere, cortical, area = given
        fields: dict[str, NDArray[Any] | None] = {
            "weight": numbers_of("weight", weight, (n, n), names),
            "length": numbers_of("length", length, (n, n), names),
            "centroids": None if centroids is None else numbers_of("centroids", centroids, (n, 3), names),
            "hemisphere": None if hemisphere is None else hemispheres_of(hemisphere, names),
            "cortical": None if cortical is None else flags_of(cortical, names),
            "area": None if area is None else numbers_of("area", area, (n,), names),
        }
        variables = {}
        for key, array in fields.items():
            if array is not None:
                array.flags.writeable = False
                dims, units = VARIABLES[key]
                variables[key] = (dims, array, {"units": units} if units else {})
        coords: dict[str, Any] = dict.fromkeys(("target", "source", "region"), names) | {"axis": AXES}
        coords = {dim: coords[dim] for dim in coords if any(dim in variable[0] for variable in variables.values())}
        attrs = {"name": str(name), "normalisation": str(normalisation)}
        for key, text in attrs.items():
            try:
                check_text(text)
            except ValueError as error:
                raise ConnectomeError(f"{key}: {error}") from None
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
        for key in VARIABLES:
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
        if not iterates(patterns):
            raise ConnectomeError(f"expected labels or patterns of them, found {patterns!r}")
        found: set[int] = set()
        for pattern in [patterns] if isinstance(patterns, str) else listed(patterns):
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
        return self.from_dataset(self._dataset.isel(dict.fromkeys(dims, places_of(index, self.labels))))

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
            If it is no dataset of xarray, a variable is missing, or what it holds cannot be right.
        """
        if not isinstance(dataset, xr.Dataset):
            raise ConnectomeError(
                f"expected a dataset of xarray, found a {type(dataset).__name__}; open its file with xarray "
                "(xarray.open_zarr, xarray.open_dataset)"
            )
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
    # As texts, so that numbers are known for labels here.
    own = {
        dim: texts_of(coord.values, f"{dim!r} of the dataset")
        for dim, coord in dataset.coords.items()
        if dim in _DIMS and coord.dims == (dim,)
    }
    if "target" not in own:
        raise ConnectomeError(
            "expected labels along the targets of the weight, found a single target; select it as a list"
        )
    dataset, labels = dataset.assign_coords(own), own["target"]
    found = {key: along_labels(key, dataset[key], labels) for key in VARIABLES if key in dataset}
    return (
        # Without labels of their own, since others may be given.
        {key: array.drop_vars(list(array.coords)) for key, array in found.items()}
        | {"labels": labels}
        | {
            key: text.decode() if isinstance(text := dataset.attrs[key], bytes) else text
            for key in ("name", "normalisation")
            if key in dataset.attrs
        }
    )


def _near(pattern: str, labels: tuple[str, ...]) -> list[str]:
    folded = {label.casefold(): label for label in labels}
    near = nearest(pattern.strip("*?").casefold(), folded, n=5, cutoff=0.4)
    return [folded[name] for name in near] or list(labels[:5])
