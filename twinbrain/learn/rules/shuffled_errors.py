"""A control: the hidden layer is taught by another rule with the targets of other trials, the readout by its own."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.frozen_hidden import learn_readout
from twinbrain.learn.rules.layers import readout_parts
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.learn.tasks.task import Task


class ShuffledErrors(Rule):
    """What a rule changes by errors that say nothing of the trial: each trial gets the target of the next in its batch.

    Batches are drawn in random order, so that the next trial is any other one. The readout learns by the delta rule
    from the right targets. A hidden layer that gains as much from shuffled errors as from its own has learned nothing
    from them.

    Parameters
    ----------
    own : Rule
        The rule of the hidden layer; by name it is the option ``of``, and its options are given beside.

    Raises
    ------
    LearnError
        If no error reaches the hidden layer by that rule.
    """

    name = "shuffled_errors"
    locality = Locality(weights="transposed", signal="error of the layer above", when="backward", memory="n")
    reference = "10.1109/MSP.2019.2931595"
    hidden_is_taught = False

    def __init__(self, own: Rule) -> None:
        super().__init__()
        if not own.hidden_is_taught:
            raise LearnError(
                f"rule shuffled_errors: of: expected a rule by which errors reach the hidden layer, found "
                f"{own.name!r}; take 'bptt', say"
            )
        self.own = own
        self.idle = own.idle

    def extra_channels(self, task: Task) -> int:
        """Return how many input channels the rule of the hidden layer needs besides those of the task."""
        return self.own.extra_channels(task)

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Prepare the rule of the hidden layer.

        Raises
        ------
        LearnError
            If it cannot train this network, or the readout cannot be trained apart.
        """
        readout_parts(network, self.name)
        self.own.prepare(network, objective, seed)

    def feedback(self, network: TrainableNetwork) -> Tensor | None:
        """Return the weights that carry errors back, as the rule of the hidden layer does."""
        return self.own.feedback(network)

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients: the hidden layer has shuffled targets, the readout its own."""
        outcome = self.own.learn(network, shuffled(batch), objective)
        for parameter, readout in readout_parts(network, self.name):
            if parameter.grad is not None:
                # A trial alone in its batch has no other to take a target from.
                parameter.grad[readout if batch.n_trials > 1 else slice(None)] = 0.0
        loss = learn_readout(network, outcome.spikes, batch, objective)
        return Outcome(loss, outcome.output, outcome.spikes)

    @torch.no_grad()
    def constrain(self, network: TrainableNetwork) -> None:
        """Bring weights back to where the rule of the hidden layer keeps them."""
        self.own.constrain(network)


def shuffled(batch: Batch) -> Batch:
    """Return a batch in which each trial has the target of the next."""
    return replace(batch, target=batch.target.roll(1, 0))
