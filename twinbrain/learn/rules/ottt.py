"""Online training through time: presynaptic traces that leak as the membrane does, and errors of the same moment."""

from __future__ import annotations

import torch

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.arrivals import Arrivals
from twinbrain.learn.rules.errors import find_errors
from twinbrain.learn.rules.jacobian import CHUNK
from twinbrain.learn.rules.leak import find_leaks
from twinbrain.learn.rules.levels import find_levels
from twinbrain.learn.rules.refusals import refuse_delays, refuse_parameters
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.learn.rules.traces import LevelTraces


class OnlineTrainingThroughTime(Rule):
    """Gradients in space, at every moment, times traces in time.

    A synapse keeps a trace of the spikes of its source, which leaks as its target's membrane does (and its receptor's
    current); spikes of the target do not reset it. The gradient is the sum over time of the trace times the
    derivative of the loss by the membrane at that moment: through the spike's surrogate, and from the outputs
    back through the populations, delay by delay; but not back in time, nor between populations that reach each other
    in turn (Xiao et al. 2022).

    Only weights are trained so.
    """

    name = "ottt"
    locality = Locality(weights="transposed", signal="error of the layer above", when="online", memory="1")
    idle = ("window",)
    reference = "arXiv:2210.04195"

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Find how membranes leak.

        Raises
        ------
        LearnError
            If parameters of cells, or delays, are to be trained, or cells are not linear between spikes.
        """
        refuse_delays(network, self.name)
        refuse_parameters(network, self.name)
        self.levels = find_levels(network)
        self.leaks = [find_leaks(network, level, self.name) for level in self.levels]

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        with torch.no_grad():
            activity = network(batch.inputs, batch.background)
        errors = find_errors(network, activity, batch, objective)
        weights = network.all_weights()
        with torch.no_grad():
            arrivals = Arrivals(network, weights.detach(), activity.spikes, batch.background)
            levels = [
                LevelTraces(network, level, leaks, arrivals)
                for level, leaks in zip(self.levels, self.leaks, strict=True)
            ]
            # A level is computed later than those it sends to, so that the errors that its spikes meet are known.
            n_steps = len(activity.spikes)
            for clock in range(-(-n_steps // CHUNK) + max(level.lag for level in self.levels)):
                for own in reversed(levels):
                    start = (clock - own.level.lag) * CHUNK
                    if 0 <= start < n_steps:
                        own.advance(start, min(start + CHUNK, n_steps), errors, levels)
            gradient = torch.zeros_like(weights)
            for own in levels:
                own.collect(gradient)
        weights.backward(gradient)
        return Outcome(errors.loss, activity.output, activity.spikes)
