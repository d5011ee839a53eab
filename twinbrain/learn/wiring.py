"""The synapses of a built network as links between its stages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.learn.links import Link, make_links
from twinbrain.learn.stages import StageLayout
from twinbrain.network.network import Network
from twinbrain.network.random import Floats


def synapses_of(network: Network) -> dict[str, NDArray[np.int64]]:
    """Return ``pre``, ``post`` (an inlet) and ``delay`` (steps) of all synapses, table by table."""
    neurons = np.arange(network.n_neurons)
    return {
        "pre": np.concatenate([np.repeat(neurons, np.diff(table.row_start)) for table in network.tables]),
        "post": np.concatenate([table.post.astype(np.int64) for table in network.tables]),
        "delay": np.concatenate([table.delay.astype(np.int64) for table in network.tables]),
    }


def quanta_of(network: Network) -> Floats:
    """Return the quantum of each inlet, in its receptor's unit."""
    found = np.ones(network.n_inlets)
    for block in network.blocks:
        for inlet in block.inlets:
            found[inlet.start : inlet.stop] = inlet.quantum
    return found


def wire(network: Network, layout: list[StageLayout], spread: NDArray[np.int64], longest: int) -> list[Link]:
    """Return the links between stages.

    Parameters
    ----------
    network : Network
        The network.
    layout : list of StageLayout
        Its stages.
    spread : ndarray of int, shape (trained,)
        Synapses whose delays are trained.
    longest : int
        Steps that these may take.
    """
    stage_of_neuron, place_of_neuron = np.empty((2, network.n_neurons), np.int64)
    stage_of_inlet, place_of_inlet = np.empty((2, network.n_inlets), np.int64)
    for number, stage in enumerate(layout):
        stage_of_neuron[stage.neurons], place_of_neuron[stage.neurons] = number, np.arange(len(stage.neurons))
        stage_of_inlet[stage.inlets], place_of_inlet[stage.inlets] = number, np.arange(len(stage.inlets))
    sizes = [(len(stage.neurons), len(stage.inlets)) for stage in layout]
    places = (place_of_neuron, place_of_inlet)
    return make_links(synapses_of(network), stage_of_neuron, stage_of_inlet, sizes, *places, spread, longest)
