"""Forward-forward: each population tells right from wrong labels by its own rates."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot, softplus

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.network import Activity, TrainableNetwork
from twinbrain.learn.options import Frequency, NotNegative
from twinbrain.learn.rules.penalty import refuse_penalty
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.learn.tasks.task import Task
from twinbrain.network.random import stream_key, uniforms


class ForwardForward(Rule):
    """Every population's rates should be high in trials that come with their label, and low with another one.

    The label comes in through input channels of its own, one a class, after those of the task. Of each trial three
    are made: with its label, with a wrong one, and with none. A population's goodness is its neurons' mean squared
    rate, in units of ``rate``; a logistic function of what it exceeds 1 should tell the first two apart. No gradient
    passes a synapse, so each neuron knows its own spikes and how good its population is.

    The third kind is what the readout learns from, by the delta rule, and what is seen after training: deciding takes
    one pass, in any engine, with silent label channels. (The goodness of every label in turn takes as many passes as
    there are classes, see `label_goodness`.)

    Parameters
    ----------
    rate : float (Hz)
        Root mean square rate of a population at which right and wrong are equally likely.
    sharpness : float
        Of the logistic function.
    label_rate : float (Hz)
        Rate at which the channel of a label spikes, regularly.
    readout_rate : float
        Weight of the readout's loss beside those of the populations.
    """

    name = "forward_forward"
    locality = Locality(weights="none", signal="error", when="online", memory="1")
    reference = "arXiv:2212.13345"

    n_batches: Tensor

    def __init__(
        self,
        rate: Frequency = 30.0,
        sharpness: float = 2.0,
        label_rate: Frequency = 100.0,
        readout_rate: NotNegative = 1.0,
    ) -> None:
        super().__init__()
        if not (rate > 0 and sharpness > 0 and label_rate > 0):
            raise LearnError(
                f"rule forward_forward: expected rate, sharpness and label_rate above 0, found {rate}, {sharpness} and "
                f"{label_rate}"
            )
        self.rate, self.sharpness, self.label_rate, self.readout_rate = rate, sharpness, label_rate, readout_rate
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.int64))

    def extra_channels(self, task: Task) -> int:
        """Return one channel a class.

        Raises
        ------
        LearnError
            If the task has no classes.
        """
        if task.kind != "classification":
            raise LearnError(
                f"rule forward_forward: expected a classification, whose labels it can give with the input, found the "
                f"task {task.name!r}, a {task.kind}; train it by another rule"
            )
        return task.n_outputs

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Find the populations.

        Raises
        ------
        LearnError
            If there are delays to be trained, rates to be penalised, or the task has no classes.
        """
        if objective.kind != "classification" or network.delays is not None:
            raise LearnError(
                "rule forward_forward: expected a classification and no trained delays, through which no gradient "
                "passes here; leave 'delay' out, or train by 'bptt'"
            )
        refuse_penalty(objective, self.name, "populations set their rates by their goodness")
        self.seed, self.dt, self.n_labels = seed, objective.dt, network.readout.size
        self.populations = [
            slice(p.start, p.start + p.size)
            for p in network.lowered.network.populations
            if p.population not in (INPUT, READOUT)
        ]

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        inputs = torch.cat([self.labelled(batch, label) for label in (batch.target, self._wrong(batch))], 1)
        background = None if batch.background is None else batch.background.repeat(1, 2, 1)
        losses = self.local_losses(self._shut(network, inputs, background), batch.scored.repeat(2, 1))
        losses.sum().backward()
        with torch.no_grad():
            neutral = network(batch.inputs, batch.background)
        output = network.read(neutral.spikes, batch.background)
        loss = objective(Activity(neutral.spikes, output), batch)
        if output.requires_grad:
            (self.readout_rate * loss).backward()
        self.n_batches += 1
        return Outcome(loss.detach(), neutral.output, neutral.spikes)

    def labelled(self, batch: Batch, label: Tensor) -> Tensor:
        """Return the inputs of trials with labels, shape (step, trial, channel)."""
        inputs, every = batch.inputs.clone(), max(1, round(1e3 / (self.label_rate * self.dt)))
        inputs[::every, :, -self.n_labels :] = one_hot(label, self.n_labels).to(inputs)
        return inputs

    def local_losses(self, spikes: Tensor, scored: Tensor) -> Tensor:
        """Return the loss of each population, of trials with their labels and then as many with wrong ones.

        Parameters
        ----------
        spikes : Tensor, shape (step, trial, neuron)
            Of all neurons.
        scored : Tensor, shape (trial, step)
            The last step that counts is the end of a trial.
        """
        goodness = self.goodness(spikes, scored)
        right, wrong = (self.sharpness * (goodness - 1.0)).chunk(2)
        return softplus(-right).mean(0) + softplus(wrong).mean(0)

    def goodness(self, spikes: Tensor, scored: Tensor) -> Tensor:
        """Return the mean squared rates, in units of ``rate``; shape (trial, population)."""
        step = torch.arange(len(spikes), device=spikes.device)
        end = torch.where(scored > 0, step, 0).amax(1)
        counted = (step[:, None] <= end)[:, :, None].to(spikes)
        rate = (spikes * counted).sum(0) / ((end + 1)[:, None] * self.dt * 1e-3)
        return torch.stack([(rate[:, own] / self.rate).square().mean(1) for own in self.populations], 1)

    @torch.no_grad()
    def label_goodness(self, network: TrainableNetwork, batch: Batch) -> Tensor:
        """Return how good trials are with each label, summed over populations; shape (trial, label)."""
        found = []
        for label in range(self.n_labels):
            inputs = self.labelled(batch, torch.full_like(batch.target, label))
            spikes = network(inputs, batch.background).spikes
            found.append(self.goodness(spikes, batch.scored).sum(1))
        return torch.stack(found, 1)

    def _shut(self, network: TrainableNetwork, inputs: Tensor, background: Tensor | None) -> Tensor:
        """Return the spikes of a network through whose synapses no gradient passes to another neuron's."""
        weights = network.all_weights().detach()
        nothing = {i: torch.zeros_like(link.prepare(weights)) for i, link in network.numbered_links()}
        spikes: Tensor = network(inputs, background, nothing).spikes
        return spikes

    def _wrong(self, batch: Batch) -> Tensor:
        """Return another label for each trial, drawn anew for each batch."""
        drawn = uniforms(stream_key(self.seed, self.name, str(int(self.n_batches))), batch.n_trials)
        shift = torch.tensor(1 + np.floor(drawn * (self.n_labels - 1)).astype(np.int64), device=batch.target.device)
        return (batch.target + shift) % self.n_labels
