"""Eligibility traces: what a neuron's spike at each time owes to each of its synapses and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from twinbrain.learn.cell import State
from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.fan import Fan, Recent, find_fans
from twinbrain.learn.rules.jacobian import SPIKE, by_receptor, local_steps, moving, seen_row
from twinbrain.learn.rules.readout import Response


@dataclass(eq=False)
class Trace:
    """The eligibility of what reaches neurons in one way: at one receptor, or as one constant.

    Parameters
    ----------
    column : str
        What of the local derivatives is meant.
    gradient : Tensor, shape (neuron, place)
        Of the loss, summed so far.
    fan : Fan or None
        The synapses; None of a constant, which acts at every step.
    vector : dict of str to Tensor, shape (neuron, place, trial)
        Derivatives of each state variable.
    remembered : dict of str to Tensor, shape (neuron, place, trial)
        What the readout still holds of the derivatives of spikes.
    """

    column: str
    gradient: Tensor
    fan: Fan | None = None
    vector: dict[str, Tensor] = field(default_factory=dict)
    remembered: dict[str, Tensor] = field(default_factory=dict)

    def advance(self, rows: dict[str, dict[str, Tensor]], arriving: Tensor | None, names: list[str]) -> Tensor | None:
        """Advance the eligibility vector by a step; return the derivative of the spike, None where it is zero.

        ``rows`` are the local derivatives, each of shape (neuron, 1, trial).
        """
        before = self.vector
        found = {to: self._row(rows[to], before, arriving) for to in (*names, SPIKE)}
        self.vector = {to: found[to] for to in names if found[to] is not None}  # type: ignore[misc]
        return found[SPIKE]

    def _row(self, row: dict[str, Tensor], before: dict[str, Tensor], arriving: Tensor | None) -> Tensor | None:
        parts = [row[name] * value for name, value in before.items() if name in row]
        if self.column in row:
            parts.append(row[self.column] if arriving is None else row[self.column] * arriving)
        total = None
        for part in parts:
            total = part if total is None else total + part
        return total


class Eligibilities:
    """The eligibilities of all that is trained in one block.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    block : int
        The block.
    constants : dict of str to Tensor, shape (neuron,)
        Its constants; those with a gradient are trained.
    n_trials : int
        Trials side by side.
    response : Response
        Of the readout.
    """

    def __init__(
        self, network: TrainableNetwork, block: int, constants: State, n_trials: int, response: Response
    ) -> None:
        self.network, self.block, self.cell = network, block, network.blocks()[block]
        self.response = response
        self.names = moving(self.cell)
        self.constants = {name: value.detach() for name, value in constants.items()}
        self.wanted = [name for name, value in constants.items() if value.requires_grad]
        self.state = self.cell.initial(n_trials)
        zero = self.constants["_scale"].new_zeros
        self.traces = [
            Trace(by_receptor(fan.receptor), zero(fan.synapse.shape), fan) for fan in find_fans(network, block)
        ]
        self.traces += [Trace(name, zero((self.cell.n_neurons, 1))) for name in self.wanted]
        self.readout: Tensor | None = None
        if network.readout.block == block:
            self.readout = torch.zeros(self.cell.n_neurons, 1, 1, dtype=torch.bool, device=network.place.device)
            self.readout[network.readout.offset :][: network.readout.size] = True

    def advance(self, arrived: State, recent: Recent, start: int, signal: Tensor, now: Tensor | None) -> None:
        """Advance by some steps, and add to the gradients.

        Parameters
        ----------
        arrived : dict of str to Tensor, shape (step, trial, neuron)
            By receptors.
        recent : Recent
            Spikes before and in these steps.
        start : int
            The first step.
        signal : Tensor, shape (step, trial, neuron)
            Errors that a neuron's past spikes add to; of an output, its own error.
        now : Tensor, shape (step, trial, neuron), or None
            What a spike adds to the loss at once.
        """
        local = local_steps(self.cell, self.state, self.constants, arrived, len(signal), self.wanted)
        self.state = local.state
        seen = {**local.rows, SPIKE: seen_row(self.network, self.block, local)}
        rows = {to: {of: _by_place(value) for of, value in row.items()} for to, row in seen.items()}
        signal = _by_place(signal)
        now = None if now is None else _by_place(now)
        for i in range(len(signal)):
            here = {to: {of: value[i] for of, value in row.items()} for to, row in rows.items()}
            for trace in self.traces:
                arriving = None if trace.fan is None else recent.arriving(trace.fan, start + i)
                spike = trace.advance(here, arriving, self.names)
                if spike is None:
                    continue
                trace.remembered = self.response.advance(trace.remembered, spike)
                held = trace.remembered[MEMBRANE]
                if self.readout is not None:
                    held = torch.where(self.readout, spike, held)
                trace.gradient += (signal[i] * held).sum(2)
                if now is not None:
                    trace.gradient += (now[i] * spike).sum(2)


def _by_place(values: Tensor) -> Tensor:
    """Return (step, trial, neuron) as (step, neuron, 1, trial)."""
    return values.transpose(1, 2).contiguous()[:, :, None, :]
