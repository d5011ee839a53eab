"""Plasticity without a teacher, and a readout that learns from its own error."""

from __future__ import annotations

import torch
from torch import Tensor

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.options import Positive, Time
from twinbrain.learn.rules.bounds import clip_weights, incoming, normalise
from twinbrain.learn.rules.frozen_hidden import learn_readout
from twinbrain.learn.rules.pairs import Window, pair_changes
from twinbrain.learn.rules.penalty import refuse_penalty
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.learn.rules.synapses import Synapses, synapses_of


class STDPReadout(Rule):
    """Pairs of spikes change the synapses among neurons; the delta rule those of the readout.

    After each batch the weights that reach a neuron from one population are scaled to the sum that they had: neurons
    compete with their synapses, and neither die nor explode. The changes by pairs have amplitudes of their own; the
    learning rate, and the optimiser, are the readout's.

    Parameters
    ----------
    A_plus, A_minus : float
        Amplitudes of `Window`, in mean weights a batch, the mean over its trials.
    tau_plus, tau_minus : float (ms)
        Time constants of `Window`.
    w_max : float
        Largest weight, in mean weights.
    """

    name = "stdp_readout"
    locality = Locality(weights="none", signal="error", when="online", memory="1")
    idle = ("surrogate",)
    reference = "10.3389/fncom.2015.00099"
    hidden_is_taught = False

    def __init__(
        self,
        A_plus: float = 0.0002,
        A_minus: float = 0.00021,
        tau_plus: Time = 20.0,
        tau_minus: Time = 20.0,
        w_max: Positive = 4.0,
    ) -> None:
        super().__init__()
        self.window = Window(A_plus, A_minus, tau_plus, tau_minus)
        self.w_max = w_max
        self.coming: Tensor | None = None

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Find the synapses, and what reaches each neuron.

        Raises
        ------
        LearnError
            If anything but weights is to be trained, or rates are to be penalised.
        """
        refuse_penalty(objective, self.name, "pairs of spikes alone say how synapses change")
        self.synapses: Synapses = synapses_of(network, self.name)
        for number, weights in enumerate(network.tables()):
            self.register_buffer(f"wanted_{number}", incoming(network, weights, number)[1])

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, set the gradients of the readout, and find what pairs of spikes are to change."""
        with torch.no_grad():
            activity = network(batch.inputs, batch.background)
        loss = learn_readout(network, activity.spikes, batch, objective)
        self.coming = self.change(activity.spikes, objective.dt)
        return Outcome(loss, activity.output, activity.spikes)

    def change(self, spikes: Tensor, dt: float) -> Tensor:
        """Return what pairs of spikes change of inner synapses, in mean weights; a mean over trials."""
        weight = spikes.new_full(spikes.shape[:2], 1.0 / spikes.shape[1])
        return pair_changes(spikes, self.synapses, self.window, dt, weight)

    def constrain(self, network: TrainableNetwork) -> None:
        """Change synapses as pairs of spikes say, none beyond the largest, and keep what reaches each neuron."""
        if self.coming is not None:
            self.synapses.change(network, self.coming)
            self.coming = None
        clip_weights(network, self.w_max)
        normalise(network, [self.get_buffer(f"wanted_{number}") for number in range(len(network.weights))])
