"""The rates that a run recorded, in the order of its populations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import xarray as xr

from twinbrain.analysis.tree import group, population_columns, populations_of
from twinbrain.errors import StoreError
from twinbrain.language.tokens import printable

FIRST = "start"
"""Coordinate of the rates of an opened run: the first neuron of each population, as its network has it."""


def recorded_rates(tree: xr.DataTree) -> xr.DataArray:
    """Return the recorded rates of populations, in the order in which the run has them, without labels of their own.

    Whoever opens a run is told of each row the first neuron of its population, and plain xarray is not: there rows are
    taken by their places, unless someone has labelled them since.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.

    Returns
    -------
    xarray.DataArray, dims (time, population), Hz
        May be lazy, and stays so.

    Raises
    ------
    StoreError
        If they are not of all populations of the run, and of none else.
    """
    rate = group(tree, "rate", "record rates when you run")["rate"]
    network = group(tree, "network", "open a run of twinbrain, not a part of it")
    n = network.sizes["population"]
    labelled = [str(name) for name, coord in rate.coords.items() if coord.dims == ("population",)]
    if not labelled and rate.sizes["population"] == n:
        return rate.reset_coords(drop=True)
    table = populations_of(population_columns(tree))
    # Whoever labels the rates may have labelled the network alike.
    wanted, found = _labels(network) or table["population"].values.tolist(), _labels(rate)
    if found is None and FIRST in labelled:
        wanted, found = network[FIRST].values.tolist(), rate[FIRST].values.tolist()
    if found is None and rate.sizes["population"] != n:
        raise _others(wanted, f"{rate.sizes['population']} without labels")
    if found not in (None, wanted):
        if len(set(wanted)) < n or Counter(found) != Counter(wanted):
            raise _others(wanted, f"{len(found)}, {', '.join(map(_shown, found[:3]))} and so on")
        rate = rate.isel(population=[found.index(label) for label in wanted])
    for name in {*labelled} & {*table.data_vars}:
        if rate[name].values.tolist() != table[name].values.tolist():
            raise _others(wanted, f"another {name} of some")
    return rate.drop_vars(labelled).reset_coords(drop=True)


def _labels(array: xr.DataArray | xr.Dataset) -> list[Any] | None:
    return array["population"].values.tolist() if "population" in array.coords else None


def _others(wanted: list[Any], found: str) -> StoreError:
    return StoreError(
        f"expected rates of the {len(wanted)} populations of the run, each once, in their order or labelled "
        f"{_shown(wanted[0])} and so on, found {found}: give them as they were recorded, and select from the result"
    )


def _shown(label: Any) -> str:
    return printable(repr(label))[:60]
