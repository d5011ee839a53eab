"""A network as it is after training, in the arithmetic of engines."""

from __future__ import annotations

import torch
from torch import nn

from twinbrain.learn.network import TrainableNetwork
from twinbrain.network.parameters import program_constants
from twinbrain.spec.training import Surrogate


@torch.no_grad()
def settled(network: TrainableNetwork) -> TrainableNetwork:
    """Return a network with what it has learned, in float64, none of whose parameters are trained any more.

    It is of the declaration that was trained, and owes nothing to what is exported: what is exported is held against
    it. Constants are computed anew of the trained parameters, as engines do; while training they are near that, and
    not the same to the last bit.
    """
    lowered = network.lowered
    found = TrainableNetwork(lowered, network.trainable, Surrogate(), "float64")
    found.load_state_dict(network.state_dict())
    for number, cell in enumerate(found.blocks()):
        if not (trained := cell.trained_parameters()):
            continue
        values = lowered.parameters[number] | {name: parameter().numpy() for name, parameter in trained.items()}
        model = lowered.layout.blocks[number].model
        constants = program_constants(cell.program, model, values, cell.dt, cell.n_neurons)
        for name, value in constants.items():
            getattr(cell, f"constant_{name}").copy_(torch.tensor(value))
        cell.trained = nn.ModuleDict()
    return found.eval()
