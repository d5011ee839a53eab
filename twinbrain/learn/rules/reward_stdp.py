"""Reward-modulated plasticity: pairs of spikes mark a synapse, and a reward at the end of the trial changes it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.metrics.score import mean_output, score
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.options import Positive, Time
from twinbrain.learn.rules.bounds import clip_weights
from twinbrain.learn.rules.pairs import Window, pair_changes
from twinbrain.learn.rules.penalty import refuse_penalty
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.learn.rules.synapses import Synapses, synapses_of
from twinbrain.network.random import stream_key, uniforms


class RewardSTDP(Rule):
    """Three factors: a spike before, a spike after, and reward beyond what is expected.

    A decision is tried out: a class by the odds of the outputs, or outputs with noise of 1 mV. Its reward is 1 if the
    class is right, 0 if not; of a regression, minus the error. What is expected is the running mean of rewards.
    Synapses of the readout, which does not spike, have the noise of the decision as their second factor: what was
    decided, less what the outputs say of it on average (10.1007/BF00992696). They are changed by the optimiser, at its
    learning rate, and the others as much as their amplitudes say.

    One number reaches all neurons, and these do not try anything out: on a trial they spike as the input makes them. So
    the reward tells which trials are answered right, and not which neurons helped; what is learned is the readout.

    Parameters
    ----------
    A_plus, A_minus : float
        Amplitudes of `Window`, in mean weights a batch; 0 leaves the hidden layer as it is.
    tau_plus, tau_minus : float (ms)
        Time constants of `Window`.
    tau_c : float (ms)
        Time constant with which a synapse forgets that it was marked.
    memory : float
        Batches over which the mean reward runs.
    w_max : float
        Largest weight, in mean weights.
    shuffled : bool
        A control: marks of a trial meet the reward of the next in its batch, which says nothing of them; the readout
        has its own.
    """

    name = "reward_stdp"
    locality = Locality(weights="none", signal="reward", when="online", memory="1")
    idle = ("surrogate",)
    reference = "10.1093/cercor/bhl152"
    hidden_is_taught = False

    expected: Tensor
    n_batches: Tensor

    def __init__(
        self,
        A_plus: float = 0.01,
        A_minus: float = 0.0105,
        tau_plus: Time = 20.0,
        tau_minus: Time = 20.0,
        tau_c: Time = 1000.0,
        memory: float = 10.0,
        w_max: Positive = 4.0,
        shuffled: bool = False,
    ) -> None:
        super().__init__()
        self.window = Window(A_plus, A_minus, tau_plus, tau_minus)
        if not tau_c > 0 or not memory >= 1:
            raise LearnError(
                f"rule reward_stdp: expected tau_c above 0 ms and a memory of 1 batch or more, found {tau_c:g} and "
                f"{memory:g}"
            )
        self.tau_c, self.memory, self.w_max = tau_c, memory, w_max
        self.shuffled = shuffled
        self.coming: Tensor | None = None
        self.register_buffer("expected", torch.zeros((), dtype=torch.float64))
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.int64))

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Find the synapses.

        Raises
        ------
        LearnError
            If anything but weights is to be trained, or rates are to be penalised.
        """
        self.seed = seed
        refuse_penalty(objective, self.name, "pairs of spikes alone say how synapses change")
        self.synapses: Synapses = synapses_of(network, self.name)

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, set the gradients of the readout, and find what reward is to change of marked synapses."""
        with torch.no_grad():
            activity = network(batch.inputs, batch.background)
        output = network.read(activity.spikes, batch.background)
        log_odds, reward = self._decide(output, batch, objective)
        beyond = (reward - self._expect(reward)).to(output.dtype) / batch.n_trials
        if output.requires_grad:
            (-(beyond * log_odds).sum()).backward()
        of_marks = beyond.roll(1) if self.shuffled else beyond
        self.coming = self.eligibility(activity.spikes, batch.scored, objective.dt, of_marks)
        return Outcome(objective(activity, batch).detach(), activity.output, activity.spikes)

    def constrain(self, network: TrainableNetwork) -> None:
        """Change marked synapses as their reward says, and none beyond the largest."""
        if self.coming is not None:
            self.synapses.change(network, self.coming)
            self.coming = None
        clip_weights(network, self.w_max)

    def eligibility(self, spikes: Tensor, scored: Tensor, dt: float, reward: Tensor) -> Tensor:
        """Return how far the inner synapses are marked at the end of trials, times reward, summed over trials.

        Parameters
        ----------
        spikes : Tensor, shape (step, trial, neuron)
            Of all neurons.
        scored : Tensor, shape (trial, step)
            The last step that counts is the end of a trial.
        dt : float (ms)
            Time step.
        reward : Tensor, shape (trial,)
            What each trial counts.
        """
        step = torch.arange(len(spikes), dtype=torch.float64, device=spikes.device)
        end = torch.where(scored > 0, step, 0).amax(1)
        left = (end - step[:, None]) * dt
        weight = torch.where(left >= 0, torch.exp(-left / self.tau_c), 0.0).to(spikes) * reward
        return pair_changes(spikes, self.synapses, self.window, dt, weight)

    def _decide(self, output: Tensor, batch: Batch, objective: Objective) -> tuple[Tensor, Tensor]:
        """Return the log odds of decisions that were drawn, and their rewards; each of shape (trial,)."""
        mean = mean_output(output, batch.scored)
        key = stream_key(self.seed, self.name, str(int(self.n_batches)))
        drawn = uniforms(key, 2 * mean.numel()).reshape(2, *mean.shape)
        if objective.kind == "classification":
            noise = torch.tensor(-np.log(-np.log(drawn[0]))).to(mean)
            decision = (mean.detach() + noise).argmax(1)
            log_odds = (log_softmax(mean, 1) * one_hot(decision, mean.shape[1])).sum(1)
            return log_odds, (decision == batch.target).double()
        noise = torch.tensor(np.sqrt(-2 * np.log(drawn[0])) * np.cos(2 * np.pi * drawn[1])).to(mean)
        error = score(output.detach() + noise, batch.target, batch.scored, objective.kind)
        return -0.5 * (mean.detach() + noise - mean).square().sum(1), -error.double()

    def _expect(self, reward: Tensor) -> Tensor:
        """Return the reward that was expected, and expect more like what came."""
        mean = reward.mean()
        before = self.expected.clone() if int(self.n_batches) else mean
        self.expected.copy_(before + (mean - before) / self.memory)
        self.n_batches += 1
        return before
