"""Read the plastic synapses of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from twinbrain import units
from twinbrain.engines.plasticity import PlasticSynapses
from twinbrain.network.network import Network
from twinbrain.run.open import open_run
from twinbrain.run.prepare import build_network, prepare
from twinbrain.run.simulate import stored_workflow
from twinbrain.run.windows import simulation_state
from twinbrain.store import read_state
from twinbrain.store.damage import reading


def read_synapses(path: str | Path) -> dict[str, xr.Dataset]:
    """Return the plastic synapses of a run as they are at the end of its last committed window.

    A run keeps the variables of its synapses but not which neurons they connect; the network is built once more for it.

    Parameters
    ----------
    path : str or Path
        Path or URL of the run.

    Returns
    -------
    dict of str to Dataset
        For each receptor and rule (``"ampa_pair_stdp"``), on the dimension ``synapse``: ``source`` and ``target``
        (numbers of neurons), ``delay`` (ms), the weight ``w`` and the rule's other variables, with their units, and
        ``initial_w``.

    Raises
    ------
    StoreError
        If there is no run of this format.
    """
    tree = open_run(path)
    workflow = stored_workflow(tree)
    tree.close()
    network = build_network(prepare(workflow))
    data = read_state(path)
    with reading(path, "checkpoint"):
        return synapses_of(network, simulation_state(data).variables if data else {}, data.step if data else 0)


def synapses_of(network: Network, variables: dict[str, np.ndarray], step: int) -> dict[str, xr.Dataset]:
    """Return the plastic synapses of a network, given the variables of a simulation's state; see `read_synapses`."""
    found = {}
    for table in network.plastic:
        synapses = PlasticSynapses(table)
        if variables:
            synapses.restore(variables)
        columns = {name: (values, table.program.units[name]) for name, values in synapses.at(step).items()}
        columns["initial_w"] = table.initial["w"], table.program.units["w"]
        found[table.name] = xr.Dataset(
            {
                "source": ("synapse", table.source),
                "target": ("synapse", table.target),
                "delay": ("synapse", table.delay * network.dt, {"units": "ms"}),
                **{
                    name: ("synapse", units.in_unit(values, unit), {"units": unit})
                    for name, (values, unit) in columns.items()
                },
            },
            attrs={"receptor": table.receptor, "rule": table.rule, "time": step * network.dt},
        )
    return found
