"""What arrives at the neurons of a network whose spikes are known: a few steps at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.learn.cell import State
from twinbrain.learn.links import Link
from twinbrain.learn.network import TrainableNetwork


class Arrivals:
    """What arrived in a trial.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    weights : Tensor, shape (synapse,)
        Of all synapses.
    spikes : Tensor, shape (step, trial, neuron)
        What the network did.
    background : Tensor, shape (step, trial, inlet), or None
        What drives added, in quanta.
    """

    def __init__(self, network: TrainableNetwork, weights: Tensor, spikes: Tensor, background: Tensor | None) -> None:
        self.network, self.spikes, self.background = network, spikes, background
        self.links = [(link, link.prepare(weights)) for _, link in network.numbered_links()]
        device = spikes.device
        self._neurons = [torch.tensor(stage.neurons, device=device) for stage in network.layout]
        self._inlets = [torch.tensor(stage.inlets, device=device) for stage in network.layout]
        self._quantum = torch.ones(network.lowered.network.n_inlets, dtype=torch.float64, device=device)
        for block in network.lowered.network.blocks:
            for inlet in block.inlets:
                self._quantum[inlet.start : inlet.stop] = inlet.quantum

    def spikes_of(self, link: Link, step: int) -> Tensor | None:
        """Return the spikes, of shape (trial, source neuron), that a link delivers in a step; None before the first."""
        sent = step - link.delay - 1
        return None if sent < 0 else self.spikes[sent][:, self._neurons[link.source]]

    def inbox(self, stage: int, start: int, stop: int) -> Tensor:
        """Return what arrives at a stage in some steps, shape (step, trial, inlet)."""
        inlets = self._inlets[stage]
        found = self.spikes.new_zeros(stop - start, self.spikes.shape[1], len(inlets))
        if self.background is not None:
            found += (self.background[start:stop][:, :, inlets] * self._quantum[inlets]).to(found)
        for link, prepared in self.links:
            late = link.delay + 1
            first = max(start, late)
            if link.target == stage and first < stop:
                sent = self.spikes[first - late : stop - late][:, :, self._neurons[link.source]]
                found[first - start :] += link.deliver(sent, prepared)
        return found

    def by_block(self, stage: int, start: int, stop: int) -> dict[int, State]:
        """Return what arrives at each block of a stage, by receptors; each of shape (step, trial, neuron)."""
        inbox, first = self.inbox(stage, start, stop), 0
        found: dict[int, State] = {}
        cells = self.network.blocks()
        for block in self.network.layout[stage].blocks:
            found[block] = {}
            for receptor in cells[block].program.jumps:
                found[block][receptor] = inbox[:, :, first : first + cells[block].n_neurons]
                first += cells[block].n_neurons
        return found
