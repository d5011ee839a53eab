"""Trials as tensors, and what is to be made small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.learn.metrics.score import Kind, loss
from twinbrain.learn.network import Activity
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials


@dataclass(frozen=True, eq=False)
class Batch:
    """Trials side by side.

    Parameters
    ----------
    inputs : Tensor of uint8, shape (step, trial, channel)
        Spikes of the input.
    target : Tensor of int64, shape (trial,), or Tensor, shape (trial, step, output)
        Classes, or wanted outputs.
    scored : Tensor, shape (trial, step)
        Weight of each step's output.
    background : Tensor of int32, shape (step, trial, inlet), or None
        What drives add, in quanta.
    """

    inputs: Tensor
    target: Tensor
    scored: Tensor
    background: Tensor | None = None

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.inputs.shape[1]


def batch_of(
    task: Task, trials: Trials, index: NDArray[np.int64], background: Tensor | None = None, device: str = "cpu"
) -> Batch:
    """Return some trials of a task as tensors."""
    return Batch(
        torch.as_tensor(trials.spikes(index, task.n_channels)).to(device),
        torch.as_tensor(trials.target[index]).to(device),
        torch.as_tensor(trials.scored[index]).to(device),
        None if background is None else background.to(device),
    )


@dataclass(frozen=True, eq=False)
class Objective:
    """What is made small: the error of the outputs, and rates of neurons outside of a range.

    Parameters
    ----------
    kind : {"classification", "regression"}
        Of the task.
    dt : float (ms)
        Time step.
    rate_range : tuple of float (Hz)
        The mean rates, over a batch, at which a neuron is not penalised.
    rate_penalty : float
        Weight of the penalty: the mean over neurons of the squared distance from the range, in units of its middle.
    neurons : ndarray of int64, shape (chosen,), optional
        Numbers of the neurons whose rates are penalised; by default all.
    """

    kind: Kind
    dt: float
    rate_range: tuple[float, float] = (0.0, np.inf)
    rate_penalty: float = 0.0
    neurons: NDArray[np.int64] | None = None

    def __call__(self, activity: Activity, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        found = loss(activity.output, batch.target, batch.scored, self.kind)
        return found + self.penalty(activity.spikes) if self.rate_penalty else found

    def penalty(self, spikes: Tensor) -> Tensor:
        """Return the penalty of rates."""
        rate = spikes.mean(dim=(0, 1)) * (1e3 / self.dt)
        if self.neurons is not None:
            rate = rate[torch.as_tensor(self.neurons, device=rate.device)]
        low, high = self.rate_range
        outside = (low - rate).clamp(min=0.0) + (rate - high).clamp(min=0.0)
        return self.rate_penalty * ((outside / (0.5 * (low + high))) ** 2).sum() / max(1, len(outside))
