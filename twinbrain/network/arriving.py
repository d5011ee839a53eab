"""How many synapses through the connectome are expected, before any is drawn."""

from __future__ import annotations

import numpy as np

from twinbrain.network.inflow import degrees_of_nodes, long_range_axons, rows
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
        sum(degree * region.populations[name].size for name, degree in degrees.items())
        for region, degrees in zip(layout.regions, degrees_of_nodes(rule, layout), strict=True)
    ]
    return np.array(drawn, np.float64)[:, None] * _parts_of_rows(layout)


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
    axons, part = long_range_axons(layout), _parts_of_rows(layout)
    glutamate, gaba = (part @ axons.releasing(inhibitory=inhibitory) for inhibitory in (False, True))
    total = np.zeros(len(layout.regions))
    for node, degrees in enumerate(degrees_of_nodes(rule, layout)):
        region = layout.regions[node]
        for name, degree in degrees.items():
            port = region.ports.inputs[name]
            receptors = glutamate[node] * len(port.glutamate) + gaba[node] * len(port.gaba)
            total[node] += degree * region.populations[name].size * receptors
    return total


def _parts_of_rows(layout: Layout) -> Floats:
    """Return the part of a node's synapses that each other gives it; (target, source)."""
    weight = rows(layout, long_range_axons(layout))
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
