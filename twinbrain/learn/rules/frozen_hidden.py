"""The control of every rule: a hidden layer that stays as it was drawn, and a readout that learns."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import Activity, TrainableNetwork
from twinbrain.learn.rules.layers import readout_parts
from twinbrain.learn.rules.penalty import refuse_penalty
from twinbrain.learn.rules.rule import Locality, Outcome, Rule


class FrozenHidden(Rule):
    """The readout alone learns, by the delta rule; all else stays to the bit as it was drawn.

    What another rule reaches beyond this one, in the same network with the same readout, is what its hidden layer has
    learned. Random neurons before a trained readout are not weak: they are the liquid state machine of the reference.
    """

    name = "frozen_hidden"
    locality = Locality(weights="none", signal="error", when="online", memory="1")
    idle = ("surrogate",)
    reference = "10.1162/089976602760407955"
    hidden_is_taught = False

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Check that the readout can be trained apart.

        Raises
        ------
        LearnError
            If synapses of the readout share a factor with others, delays are trained, or rates are to be penalised.
        """
        refuse_penalty(objective, self.name, "neurons of a layer that is frozen spike as they do")
        readout_parts(network, self.name)

    def n_trained(self, network: TrainableNetwork) -> int:
        """Return the number of trained weights of the readout."""
        return sum(int(own.sum()) for _, own in readout_parts(network, self.name))

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of the readout."""
        with torch.no_grad():
            activity = network(batch.inputs, batch.background)
        loss = learn_readout(network, activity.spikes, batch, objective)
        return Outcome(loss, activity.output, activity.spikes)


def learn_readout(
    network: TrainableNetwork, spikes: Tensor, batch: Batch, objective: Objective, rate: float = 1.0
) -> Tensor:
    """Add to the gradients of the readout's weights by the delta rule, and return the loss.

    Error times presynaptic trace: of synapses of one linear layer that is the gradient.
    """
    loss = objective(Activity(spikes, network.read(spikes, batch.background)), batch)
    if loss.requires_grad:
        (rate * loss).backward()
    return loss.detach()
