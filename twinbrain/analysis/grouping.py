"""Groups of neurons: by population, kind of population, region or family."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.tree import Columns, population_columns, populations, populations_of
from twinbrain.errors import SpecError
from twinbrain.spec.labels import matching
from twinbrain.spec.suggest import nearest, suggestion

By = Literal["population", "region", "kind", "family"]
"""``"kind"`` takes the populations of one name in all regions of a family together, as ``"cortex/pyr"``."""

Patterns = str | Iterable[str]
"""A name or a shell pattern such as ``"TM-*"``, or several."""


@dataclass(frozen=True)
class Grouping:
    """Which group each population belongs to.

    All who ask for the groups of a run share one, so its arrays are read-only; coordinates of results are among them.

    Parameters
    ----------
    dim : str
        Name of the dimension of groups.
    coords : dict
        Coordinates of the groups: their names, ``n_neurons``, and what all populations of a group share.
    index : numpy.ndarray of int, shape (population,)
        Group of each population.
    sizes : numpy.ndarray of int, shape (population,)
        Neurons of each population.
    """

    dim: str
    coords: dict[str, Any]
    index: NDArray[np.intp]
    sizes: NDArray[np.int64]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.coords[self.dim][1])

    @property
    def n_neurons(self) -> NDArray[np.int64]:
        """Number of neurons of each group."""
        return np.asarray(self.coords["n_neurons"][1])

    @property
    def of_neuron(self) -> NDArray[np.int32]:
        """Group of each neuron, shape (neuron,)."""
        return np.repeat(self.index.astype(np.int32), self.sizes)

    @cached_property
    def _labels(self) -> xr.Coordinates:
        return xr.Dataset(coords=self.coords).coords

    def mean_of_populations(self, values: xr.DataArray) -> xr.DataArray:
        """Return the mean over the populations of each group, weighted by their numbers of neurons.

        Parameters
        ----------
        values : xarray.DataArray, dims (..., population)
            May be lazy, and stays so.
        """
        if self.dim == "population":
            return values
        return xr.dot(values, xr.DataArray(self._shares, dims=("population", self.dim)), dim="population")

    def of_populations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same of plain numbers, one a population."""
        return values if self.dim == "population" else np.asarray(values @ self._shares)

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """Shares of populations in the means of groups, shape (population, group)."""
        shares = np.zeros((len(self.index), self.n_groups))
        shares[np.arange(len(self.index)), self.index] = self.sizes / self.n_neurons[self.index]
        return shares

    def mean_of_neurons(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the mean over the neurons of each group whose value is not NaN, and how many those are."""
        valid = ~np.isnan(values)
        of_neuron = self.of_neuron[valid]
        count = np.bincount(of_neuron, minlength=self.n_groups)
        total = np.bincount(of_neuron, values[valid], minlength=self.n_groups)
        return np.divide(total, count, out=np.full(self.n_groups, np.nan), where=count > 0), count

    def array(self, values: Any, *, long_name: str, units: str, **attrs: Any) -> xr.DataArray:
        """Return one value a group as a labelled array."""
        return xr.DataArray(values, self._labels, self.dim, attrs={"long_name": long_name, "units": units, **attrs})


def group_by(tree: xr.DataTree, by: By) -> Grouping:
    """Return the groups of a run, in the order in which their first neurons come.

    Raises
    ------
    SpecError
        If ``by`` is unknown.
    """
    if by not in get_args(By):
        raise SpecError(f"by: unknown group {by!r}; {suggestion(str(by), get_args(By))}")
    return _grouping(population_columns(tree), by)


@lru_cache(maxsize=16)  # each analysis asks anew, and so does each point of a sweep
def _grouping(columns: Columns, by: By) -> Grouping:
    table = populations_of(columns)
    if by == "population":
        keys = table["population"].values
    elif by == "kind":
        keys = np.array([f"{f}/{n}" for f, n in zip(table["family"].values, table["name"].values, strict=True)])
    else:
        keys = table[by].values
    first, index = in_order(keys)
    sizes = table["size"].values
    coords = {by: (by, keys[first]), "n_neurons": (by, np.bincount(index, sizes).astype(np.int64))}
    for column in ("region", "module", "family", "name", "transmitter"):
        values = table[column].values
        if column != by and (values == values[first][index]).all():
            coords[column] = (by, values[first])
    for array in (index, sizes, *(array for _, array in coords.values())):
        array.flags.writeable = False
    return Grouping(by, coords, index, sizes)


def in_order(keys: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first place of each key, and the number of each place's key, counted by first appearance."""
    _, first, index = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[index]


def select_populations(tree: xr.DataTree, region: Patterns = "*", population: Patterns = "*") -> NDArray[np.intp]:
    """Return the numbers of the populations that fit.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    region, population : str or iterable of str
        Patterns of region labels and of population names; case matters.

    Raises
    ------
    SpecError
        If a pattern fits nothing.
    """
    table = populations(tree)
    fits = _fits("region", region, table["region"].values)
    fits &= _fits("population", population, table["name"].values, fits)
    return np.flatnonzero(fits)


def _fits(
    what: str, patterns: Patterns, names: NDArray[Any], among: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    known = list(dict.fromkeys(names.tolist() if among is None else names[among].tolist()))
    found: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        hits = matching(pattern, known)
        if not hits:
            shown = known if len(known) <= 12 else _nearest(pattern, known)
            raise SpecError(f"{what}: no {what} fits {pattern!r}; {suggestion(pattern.strip('*'), shown)}")
        found.update(hits)
    return np.isin(names, list(found))


def _nearest(pattern: str, known: list[str]) -> list[str]:
    folded = {name.casefold(): name for name in known}
    near = nearest(pattern.strip("*?").casefold(), folded, n=12, cutoff=0.3)
    return [folded[name] for name in near] or known[:12]
