"""The interface of a rule."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.tasks.task import Task


@dataclass(frozen=True)
class Locality:
    """What a synapse must know to change by a rule, besides what its two neurons do.

    Parameters
    ----------
    weights : str
        Weights of other synapses that it uses: ``"none"``, ``"transposed"`` (those of the way forward), ``"random"``
        or ``"learned"``.
    signal : str
        What reaches it from outside: ``"none"``, ``"error"`` (of each output), ``"error of the layer above"``,
        ``"reward"`` (one number).
    when : str
        ``"online"``, or ``"backward"``: after the trial, in reverse.
    memory : str
        How the memory for a trial grows with its n steps: ``"n"`` or ``"1"``.
    """

    weights: Literal["none", "transposed", "random", "learned"]
    signal: Literal["none", "error", "error of the layer above", "reward"]
    when: Literal["online", "backward"]
    memory: Literal["1", "n"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a batch gave.

    Parameters
    ----------
    loss : Tensor
        A scalar, without gradient.
    output : Tensor, shape (step, trial, output)
        Of the readout.
    spikes : Tensor, shape (step, trial, neuron)
        0 or 1.
    """

    loss: Tensor
    output: Tensor
    spikes: Tensor


class Rule(nn.Module):
    """How a network changes.

    A rule leaves in ``parameter.grad`` the direction against which each parameter goes; an optimiser does the rest.
    What it keeps between batches (feedback weights, a mean reward) are buffers, so that a training that is resumed goes
    on to the same bits.
    """

    name: ClassVar[str]
    locality: ClassVar[Locality]
    reference: ClassVar[str]
    """DOI or arXiv number."""
    optimiser: ClassVar[Literal["adam", "sgd"]] = "adam"
    learning_rate: ClassVar[float] = 0.01
    """Where none is given."""
    idle: tuple[str, ...] = ()
    """Settings of a training that have no effect on it, of ``"surrogate"`` and ``"window"``."""
    hidden_is_taught: ClassVar[bool] = True
    """Whether what neurons before the readout learn depends on the errors of a trial; see `ShuffledErrors`."""

    def extra_channels(self, task: Task) -> int:
        """Return how many input channels the rule needs besides those of the task; they come after these."""
        return 0

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Make what the rule needs for a network, such as feedback weights.

        Raises
        ------
        LearnError
            If it cannot train what is asked of this network.
        """

    def n_trained(self, network: TrainableNetwork) -> int:
        """Return the number of values that are trained."""
        return network.n_trained

    def feedback(self, network: TrainableNetwork) -> Tensor | None:
        """Return the weights that carry errors back, beside those of the way forward; None if there are none.

        Of shape (synapse,), in the order of ``network.all_weights()``; no number where nothing is carried back.
        """
        return None

    @abstractmethod
    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""

    @torch.no_grad()
    def constrain(self, network: TrainableNetwork) -> None:
        """Bring weights back to where the rule keeps them, after a step of the optimiser."""
