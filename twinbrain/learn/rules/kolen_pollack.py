"""Kolen–Pollack learning: feedback weights change as the forward ones do, and so become their transposes."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.feedback import by_link, random_feedback, trained_synapses
from twinbrain.learn.rules.rule import Locality, Outcome, Rule


class KolenPollack(Rule):
    """Feedback alignment whose feedback weights get the same changes as the synapses, and the same decay.

    What a synapse is to change by depends on its two neurons alone, and the feedback synapse beside it joins the same
    two. So both get it, whatever the optimiser makes of it, and their difference shrinks by ``decay`` with each batch.
    Synapses that are not trained one by one have fixed random feedback.

    Parameters
    ----------
    decay : float
        Share of its weight that each synapse, forward or backward, loses with each batch.

    Raises
    ------
    LearnError
        If ``decay`` is not a share.

    References
    ----------
    Akrout et al. (2019), arXiv:1904.05391; Kolen and Pollack (1994), DOI 10.1109/ICNN.1994.374486.
    """

    name = "kolen_pollack"
    locality = Locality(weights="learned", signal="error of the layer above", when="backward", memory="n")
    reference = "arXiv:1904.05391"

    weights: Tensor
    before: Tensor
    trained: Tensor

    def __init__(self, decay: float = 0.005) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise LearnError(f"train.rule: kolen_pollack: decay: expected a share from 0 to 1, found {decay!r}")
        self.decay = decay

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Draw the feedback weights that it begins with."""
        self.register_buffer("trained", trained_synapses(network))
        self.register_buffer("weights", random_feedback(network, seed))
        self.register_buffer("before", network.all_weights().detach())

    def feedback(self, network: TrainableNetwork) -> Tensor:
        """Return the feedback weights after all changes of the synapses so far."""
        return self.weights + self._change(network)

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Take over what has changed, decay, compute a batch, and set the gradients of what is trained."""
        self._follow(network)
        activity = network(batch.inputs, batch.background, by_link(network, self.weights))
        loss = objective(activity, batch)
        loss.backward()
        return Outcome(loss.detach(), activity.output.detach(), activity.spikes.detach())

    def _change(self, network: TrainableNetwork) -> Tensor:
        return torch.where(self.trained, network.all_weights().detach() - self.before, 0.0)

    @torch.no_grad()
    def _follow(self, network: TrainableNetwork) -> None:
        self.weights += self._change(network)
        self.weights[self.trained] *= 1.0 - self.decay
        for table in network.tables():
            table.relative.mul_(1.0 - self.decay)
        self.before = network.all_weights().detach()
