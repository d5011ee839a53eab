"""The axons that leave each node, and what of the connectome starts from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.network.layout import Layout
from twinbrain.network.network import PopulationSlice
from twinbrain.network.random import Floats
from twinbrain.spec.lost import outputs_with_lost


@dataclass(frozen=True, eq=False)
class Axons:
    """The neurons whose axons leave their regions, node by node; those that are gone have their places, and no number.

    Parameters
    ----------
    neuron : ndarray of int32, shape (axon,)
        Their numbers; -1 for those that a lesion took out.
    inhibitory : ndarray of bool, shape (axon,)
        Whether they release GABA.
    start : ndarray of int64, shape (node + 1,)
        Where the axons of each node begin.
    """

    neuron: NDArray[np.int32]
    inhibitory: NDArray[np.bool_]
    start: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.int64]:
        """How many there are in each node, with those that are gone."""
        return np.diff(self.start)

    @property
    def there(self) -> Floats:
        """The part of each node's axons that no lesion took out; 0 where none leave."""
        return self.releasing(inhibitory=False) + self.releasing(inhibitory=True)

    def releasing(self, *, inhibitory: bool) -> Floats:
        """Return the part of each node's axons that are there and release GABA, or glutamate; 0 where none leave."""
        n_nodes = len(self.start) - 1
        node = np.repeat(np.arange(n_nodes), self.count)
        n = np.bincount(node[(self.neuron >= 0) & (self.inhibitory == inhibitory)], minlength=n_nodes)
        return np.asarray(n / np.maximum(self.count, 1))


def long_range_axons(layout: Layout) -> Axons:
    """Return the neurons whose axons leave."""
    neurons, inhibitory, start = [], [], [0]
    for label, region in zip(layout.connectome.labels, layout.regions, strict=True):
        start.append(start[-1])
        for name in outputs_with_lost(region):
            population = region.lost.get(name) or layout.find(label, name)
            if isinstance(population, PopulationSlice):
                neurons.append(np.arange(population.start, population.stop, dtype=np.int32))
            else:
                neurons.append(np.full(population.size, -1, np.int32))
            inhibitory.append(np.full(population.size, population.transmitter == "gaba"))
            start[-1] += population.size
    return Axons(
        np.concatenate([np.empty(0, np.int32), *neurons]),
        np.concatenate([np.empty(0, np.bool_), *inhibitory]),
        np.array(start),
    )


def rows(layout: Layout, axons: Axons) -> Floats:
    """Return the weights of the connectome between different nodes, from those whose axons leave; (target, source)."""
    weight = np.where(axons.count > 0, layout.connectome.weight.values, 0.0)
    np.fill_diagonal(weight, 0.0)
    return weight
