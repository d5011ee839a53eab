"""The synapses of a network as a local rule sees them: their two neurons, their delay, and what may change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.weights import Weights, synapse_ends


@dataclass(frozen=True, eq=False)
class Synapses:
    """All synapses of a network, in the order of its ``all_weights``.

    Parameters
    ----------
    pre, post : Tensor of int64, shape (synapse,)
        Numbers of their neurons.
    delay : Tensor of int64, shape (synapse,)
        In steps.
    direction : Tensor of float64, shape (synapse,)
        -1 where a stronger synapse has a more negative weight, 1 elsewhere.
    inner : Tensor of int64, shape (chosen,)
        The trained synapses that do not reach the readout.
    """

    pre: Tensor
    post: Tensor
    delay: Tensor
    direction: Tensor
    inner: Tensor

    def change(self, network: TrainableNetwork, change: Tensor) -> None:
        """Change the inner synapses, each by so much of its unit: more is further from zero, and none crosses it.

        Parameters
        ----------
        network : TrainableNetwork
            Whose synapses they are.
        change : Tensor, shape (chosen,)
            Of the size of each inner synapse; those that share a factor change it together.
        """
        parameters = [p for weights in network.tables() for p in (weights.relative, weights.gain) if p.requires_grad]
        if not len(self.inner) or not parameters:
            return
        unit = units_of(network)
        whole = torch.zeros_like(unit)
        whole[self.inner] = change.to(unit) * self.direction[self.inner] / unit[self.inner]
        weights = torch.cat([weights() for weights in network.tables()])
        found = torch.autograd.grad(weights, parameters, whole, allow_unused=True)
        with torch.no_grad():
            for parameter, step in zip(parameters, found, strict=True):
                if step is not None:
                    parameter.add_(step)
        network.keep_signs()


def synapses_of(network: TrainableNetwork, rule: str) -> Synapses:
    """Return the synapses of a network.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    rule : str
        Named in errors.

    Raises
    ------
    LearnError
        If anything but weights is to be trained.
    """
    others = sorted({name for cell in network.blocks() for name in cell.trained_parameters()})
    if network.delays is not None:
        others.append("delay")
    if others:
        raise LearnError(
            f"train.trainable: expected 'weight' alone for the rule {rule!r}, which says how synapses change by spikes "
            f"and nothing of {', '.join(others)}; leave these out, or train by 'bptt'"
        )
    lowered = network.lowered.network
    ends = [synapse_ends(lowered, table) for table in lowered.tables]
    device = network.place.device
    pre, post = (torch.tensor(np.concatenate([pair[i] for pair in ends]), device=device) for i in (0, 1))
    tables = network.tables()
    trained = torch.cat([_trained(weights) for weights in tables])
    outer = (post >= network.readout.start) & (post < network.readout.start + network.readout.size)
    return Synapses(
        pre,
        post,
        torch.tensor(network.whole_delays(), device=device),
        torch.cat([_direction(weights) for weights in tables]),
        torch.nonzero(trained & ~outer).squeeze(1),
    )


def units_of(network: TrainableNetwork) -> Tensor:
    """Return what a weight of 1 stands for, in each synapse: the mean size of its group.

    It is asked for when it is used, since a network is given the weights of its training after its rule is prepared.
    """
    return torch.cat([_unit(weights) for weights in network.tables()])


def _trained(weights: Weights) -> Tensor:
    return torch.tensor([group.trained is not None for group in weights.groups], device=weights.base.device)[
        weights.group
    ]


def _unit(weights: Weights) -> Tensor:
    size = torch.bincount(weights.group, minlength=len(weights.groups)).clamp(min=1)
    mean = torch.bincount(weights.group, weights.base.abs(), len(weights.groups)) / size
    unit = torch.where(mean > 0, mean, weights.quantum)[weights.group]
    # That of synapses with a weight of their own is theirs already.
    return unit.index_copy(0, weights.per_synapse, weights.scale)


def _direction(weights: Weights) -> Tensor:
    free = torch.tensor([group.free for group in weights.groups], device=weights.base.device)[weights.group]
    return torch.where((weights.base < 0) & ~free, -1.0, 1.0).to(weights.base)
