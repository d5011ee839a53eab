"""Traces of the spikes that arrive at a level, and what they add to the gradient of its synapses."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.learn.cell import State
from twinbrain.learn.links import Link
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.arrivals import Arrivals
from twinbrain.learn.rules.errors import Errors
from twinbrain.learn.rules.jacobian import by_receptor, local_steps, seen_row
from twinbrain.learn.rules.leak import Leak
from twinbrain.learn.rules.levels import Level


class LevelTraces:
    """A level and the traces of its synapses, which advance step by step.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    level : Level
        Its populations.
    leaks : list of Leak
        What its neurons remember by.
    arrivals : Arrivals
        What arrives.
    """

    def __init__(self, network: TrainableNetwork, level: Level, leaks: list[Leak], arrivals: Arrivals) -> None:
        self.network, self.level, self.leaks, self.arrivals = network, level, leaks, arrivals
        self.n_trials = arrivals.spikes.shape[1]
        self.constants: dict[int, State] = {}
        self.states: dict[int, State] = {}
        for block, places in level.places.items():
            cell = network.blocks()[block]
            self.constants[block] = {name: value.detach()[places] for name, value in cell.constants().items()}
            self.states[block] = {name: value[:, places] for name, value in cell.initial(self.n_trials).items()}
        inlets = torch.cat([leak.inlets for leak in leaks])
        self.links = [
            (link, prepared)
            for link, prepared in arrivals.links
            if link.target == level.stage and bool(torch.isin(link.post, inlets).any())
        ]
        self.traces: dict[tuple[Link, Leak], State] = {
            (link, leak): {}
            for link, _ in self.links
            for leak in leaks
            if bool(torch.isin(link.post, leak.inlets).any())
        }
        self.sums = {link: torch.zeros_like(prepared) for link, prepared in self.links}
        self.coming: dict[int, Tensor] = {}

    def advance(self, start: int, stop: int, errors: Errors, levels: list[LevelTraces]) -> None:
        """Compute some steps, add to the gradient, and hand on the errors to the levels that spikes came from.

        Parameters
        ----------
        start, stop : int
            The steps.
        errors : Errors
            Of what the network gave.
        levels : list of LevelTraces
            All levels.
        """
        arrived = self.arrivals.by_block(self.level.stage, start, stop)
        rows: dict[int, State] = {}
        for block, places in self.level.places.items():
            own = {name: value[:, :, places] for name, value in arrived[block].items()}
            cell = self.network.blocks()[block]
            local = local_steps(cell, self.states[block], self.constants[block], own, stop - start)
            self.states[block], rows[block] = local.state, seen_row(self.network, block, local, places)
        found = self._errors(start, stop, errors)
        products = [
            {
                name: found[leak.block][:, :, leak.neurons] * value[:, :, leak.neurons]
                for name, value in rows[leak.block].items()
            }
            for leak in self.leaks
        ]
        at_inlets = self.arrivals.spikes.new_zeros(
            stop - start, self.n_trials, len(self.network.layout[self.level.stage].inlets)
        )
        for leak, product in zip(self.leaks, products, strict=True):
            if (now := product.get(by_receptor(leak.receptor))) is not None:
                at_inlets[:, :, leak.inlets] = now
        for i in range(stop - start):
            for link, _ in self.links:
                spikes = self.arrivals.spikes_of(link, start + i)
                for leak, product in zip(self.leaks, products, strict=True):
                    if (link, leak) in self.traces:
                        self._accumulate(link, leak, {name: value[i] for name, value in product.items()}, spikes)
        self._send_back(start, at_inlets, levels)

    def _send_back(self, start: int, at_inlets: Tensor, levels: list[LevelTraces]) -> None:
        """Hand on what errors are of the spikes that arrived, to the levels that sent them."""
        for link, prepared in self.links:
            senders = [own for own in levels if own is not self and own.level.stage == link.source]
            if not senders:
                continue
            back = link.back(at_inlets, prepared)
            for own in senders:
                for i, more in enumerate(back[:, :, own.level.neurons]):
                    if (sent := start + i - link.delay - 1) >= 0:
                        own.coming[sent] = own.coming[sent] + more if sent in own.coming else more

    def collect(self, gradient: Tensor) -> None:
        """Add the gradient of the level's synapses to that of all, shape (synapse,)."""
        for link, total in self.sums.items():
            gradient[link.synapse] += total[link.pre, link.post] if link.is_dense else total

    def _errors(self, start: int, stop: int, errors: Errors) -> dict[int, Tensor]:
        """Return by block the derivative of the loss by spikes, and by outputs; of shape (step, trial, neuron)."""
        none = self.arrivals.spikes.new_zeros(self.n_trials, len(self.level.neurons))
        total = torch.stack([self.coming.pop(step, none) for step in range(start, stop)])
        sizes = [len(places) for places in self.level.places.values()]
        found = dict(zip(self.level.places, total.split(sizes, dim=2), strict=True))
        for block, places in self.level.places.items():
            if errors.spikes is not None:
                numbers = torch.tensor(self.network.lowered.network.blocks[block].neurons, device=places.device).long()
                found[block] = found[block] + errors.spikes[start:stop][:, :, numbers[places]]
            output = places - self.network.readout.offset
            if block == self.network.readout.block:
                chosen = (output >= 0) & (output < self.network.readout.size)
                found[block][:, :, chosen] = errors.output[start:stop][:, :, output[chosen]]
        return found

    def _accumulate(self, link: Link, leak: Leak, row: State, spikes: Tensor | None) -> None:
        """Add a step's part of the gradient of a link's weights, and advance its trace."""
        trace = self.traces[link, leak]
        parts = [(value, row[name]) for name, value in trace.items() if name in row]
        if spikes is not None and by_receptor(leak.receptor) in row:
            parts.append((spikes, row[by_receptor(leak.receptor)]))
        for value, error in parts:
            if link.is_dense:
                self.sums[link][:, leak.inlets] += value.T @ error
            else:
                full = error.new_zeros(len(error), link.n_post)
                full[:, leak.inlets] = error
                self.sums[link] += link.weight_gradient(value, full)
        if spikes is not None or trace:
            self.traces[link, leak] = leak.advance(trace, spikes)
