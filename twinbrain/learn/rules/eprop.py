"""e-prop: eligibility traces that run forward in time, and a learning signal that is there at the same time."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.arrivals import Arrivals
from twinbrain.learn.rules.direct_feedback_alignment import DELAY
from twinbrain.learn.rules.eligibility import Eligibilities
from twinbrain.learn.rules.errors import Errors, find_errors
from twinbrain.learn.rules.fan import Recent
from twinbrain.learn.rules.feedback import broadcast_as_feedback, random_broadcast, readout_synapses
from twinbrain.learn.rules.jacobian import CHUNK
from twinbrain.learn.rules.readout import readout_response
from twinbrain.learn.rules.refusals import refuse_delays
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.spec.suggest import suggestion

_FEEDBACK = ("symmetric", "random")


class EProp(Rule):
    """The part of the gradient that each synapse can know by itself, times the errors of the outputs.

    What a neuron's state and spike owe to a synapse is carried along from step to step by the derivatives of the
    neuron's own step, whatever its model (Bellec et al. 2020, equations 1 to 4). Left out is what goes from neuron to
    neuron and back. A batch is computed twice, since the errors of a classification are known at its end: once for
    the errors, and once for the traces, in memory that does not grow with the steps.

    Parameters
    ----------
    feedback : {"symmetric", "random"}
        What carries errors to neurons: the weights of the readout, to those neurons that it reads, or random ones, to
        all neurons.

    Raises
    ------
    LearnError
        If ``feedback`` is neither.
    """

    name = "eprop"
    locality = Locality(weights="transposed", signal="error", when="online", memory="1")
    idle = ("window",)
    reference = "10.1038/s41467-020-17236-y"

    broadcast: Tensor | None

    def __init__(self, feedback: str = "symmetric") -> None:
        super().__init__()
        if feedback not in _FEEDBACK:
            raise LearnError(f"train.rule: eprop: feedback: unknown {feedback!r}; {suggestion(feedback, _FEEDBACK)}")
        self.kind = feedback

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Draw random weights, where they are wanted.

        Raises
        ------
        LearnError
            If delays are to be trained, or the readout is not made of leaky integrators that are alike.
        """
        refuse_delays(network, self.name)
        self.response = readout_response(network, self.name)
        self.register_buffer("broadcast", random_broadcast(network, seed) if self.kind == "random" else None)

    def feedback(self, network: TrainableNetwork) -> Tensor | None:
        """Return the random weights where synapses of the readout are; None if there are none."""
        return None if self.broadcast is None else broadcast_as_feedback(network, self.broadcast)

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        with torch.no_grad():
            activity = network(batch.inputs, batch.background)
        errors = find_errors(network, activity, batch, objective)
        weights = network.all_weights()
        constants = {b: network.blocks()[b].constants() for b in _computed(network)}
        learned = {b: Eligibilities(network, b, own, batch.n_trials, self.response) for b, own in constants.items()}
        with torch.no_grad():
            self._run(network, weights.detach(), activity.spikes, batch.background, errors, learned)
        _set_gradients(weights, constants, learned)
        return Outcome(errors.loss, activity.output, activity.spikes)

    def _run(
        self,
        network: TrainableNetwork,
        weights: Tensor,
        spikes: Tensor,
        background: Tensor | None,
        errors: Errors,
        learned: dict[int, Eligibilities],
    ) -> None:
        arrivals = Arrivals(network, weights, spikes, background)
        recent = Recent(network, spikes.shape[1])
        paths = _paths(network, weights) if self.broadcast is None else {DELAY: self.broadcast}
        places = {b: torch.tensor(network.lowered.network.blocks[b].neurons).to(spikes.device).long() for b in learned}
        n_steps = len(spikes)
        for start in range(0, n_steps, CHUNK):
            stop = min(start + CHUNK, n_steps)
            signal = torch.stack([_signal(errors.output, paths, network, n) for n in range(start, stop)])
            recent.add(spikes[start:stop], start)
            for number, stage in enumerate(network.layout):
                if network.input.block in stage.blocks:
                    continue
                for block, arrived in arrivals.by_block(number, start, stop).items():
                    now = None if errors.spikes is None else errors.spikes[start:stop][:, :, places[block]]
                    learned[block].advance(arrived, recent, start, signal[:, :, places[block]], now)


def _computed(network: TrainableNetwork) -> list[int]:
    """Return the blocks but that of the input."""
    return [b for b in range(len(network.blocks())) if b != network.input.block]


def _paths(network: TrainableNetwork, weights: Tensor) -> dict[int, Tensor]:
    """Return by delay the readout's weights, of shape (neuron, output)."""
    pre, output, synapse = readout_synapses(network)
    delays = [torch.tensor(table.delay.astype("int64")) for table in network.lowered.network.tables]
    delay = torch.cat(delays).to(weights.device)[synapse]
    n = network.readout.size
    found = {}
    for value in delay.unique().tolist():
        chosen = delay == value
        flat = weights.new_zeros(network.lowered.network.n_neurons * n)
        flat = flat.index_add(0, pre[chosen] * n + output[chosen], weights[synapse[chosen]])
        found[int(value)] = flat.view(-1, n)
    return found


def _signal(error: Tensor, paths: dict[int, Tensor], network: TrainableNetwork, step: int) -> Tensor:
    """Return the errors that spikes up to a step add to, once they have arrived; of outputs, their own now."""
    found = error.new_zeros(error.shape[1], network.lowered.network.n_neurons)
    for delay, weights in paths.items():
        if (seen := step + delay + 1) < len(error):
            found += error[seen] @ weights.T
    found[:, network.readout.start : network.readout.stop] = error[step]
    return found


def _set_gradients(weights: Tensor, constants: dict[int, dict[str, Tensor]], learned: dict[int, Eligibilities]) -> None:
    """Hand the gradients of weights and constants on to the parameters that they are made of."""
    gradient = torch.zeros_like(weights)
    tensors, gradients = [], []
    for block, own in learned.items():
        for trace in own.traces:
            if trace.fan is not None:
                trace.fan.collect(gradient, trace.gradient)
            else:
                tensors.append(constants[block][trace.column])
                gradients.append(trace.gradient[:, 0])
    if weights.requires_grad:
        tensors.append(weights)
        gradients.append(gradient)
    torch.autograd.backward(tensors, gradients)
