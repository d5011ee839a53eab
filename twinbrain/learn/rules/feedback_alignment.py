"""Feedback alignment: errors come back through weights that are random, and stay as they are."""

from __future__ import annotations

from torch import Tensor

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.feedback import by_link, random_feedback
from twinbrain.learn.rules.rule import Locality, Outcome, Rule


class FeedbackAlignment(Rule):
    """The gradient as backpropagation through time has it, carried back through fixed random weights.

    Every synapse has such a weight beside it, those within populations too, as large as the synapses of its group are.
    """

    name = "feedback_alignment"
    locality = Locality(weights="random", signal="error of the layer above", when="backward", memory="n")
    reference = "10.1038/ncomms13276"

    weights: Tensor

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Draw the feedback weights."""
        self.register_buffer("weights", random_feedback(network, seed))

    def feedback(self, network: TrainableNetwork) -> Tensor:
        """Return the feedback weights."""
        return self.weights

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        activity = network(batch.inputs, batch.background, by_link(network, self.weights))
        loss = objective(activity, batch)
        loss.backward()
        return Outcome(loss.detach(), activity.output.detach(), activity.spikes.detach())
