"""The synapses that meet in each neuron of a block, as one table: neurons by places, so that they advance together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.feedback import trained_groups
from twinbrain.learn.rules.jacobian import CHUNK


@dataclass(frozen=True, eq=False)
class Fan:
    """Trained synapses on one receptor of one block.

    Parameters
    ----------
    receptor : str
        Their receptor.
    synapse, pre, delay : Tensor of int64, shape (neuron, place)
        Number among all synapses (-1: none at this place), source neuron (the number of neurons where there is none),
        and delay in steps.
    """

    receptor: str
    synapse: Tensor
    pre: Tensor
    delay: Tensor

    def collect(self, gradient: Tensor, by_place: Tensor) -> None:
        """Write the gradient by places, of shape (neuron, place), into that of all synapses."""
        there = self.synapse >= 0
        gradient[self.synapse[there]] = by_place[there]


class Recent:
    """The spikes that are still under way.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    n_trials : int
        Trials side by side.
    """

    def __init__(self, network: TrainableNetwork, n_trials: int) -> None:
        self.length = max((link.delay for _, link in network.numbered_links()), default=0) + 1 + CHUNK
        shape = (self.length, network.lowered.network.n_neurons + 1, n_trials)
        self.spikes = torch.zeros(shape, dtype=network.dtype, device=network.place.device)

    def arriving(self, fan: Fan, step: int) -> Tensor:
        """Return who of a fan's sources delivers a spike in a step, shape (neuron, place, trial)."""
        return self.spikes[(step - 1 - fan.delay) % self.length, fan.pre]

    def add(self, spikes: Tensor, start: int) -> None:
        """Take in the spikes of up to `CHUNK` steps, of shape (step, trial, neuron)."""
        steps = torch.arange(start, start + len(spikes), device=spikes.device) % self.length
        self.spikes[steps, :-1] = spikes.transpose(1, 2)


def find_fans(network: TrainableNetwork, block: int) -> list[Fan]:
    """Return the trained synapses of a block, one fan a receptor that has some."""
    built = network.lowered.network
    trained = trained_groups(network)
    pre = np.concatenate([np.repeat(np.arange(built.n_neurons), np.diff(table.row_start)) for table in built.tables])
    post = np.concatenate([table.post.astype(np.int64) for table in built.tables])
    delay = np.concatenate([table.delay.astype(np.int64) for table in built.tables])
    fans = []
    for inlet in built.blocks[block].inlets:
        chosen = np.flatnonzero((post >= inlet.start) & (post < inlet.stop) & trained)
        if len(chosen):
            size, device = built.blocks[block].size, network.place.device
            places = _places(post[chosen] - inlet.start)
            shape = (size, int(places.max()) + 1)

            def table_of(
                values: NDArray[np.int64],
                missing: int,
                where: tuple[NDArray[np.int64], NDArray[np.int64]] = (post[chosen] - inlet.start, places),
                shape: tuple[int, int] = shape,
                device: torch.device = device,
            ) -> Tensor:
                found = np.full(shape, missing)
                found[where] = values
                return torch.tensor(found, device=device)

            fans.append(
                Fan(
                    inlet.receptor,
                    table_of(chosen, -1),
                    table_of(pre[chosen], built.n_neurons),
                    table_of(delay[chosen], 0),
                )
            )
    return fans


def _places(neuron: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each synapse how many come before it at its neuron."""
    order = np.argsort(neuron, kind="stable")
    ordered = neuron[order]
    found = np.empty(len(neuron), np.int64)
    found[order] = np.arange(len(neuron)) - np.searchsorted(ordered, ordered)
    return found
