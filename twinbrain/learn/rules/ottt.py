"""Online training through time: presynaptic traces that leak as the membrane does, and errors of the same moment."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.cell import State
from twinbrain.learn.links import Link
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.arrivals import Arrivals
from twinbrain.learn.rules.errors import Errors, find_errors
from twinbrain.learn.rules.jacobian import by_receptor, local_step, seen_row
from twinbrain.learn.rules.leak import Leak, find_leaks
from twinbrain.learn.rules.rule import Locality, Outcome, Rule


class OnlineTrainingThroughTime(Rule):
    """Gradients in space, at every moment, times traces in time.

    A synapse keeps a trace of the spikes of its source, which leaks as its target's membrane does (and its receptor's
    current); spikes of the target do not reset it. The gradient is the sum over time of the trace times the
    derivative of the loss by the membrane at that moment: through the spike's surrogate, and from the outputs
    back through the populations, delay by delay, but not back in time, nor between populations that
    reach each other in turn (Xiao et al. 2022, equations 5 to 8).

    Only weights are trained so.
    """

    name = "ottt"
    locality = Locality(weights="transposed", signal="error of the layer above", when="online", memory="1")
    reference = "arXiv:2210.04195"

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Find how membranes leak.

        Raises
        ------
        LearnError
            If parameters of cells are to be trained, or cells are not linear between spikes.
        """
        trained = sorted({name for cell in network.blocks() for name in cell.trained_parameters()})
        if trained:
            raise LearnError(
                f"train.rule: ottt: expected weights alone to be trained, since its traces are those of spikes that "
                f"arrive, found {', '.join(trained)} in trainable; use 'eprop' or 'bptt'"
            )
        stages = [n for n, stage in enumerate(network.layout) if network.input.block not in stage.blocks]
        self.leaks = {number: find_leaks(network, number, self.name) for number in stages}

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        with torch.no_grad():
            activity = network(batch.inputs, batch.background)
        errors = find_errors(activity, batch, objective)
        weights = network.all_weights()
        with torch.no_grad():
            gradient = _Sweep(
                network, self.leaks, weights.detach(), activity.spikes, batch.background, errors
            ).gradient()
        weights.backward(gradient)
        return Outcome(errors.loss, activity.output, activity.spikes)


class _Sweep:
    """One pass through the steps of a batch.

    A stage is computed later than those it sends to, by as many steps as its spikes take to the readout: so the error
    that a spike meets is there when the spike is.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        leaks: dict[int, list[Leak]],
        weights: Tensor,
        spikes: Tensor,
        background: Tensor | None,
        errors: Errors,
    ) -> None:
        self.network, self.leaks, self.weights, self.errors = network, leaks, weights, errors
        self.arrivals = Arrivals(network, weights, spikes, background)
        self.n_steps, self.n_trials = spikes.shape[:2]
        self.constants = [{k: v.detach() for k, v in cell.constants().items()} for cell in network.blocks()]
        self.states = [cell.initial(self.n_trials) for cell in network.blocks()]
        self.traces: dict[tuple[Link, Leak], State] = {
            (link, leak): {}
            for link, _ in self.arrivals.links
            for leak in leaks.get(link.target, [])
            if bool(torch.isin(link.post, leak.inlets).any())
        }
        self.sums = {link: torch.zeros_like(prepared) for link, prepared in self.arrivals.links}
        self.coming: dict[tuple[int, int], Tensor] = {}

    def gradient(self) -> Tensor:
        """Return the gradient of all weights, shape (synapse,)."""
        lags = _lags(self.network)
        for clock in range(self.n_steps + max(lags.values())):
            for stage, lag in lags.items():
                if 0 <= clock - lag < self.n_steps:
                    self._advance(stage, clock - lag)
        found = torch.zeros_like(self.weights)
        for link, total in self.sums.items():
            found[link.synapse] = total[link.pre, link.post] if link.is_dense else total
        return found

    def _advance(self, stage: int, step: int) -> None:
        """Compute a step of a stage: its traces, its part of the gradient, and the errors of those that send to it."""
        arrived, rows = self.arrivals.by_block(stage, step), {}
        for block, own in arrived.items():
            local = local_step(self.network.blocks()[block], self.states[block], self.constants[block], own)
            self.states[block], rows[block] = local.state, seen_row(self.network, block, local)
        errors = self._errors(stage, step)
        at_inlets = self.weights.new_zeros(self.n_trials, len(self.network.layout[stage].inlets))
        for leak in self.leaks[stage]:
            error = errors[leak.block][:, leak.neurons]
            row = {name: error * value[:, leak.neurons] for name, value in rows[leak.block].items()}
            if (now := row.get(by_receptor(leak.receptor))) is not None:
                at_inlets[:, leak.inlets] = now
            for link, _ in self.arrivals.links:
                if (link, leak) in self.traces:
                    self._accumulate(link, leak, row, self.arrivals.spikes_of(link, step))
        for link, prepared in self.arrivals.links:
            sent = step - link.delay - 1
            if link.target == stage != link.source and link.source in self.leaks and sent >= 0:
                more, key = link.back(at_inlets, prepared), (link.source, sent)
                self.coming[key] = self.coming[key] + more if key in self.coming else more

    def _errors(self, stage: int, step: int) -> dict[int, Tensor]:
        """Return by block the derivative of the loss by spikes, and by outputs; of shape (trial, neuron)."""
        neurons = torch.tensor(self.network.layout[stage].neurons, device=self.weights.device)
        total = self.coming.pop((stage, step), self.weights.new_zeros(self.n_trials, len(neurons)))
        if self.errors.spikes is not None:
            total = total + self.errors.spikes[step][:, neurons]
        blocks = self.network.layout[stage].blocks
        sizes = [self.network.blocks()[block].n_neurons for block in blocks]
        found = dict(zip(blocks, total.split(sizes, dim=1), strict=True))
        readout = self.network.readout
        if readout.block in found:
            found[readout.block][:, readout.offset : readout.offset + readout.size] = self.errors.output[step]
        return found

    def _accumulate(self, link: Link, leak: Leak, row: State, spikes: Tensor | None) -> None:
        """Add a step's part of the gradient of a link's weights, and advance its traces."""
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


def _lags(network: TrainableNetwork) -> dict[int, int]:
    """Return for each stage, but the input's, how many steps its slowest spikes take to the readout's stage."""
    stages = [n for n, stage in enumerate(network.layout) if network.input.block not in stage.blocks]
    lags = dict.fromkeys(stages, 0)
    for stage in reversed(stages):
        for _, link in network.numbered_links():
            if link.source == stage != link.target:
                lags[stage] = max(lags[stage], lags[link.target] + link.delay + 1)
    return lags
