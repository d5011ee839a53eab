"""How many synapses through the connectome are expected, before any is drawn."""

from __future__ import annotations

import numpy as np

from twinbrain.network.axons import Axons, long_range_axons, rows
from twinbrain.network.inflow import degrees_of_nodes
from twinbrain.network.layout import Layout
from twinbrain.network.random import Floats
from twinbrain.spec.brain import LongRange


def expected_contacts(rule: LongRange, layout: Layout) -> Floats:
    """Return how many synapses the axons of each node are expected to make in each other.

    Parameters
    ----------
    rule, layout
        The rule and layout of the whole brain.

    Returns
    -------
    ndarray of float64, shape (target, source)
        A synapse counts once, whatever number of receptors it has.
    """
    drawn = [
        sum(degrees[name] * region.populations[name].size for name in region.ports.inputs)
        for region, degrees in zip(layout.regions, degrees_of_nodes(rule, layout), strict=True)
    ]
    axons = long_range_axons(layout)
    return np.asarray(np.array(drawn)[:, None] * _parts_of_rows(layout, axons) * axons.there)


def expected_long_range(rule: LongRange, layout: Layout) -> Floats:
    """Return how many synapses are expected to reach each node from others.

    Parameters
    ----------
    rule, layout
        The rule and layout of the whole brain.

    Returns
    -------
    ndarray of float64, shape (node,)
        A synapse counts once for each receptor that it has, as in the tables of a network: what an axon releases says
        which those are.
    """
    axons = long_range_axons(layout)
    part = _parts_of_rows(layout, axons)
    glutamate, gaba = (part @ axons.releasing(inhibitory=inhibitory) for inhibitory in (False, True))
    total = np.zeros(len(layout.regions))
    for node, degrees in enumerate(degrees_of_nodes(rule, layout)):
        region = layout.regions[node]
        for name, port in region.ports.inputs.items():
            receptors = glutamate[node] * len(port.glutamate) + gaba[node] * len(port.gaba)
            total[node] += degrees[name] * region.populations[name].size * receptors
    return total


def _parts_of_rows(layout: Layout, axons: Axons) -> Floats:
    """Return the part of a node's synapses that each other gives it, or gave before a lesion; (target, source)."""
    weight = rows(layout, axons)
    total = weight.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weight, total, out=np.zeros_like(weight), where=total > 0))
