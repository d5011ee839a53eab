"""Recorded state variables, by region and population."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinbrain.analysis.dimensions import check_dimensions
from twinbrain.analysis.grouping import Patterns, group_by, select_populations
from twinbrain.analysis.tree import check_neurons, check_run, populations
from twinbrain.errors import SpecError, StoreError
from twinbrain.spec.suggest import suggestion


def state(
    tree: xr.DataTree, variable: str, region: Patterns = "*", population: Patterns = "*", probe: str | None = None
) -> xr.DataArray:
    """Return a recorded state variable; what it holds stays on disk.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    variable : str
        Such as ``"v"``.
    region, population : str or iterable of str
        Patterns of region labels and of population names.
    probe : str, optional
        Name of the record, where several hold the variable of the same neurons.

    Returns
    -------
    xarray.DataArray, dims (time, neuron)
        With the coordinates ``region`` (label) and ``population`` (name) of each neuron.

    Raises
    ------
    StoreError
        If the variable was not recorded, or not of these neurons.
    SpecError
        If a pattern fits nothing, or several records are left to choose from.
    """
    check_run(tree)
    for what, name in (("variable", variable), ("probe", probe)):
        if not isinstance(name, str) and (what == "variable" or name is not None):
            raise SpecError(f"{what}: expected the name of one {what}, found {name!r}; take one after the other")
    probes = {name: node.dataset for name, node in tree["state"].children.items()} if "state" in tree.children else {}
    held = {name: probe for name, probe in probes.items() if variable in probe.data_vars}
    if not held:
        known = {str(name) for probe in probes.values() for name in probe.data_vars}
        raise StoreError(
            f"expected a record of the state variable {variable!r}, found none; {suggestion(variable, known)}; "
            "add it to record.state in the workflow and run it again"
        )
    if probe is not None and probe not in held:
        raise SpecError(f"probe: no record {probe!r} of {variable!r}; {suggestion(probe, held)}")
    chosen = select_populations(tree, region, population)
    of_neuron, table = group_by(tree, "population").of_neuron, populations(tree)
    found = {}
    for name, dataset in held.items():
        check_dimensions(f"state/{name}", dataset, {variable: ("time", "neuron"), "neuron": ("neuron",)})
        check_neurons(tree, dataset["neuron"].values, f"state/{name}/neuron")
        of_column = of_neuron[dataset["neuron"].values]
        columns = np.flatnonzero(np.isin(of_column, chosen))
        if len(columns) and probe in (None, name):
            of_column = of_column[columns]
            found[name] = (
                dataset[variable]
                .isel(neuron=columns)
                .assign_coords(
                    region=("neuron", table["region"].values[of_column]),
                    population=("neuron", table["name"].values[of_column]),
                )
            )
    if not found:
        raise StoreError(
            f"expected a record of {variable!r} of the neurons of region {region!r} and population {population!r}, "
            f"found records of others: {', '.join(held)}"
        )
    if len(found) > 1:
        raise SpecError(f"probe: expected one record of {variable!r}, found several; choose one: {', '.join(found)}")
    array = next(iter(found.values()))
    return array.assign_attrs({"long_name": f"state variable {variable}", "units": "1"} | array.attrs)
