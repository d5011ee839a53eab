"""Backpropagation through time, with surrogate gradients."""

from __future__ import annotations

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.rule import Locality, Outcome, Rule


class BackpropagationThroughTime(Rule):
    """The gradient of the loss, with a surrogate in the place of a spike's derivative."""

    name = "bptt"
    locality = Locality(weights="transposed", signal="error of the layer above", when="backward", memory="n")
    reference = "10.1109/MSP.2019.2931595"

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        activity = network(batch.inputs, batch.background)
        loss = objective(activity, batch)
        loss.backward()
        return Outcome(loss.detach(), activity.output.detach(), activity.spikes.detach())
