"""Bounds of weights that a rule without an error keeps: none beyond a largest, and as much input as before."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.weights import Weights, inlet_neurons


@torch.no_grad()
def clip_weights(network: TrainableNetwork, largest: float) -> None:
    """Keep the weights of synapses that do not reach the readout within a multiple of their group's mean."""
    for weights in network.tables():
        inner = _inner(network, weights)
        weights.relative[inner] = weights.relative[inner].clamp(-largest, largest)


@torch.no_grad()
def incoming(network: TrainableNetwork, weights: Weights, number: int) -> tuple[Tensor, Tensor]:
    """Return, of a table's trained synapses, the target's share that each belongs to, and the sums of their sizes.

    A share is a target neuron and the group of synapses (source population) that reach it.
    """
    table = network.lowered.network.tables[number]
    target = torch.tensor(inlet_neurons(network.lowered.network)[table.post], device=weights.base.device)
    key = (target * len(weights.groups) + weights.group)[weights.per_synapse]
    _, share = torch.unique(key, return_inverse=True)
    return share, torch.bincount(share, weights.relative.abs().double())


@torch.no_grad()
def normalise(network: TrainableNetwork, wanted: list[Tensor]) -> None:
    """Multiply the weights of each target's shares such that their sizes add up to what is wanted.

    Parameters
    ----------
    network : TrainableNetwork
        Is changed, but for the readout.
    wanted : list of Tensor, one a table, shape (share,)
        From `incoming`.
    """
    for number, (weights, sums) in enumerate(zip(network.tables(), wanted, strict=True)):
        share, now = incoming(network, weights, number)
        factor = torch.where(now > 0, sums / now, 1.0)[share]
        weights.relative.mul_(torch.where(_inner(network, weights), factor, 1.0))


def _inner(network: TrainableNetwork, weights: Weights) -> Tensor:
    populations = network.lowered.network.populations
    inner = [populations[group.target].start != network.readout.start for group in weights.groups]
    return torch.tensor(inner, dtype=torch.bool, device=weights.base.device)[weights.group][weights.per_synapse]
