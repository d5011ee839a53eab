"""Feedback weights: what carries errors back where a synapse does not know the weights of others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.learn.network import Feedback, TrainableNetwork
from twinbrain.learn.weights import synapse_ends
from twinbrain.network.random import stream_key, uniforms


def random_feedback(network: TrainableNetwork, seed: int) -> Tensor:
    """Return random weights, as large as the synapses' own.

    Parameters
    ----------
    network : TrainableNetwork
        Gives the root mean square of each group of synapses, as it is now.
    seed : int
        Keys the draw.

    Returns
    -------
    Tensor, shape (synapse,)
        Uniform about zero, in the order of ``network.all_weights()``.
    """
    own = network.all_weights().detach()
    found = torch.empty_like(own)
    for table, (start, stop) in zip(network.tables(), _slices(network), strict=True):
        mean = _mean(own[start:stop].double() ** 2, table.group, len(table.groups))
        found[start:stop] = mean.sqrt()[table.group].to(own.dtype)
    return found * _uniform(seed, "feedback weights", len(own)).to(found)


def by_link(network: TrainableNetwork, weights: Tensor) -> Feedback:
    """Return weights of all synapses by link, for ``network.forward``; without those from the input.

    Where delays are trained, they are spread over delays as the synapses are.
    """
    shares = None if network.delays is None else network.delays.shares().detach().to(weights)
    return {
        i: link.prepare(weights, shares)
        for i, link in network.numbered_links()
        if not _from_input(network, link.source)
    }


def without_gradient(network: TrainableNetwork, *, but_to_readout: bool = False) -> Feedback:
    """Return weights of zero by link: gradients then pass between no populations.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    but_to_readout : bool
        Whether those that lead to the readout have their own way back.
    """
    zero = torch.zeros_like(network.all_weights().detach())
    kept = {
        i
        for i, link in network.numbered_links()
        if but_to_readout and network.readout.block in network.layout[link.target].blocks
    }
    return {i: weights for i, weights in by_link(network, zero).items() if i not in kept}


def random_broadcast(network: TrainableNetwork, seed: int) -> Tensor:
    """Return a random matrix from the outputs to all neurons.

    Returns
    -------
    Tensor, shape (neuron, output)
        Uniform about zero, with the root mean square of the readout's weights; zero for the input and the readout.
    """
    synapse = readout_synapses(network)[2]
    weights = network.all_weights().detach()
    size = weights[synapse].double().square().mean().sqrt() if len(synapse) else torch.tensor(1.0)
    shape = (network.lowered.network.n_neurons, network.readout.size)
    found = size.to(weights) * _uniform(seed, "feedback broadcast", shape[0] * shape[1]).to(weights).view(shape)
    for own in (network.input, network.readout):
        found[own.start : own.stop] = 0.0
    return found


def readout_synapses(network: TrainableNetwork) -> tuple[Tensor, Tensor, Tensor]:
    """Return the synapses of the readout: source neuron, output, and number among all synapses."""
    ends = [synapse_ends(network.lowered.network, table) for table in network.lowered.network.tables]
    pre, post = np.concatenate([e[0] for e in ends]), np.concatenate([e[1] for e in ends])
    chosen = np.flatnonzero((post >= network.readout.start) & (post < network.readout.stop))
    device = network.place.device
    return (
        torch.tensor(pre[chosen], device=device),
        torch.tensor(post[chosen] - network.readout.start, device=device),
        torch.tensor(chosen, device=device),
    )


def broadcast_as_feedback(network: TrainableNetwork, broadcast: Tensor) -> Tensor:
    """Return what a matrix from outputs to neurons is for each synapse of the readout; no number elsewhere."""
    found = torch.full_like(network.all_weights().detach(), torch.nan)
    pre, output, synapse = readout_synapses(network)
    found[synapse] = broadcast[pre, output]
    return found


def trained_synapses(network: TrainableNetwork) -> Tensor:
    """Return whether each synapse has a weight of its own that is trained, shape (synapse,)."""
    found = torch.zeros(network.offsets()[-1], dtype=torch.bool, device=network.place.device)
    for table, start in zip(network.tables(), network.offsets(), strict=False):
        found[start + table.per_synapse] = True
    return found


def trained_groups(network: TrainableNetwork) -> NDArray[np.bool_]:
    """Return whether each synapse has a weight, or shares a factor, that is trained; shape (synapse,)."""
    found = []
    for table in network.tables():
        trained = np.array([group.trained is not None for group in table.groups], bool)
        found.append(trained[table.group.cpu().numpy()])
    return np.concatenate(found)


def _from_input(network: TrainableNetwork, stage: int) -> bool:
    return network.input.block in network.layout[stage].blocks


def _slices(network: TrainableNetwork) -> list[tuple[int, int]]:
    offsets = network.offsets()
    return list(pairwise(offsets))


def _mean(values: Tensor, group: Tensor, n: int) -> Tensor:
    total = values.new_zeros(n).index_add(0, group, values)
    return total / torch.bincount(group, minlength=n).clamp(min=1)


def _uniform(seed: int, name: str, n: int) -> Tensor:
    """Return numbers uniform about zero with variance 1."""
    return torch.tensor((2.0 * uniforms(stream_key(seed, name), n) - 1.0) * 3**0.5)
