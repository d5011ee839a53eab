"""What the loss says of outputs and of spikes, before anything is carried back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import Activity, TrainableNetwork


@dataclass(frozen=True, eq=False)
class Errors:
    """Derivatives of the loss by what the network gave, with all else held.

    Parameters
    ----------
    loss : Tensor
        A scalar, without gradient.
    output : Tensor, shape (step, trial, output)
        By the outputs.
    spikes : Tensor, shape (step, trial, neuron), or None
        By spikes themselves, of a penalty of rates; None where there is none.
    """

    loss: Tensor
    output: Tensor
    spikes: Tensor | None


def find_errors(network: TrainableNetwork, activity: Activity, batch: Batch, objective: Objective) -> Errors:
    """Return the derivatives of the loss."""
    output = activity.output.detach().requires_grad_()
    spikes = activity.spikes.detach().requires_grad_()
    loss = objective(Activity(spikes, output), batch)
    by_output, by_spikes = torch.autograd.grad(loss, (output, spikes), allow_unused=True)
    if by_spikes is not None:
        by_spikes[:, :, network.readout.start : network.readout.stop] = 0.0  # which never spikes
    return Errors(loss.detach(), by_output, by_spikes)
