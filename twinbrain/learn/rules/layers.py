"""What of a network's weights is the readout's; all else is the hidden layer's."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.network import TrainableNetwork


def readout_parts(network: TrainableNetwork, rule: str) -> list[tuple[torch.nn.Parameter, Tensor]]:
    """Return the trained weights of all tables, each with which of its values are those of the readout.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    rule : str
        Named in errors.

    Returns
    -------
    list of (Parameter, Tensor of bool)
        Of one shape.

    Raises
    ------
    LearnError
        If synapses of the readout share a factor with others, or delays are trained.
    """
    if network.delays is not None:
        raise LearnError(
            f"rule {rule}: expected no trained delays, which belong to both layers, found some; leave 'delay' out"
        )
    populations = network.lowered.network.populations
    parts = []
    for weights in network.tables():
        to_readout = [populations[group.target].start == network.readout.start for group in weights.groups]
        device = weights.base.device
        own = torch.tensor(to_readout, dtype=torch.bool, device=device)
        factors = [set(weights.factor_of[own].tolist()), set(weights.factor_of[~own].tolist())]
        shared = set(range(len(weights.gain)))
        if shared & factors[0] & factors[1]:
            raise LearnError(
                f"rule {rule}: expected weights of the readout apart from all others, found a factor for a whole "
                "region; let them be trained by 'synapse' or 'population'"
            )
        parts.append((weights.relative, own[weights.group][weights.per_synapse]))
        of_factor = [number in factors[0] for number in range(len(weights.gain))]
        parts.append((weights.gain, torch.tensor(of_factor, dtype=torch.bool, device=device)))
    return parts
