"""Traces of the spikes that arrive at a level, and what they add to the gradient of its synapses."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.learn.cell import State
from twinbrain.learn.links import Link
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.arrivals import Arrivals
from twinbrain.learn.rules.errors import Errors
from twinbrain.learn.rules.jacobian import by_receptor, local_step, seen_row
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
        self.at_inlets = arrivals.spikes.new_zeros(self.n_trials, len(network.layout[level.stage].inlets))

    def advance(self, step: int, errors: Errors) -> None:
        """Compute a step: the neurons, the gradient by what arrives at them now, and that of their synapses."""
        arrived = self.arrivals.by_block(self.level.stage, step)
        rows: dict[int, State] = {}
        for block, places in self.level.places.items():
            own = {name: value[:, places] for name, value in arrived[block].items()}
            local = local_step(self.network.blocks()[block], self.states[block], self.constants[block], own)
            self.states[block], rows[block] = local.state, seen_row(self.network, block, local, places)
        found = self._errors(step, errors)
        for leak in self.leaks:
            error = found[leak.block][:, leak.neurons]
            row = {name: error * value[:, leak.neurons] for name, value in rows[leak.block].items()}
            if (now := row.get(by_receptor(leak.receptor))) is not None:
                self.at_inlets[:, leak.inlets] = now
            for link, _ in self.links:
                if (link, leak) in self.traces:
                    self._accumulate(link, leak, row, self.arrivals.spikes_of(link, step))

    def send_back(self, step: int, levels: list[LevelTraces]) -> None:
        """Hand on what the step's errors are of the spikes that arrived in it, to the levels that sent them."""
        for link, prepared in self.links:
            sent = step - link.delay - 1
            senders = [own for own in levels if own is not self and own.level.stage == link.source]
            if sent < 0 or not senders:
                continue
            back = link.back(self.at_inlets, prepared)
            for own in senders:
                more = back[:, own.level.neurons]
                own.coming[sent] = own.coming[sent] + more if sent in own.coming else more

    def collect(self, gradient: Tensor) -> None:
        """Add the gradient of the level's synapses to that of all, shape (synapse,)."""
        for link, total in self.sums.items():
            gradient[link.synapse] += total[link.pre, link.post] if link.is_dense else total

    def _errors(self, step: int, errors: Errors) -> dict[int, Tensor]:
        """Return by block the derivative of the loss by spikes, and by outputs; of shape (trial, neuron)."""
        total = self.coming.pop(step, None)
        if total is None:
            total = self.at_inlets.new_zeros(self.n_trials, len(self.level.neurons))
        found = dict(zip(self.level.places, total.split([len(p) for p in self.level.places.values()], 1), strict=True))
        for block, places in self.level.places.items():
            if errors.spikes is not None:
                numbers = torch.tensor(self.network.lowered.network.blocks[block].neurons, device=places.device).long()
                found[block] = found[block] + errors.spikes[step][:, numbers[places]]
            output = places - self.network.readout.offset
            if block == self.network.readout.block:
                chosen = (output >= 0) & (output < self.network.readout.size)
                found[block][:, chosen] = errors.output[step][:, output[chosen]]
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
