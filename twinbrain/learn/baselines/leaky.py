"""A plain snnTorch network of leaky neurons."""

from __future__ import annotations

import math

import snntorch
import torch
from torch import Tensor, nn


class LeakyNetwork(nn.Module):
    """One feed-forward layer of snnTorch's `Leaky` neurons, and a leaky readout that does not spike.

    As its tutorials write it: one time constant for all, delta synapses, no recurrence, and the defaults of the library
    (reset by subtraction a step later, the arctangent as surrogate). Of the brain it has spikes and membranes; of cell
    classes, Dale's law, sparse connectivity, delays and refractoriness it has nothing.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Channels, outputs, and spiking neurons.
    decay : float, optional
        What is left of a membrane potential after a step; see `decay`.

    References
    ----------
    Eshraghian et al. (2023), doi 10.1109/JPROC.2023.3308088.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_hidden: int, decay: float = 0.95) -> None:
        super().__init__()
        self.input = nn.Linear(n_inputs, n_hidden)
        self.spiking = leaky(decay)
        self.readout = nn.Linear(n_hidden, n_outputs)
        self.integrating = leaky(decay, reset_mechanism="none")

    def forward(self, input: Tensor) -> Tensor:
        """Return the readout's membrane potentials: input (step, trial, channel), output (step, trial, output)."""
        potential = input.new_zeros(input.shape[1], self.input.out_features)
        readout = input.new_zeros(input.shape[1], self.readout.out_features)
        found = []
        for current in self.input(input):
            spikes, potential = self.spiking(current, potential)
            _, readout = self.integrating(self.readout(spikes), readout)
            found.append(readout)
        for neurons in (self.spiking, self.integrating):
            neurons.reset_mem()  # They would keep the last potentials, and with them all that these came from.
        return torch.stack(found)


def decay(dt: float, tau: float = 20.0) -> float:
    """Return what is left of a membrane potential after a step.

    Parameters
    ----------
    dt, tau : float (ms)
        Step, and time constant.
    """
    return math.exp(-dt / tau)


def leaky(beta: float, **options: str) -> snntorch.Leaky:
    """Return leaky neurons that are freed with the network they belong to.

    The library keeps each in a list of its own, to reset them all at once; these are given their state in each call.
    """
    with torch.device(
        "cpu"
    ):  # It reads its buffers while it is made, and so cannot be counted on a device without memory.
        neurons = snntorch.Leaky(beta=beta, **options)
    kept = snntorch.SpikingNeuron.instances
    del kept[next(i for i, one in enumerate(kept) if one is neurons)]
    return neurons
