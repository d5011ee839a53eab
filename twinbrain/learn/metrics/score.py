"""Loss, decision and score of outputs: the same for spiking regions and for what they are compared with.

Outputs are time-first, (step, trial, output); targets and what counts of a trial are as they lie in `Trials`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from twinbrain.errors import LearnError

Kind = Literal["classification", "regression"]


def mean_output(output: Tensor, scored: Tensor) -> Tensor:
    """Return each trial's mean output over the steps that count.

    Parameters
    ----------
    output : Tensor, shape (step, trial, output)
        What the model gave.
    scored : Tensor, shape (trial, step)
        Weight of each step.

    Returns
    -------
    Tensor, shape (trial, output)
        The mean, weighted.

    Raises
    ------
    LearnError
        If the two do not have the same steps and trials.
    """
    weight = _by_step(output, scored)
    return (output * (weight / weight.sum(0))[:, :, None]).sum(0)


def decide(output: Tensor, scored: Tensor) -> Tensor:
    """Return the class of each trial: that of the largest mean output over the steps that count.

    Parameters
    ----------
    output : Tensor, shape (step, trial, output)
        What the model gave.
    scored : Tensor, shape (trial, step)
        Weight of each step.

    Returns
    -------
    Tensor of int64, shape (trial,)
        The classes.
    """
    return mean_output(output, scored).argmax(1)


def loss(output: Tensor, target: Tensor, scored: Tensor, kind: Kind) -> Tensor:
    """Return the loss, a mean over trials.

    Of a classification it is the cross entropy of the mean output over the steps that count, taken as logarithms of
    odds; of a regression, the mean squared error over these steps and the outputs.

    Parameters
    ----------
    output : Tensor, shape (step, trial, output)
        What the model gave.
    target : Tensor of int64, shape (trial,), or Tensor, shape (trial, step, output)
        Class of each trial, or what the outputs should be.
    scored : Tensor, shape (trial, step)
        Weight of each step.
    kind : {"classification", "regression"}
        Which of the two.

    Returns
    -------
    Tensor
        A scalar.

    Raises
    ------
    LearnError
        If the shapes do not fit together.
    """
    if kind == "classification":
        return cross_entropy(mean_output(output, scored), target)
    return _squared_error(output, target, scored).mean()


def score(output: Tensor, target: Tensor, scored: Tensor, kind: Kind) -> Tensor:
    """Return each trial's score: whether its class was found, or its mean squared error.

    Parameters are those of `loss`. The mean over trials is what a task's ``chance`` is compared with.

    Returns
    -------
    Tensor, shape (trial,)
        1 or 0 in a classification, of which more is better; the error in a regression, of which less is.
    """
    if kind == "classification":
        return (decide(output, scored) == target).to(output.dtype)
    return _squared_error(output, target, scored)


def accuracy(output: Tensor, target: Tensor, scored: Tensor) -> float:
    """Return the share of trials whose class was found.

    Parameters are those of `loss`.
    """
    return float(score(output, target, scored, "classification").mean())


def _squared_error(output: Tensor, target: Tensor, scored: Tensor) -> Tensor:
    weight = _by_step(output, scored)
    if (found := tuple(target.shape)) != (expected := (output.shape[1], output.shape[0], output.shape[2])):
        raise LearnError(
            f"target: expected shape (trial, step, output) = {expected}, as the output has, found {found}; score a "
            "model that gives no output at every step by a classification"
        )
    error = (output - target.transpose(0, 1)).square().mean(2)
    return (error * weight).sum(0) / weight.sum(0)


def _by_step(output: Tensor, scored: Tensor) -> Tensor:
    """Return the weights as (step, trial)."""
    if output.ndim != 3 or tuple(output.shape[:2]) != tuple(reversed(scored.shape)):
        raise LearnError(
            f"output: expected shape (step, trial, output) with {tuple(reversed(scored.shape))} steps and trials, as "
            f"scored has (trial, step), found {tuple(output.shape)}; put time first"
        )
    return scored.T.to(torch.promote_types(output.dtype, torch.float32))
