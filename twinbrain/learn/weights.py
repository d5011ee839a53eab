"""The weights of a synapse table as something that can be trained: whole quanta, of a sign that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinbrain.network.network import Inlet, Network, SynapseTable


@dataclass(frozen=True, eq=False)
class Group:
    """The synapses of a table from one population to another.

    Parameters
    ----------
    source, target : int
        The populations, by number.
    name : str
        ``"source->target:receptor"``; in a brain with the labels of the regions before the populations.
    trained : {"synapse", "population", "region", None}
        What has a weight, or a factor on its weights, of its own.
    free : bool
        Whether weights may change sign.
    """

    source: int
    target: int
    name: str
    trained: str | None = None
    free: bool = False


class Weights(nn.Module):
    """Weights of one synapse table.

    What is learned has no unit: of a synapse the weight in units of its group's mean, of a group the logarithm of a
    factor. A weight counts as the nearest multiple of the quantum, and its gradient as if it did not.

    Parameters
    ----------
    table : SynapseTable
        The synapses.
    quantum : float
        Of the receptor.
    groups : sequence of Group
        All groups of the table.
    group : ndarray of int64, shape (synapse,)
        The group of each synapse.
    regions : ndarray of int64, shape (group,)
        Groups of one number share the factor of a pair of regions.
    """

    base: Tensor
    scale: Tensor
    group: Tensor
    sign: Tensor
    per_synapse: Tensor
    factor_of: Tensor

    def __init__(
        self,
        table: SynapseTable,
        quantum: float,
        groups: Sequence[Group],
        group: NDArray[np.int64],
        regions: NDArray[np.int64],
    ) -> None:
        super().__init__()
        self.receptor, self.origin, self.quantum, self.groups = table.receptor, table.origin, quantum, tuple(groups)
        weight = table.weight * quantum
        size = np.bincount(group, minlength=len(groups))
        mean = np.bincount(group, np.abs(weight), len(groups)) / np.maximum(size, 1)
        mean[mean == 0] = quantum
        kinds = np.array([g.trained or "" for g in groups])
        learned = np.flatnonzero((kinds == "synapse")[group])
        self.register_buffer("base", torch.tensor(weight))
        self.register_buffer("group", torch.tensor(group), persistent=False)
        self.register_buffer("scale", torch.tensor(mean[group[learned]]))
        self.register_buffer("per_synapse", torch.tensor(learned), persistent=False)
        sign = np.sign(weight)
        # A synapse of weight zero has the sign of those beside it.
        sign = np.where(sign == 0, np.sign(np.bincount(group, weight, len(groups)))[group], sign)[learned]
        sign[np.array([g.free for g in groups], bool)[group[learned]]] = 0
        self.register_buffer("sign", torch.tensor(sign), persistent=False)
        self.relative = nn.Parameter(
            torch.tensor(weight[learned] / mean[group[learned]]), requires_grad=len(learned) > 0
        )
        # The last factor is that of groups that have none.
        shared = np.where(kinds == "region", regions, np.arange(len(groups)) + len(groups))
        has_factor = np.isin(kinds, ("population", "region"))
        numbers, place = np.unique(shared[has_factor], return_inverse=True)
        factor_of = np.full(len(groups), len(numbers))
        factor_of[has_factor] = place
        self.register_buffer("factor_of", torch.tensor(factor_of), persistent=False)
        self.gain = nn.Parameter(torch.zeros(len(numbers), dtype=torch.float64), requires_grad=len(numbers) > 0)

    def forward(self) -> Tensor:
        """Return the weights, shape (synapse,), in the receptor's unit and in float64."""
        weight = self.base
        if len(self.gain):
            factor = torch.cat([self.gain.double(), self.gain.new_zeros(1).double()]).exp()
            weight = weight * factor[self.factor_of][self.group]
        if len(self.relative):
            weight = weight.index_copy(0, self.per_synapse, self.relative.double() * self.scale)
        # Also what is not trained may have been multiplied.
        return weight + (torch.round(weight.detach() / self.quantum) * self.quantum - weight.detach())

    @torch.no_grad()
    def keep_signs(self) -> None:
        """Set weights that have crossed zero to zero (Dale's law)."""
        crossed = self.relative * self.sign < 0
        self.relative[crossed] = 0.0

    @torch.no_grad()
    def multiply(self, group: int, factor: float) -> None:
        """Multiply the weights of a group, and what they count as 1."""
        chosen = self.group == group
        self.base[chosen] *= factor
        learned = chosen[self.per_synapse]
        self.scale[learned] *= factor


def find_groups(network: Network, table: SynapseTable) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """Return the pairs of populations (source, target) that a table joins, and the pair of each synapse."""
    sources, targets = synapse_ends(network, table)
    starts = np.array([p.start for p in network.populations])
    n = len(starts)
    key = (np.searchsorted(starts, sources, "right") - 1) * n + np.searchsorted(starts, targets, "right") - 1
    found, group = np.unique(key, return_inverse=True)
    return [(int(k) // n, int(k) % n) for k in found], group.astype(np.int64)


def synapse_ends(network: Network, table: SynapseTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the source and of the target neuron of each synapse."""
    sources = np.repeat(np.arange(network.n_neurons), np.diff(table.row_start))
    return sources, inlet_neurons(network)[table.post]


def inlet_neurons(network: Network) -> NDArray[np.int64]:
    """Return the number of the neuron of each place of the flat inbox."""
    found = np.empty(network.n_inlets, np.int64)
    for block in network.blocks:
        for inlet in block.inlets:
            found[inlet.start : inlet.stop] = block.neurons
    return found


def inlet_of(network: Network, receptor: str) -> Inlet:
    """Return some inlet of a receptor: all have the same quantum."""
    return next(i for block in network.blocks for i in block.inlets if i.receptor == receptor)
