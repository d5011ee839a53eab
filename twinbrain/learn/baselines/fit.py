"""The harness: all baselines are trained alike."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import Baseline
from twinbrain.learn.baselines.view import Seen, see
from twinbrain.learn.metrics.score import loss, score
from twinbrain.learn.tasks.task import SPLITS, Task
from twinbrain.learn.tasks.trials import Trials

Quality = tuple[float, float]  # Better is less: share of mistakes or error, then loss.


@dataclass(frozen=True, eq=False)
class Fit:
    """A trained baseline, and how it went.

    Parameters
    ----------
    baseline : Baseline
        With the parameters of the best epoch.
    curves : xarray.Dataset
        ``train_loss``, ``validation_loss`` and ``validation_score`` by ``epoch``, which counts from 1.
    scores : dict of str to float
        For each split, accuracy, or of a regression the mean squared error, at the best epoch.
    best_epoch : int
        The epoch that was best on the validation trials.
    seconds : float (s)
        Wall time of the training.
    """

    baseline: Baseline
    curves: xr.Dataset
    scores: dict[str, float]
    best_epoch: int
    seconds: float

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters."""
        return self.baseline.n_parameters


def fit(
    baseline: Baseline,
    task: Task,
    *,
    epochs: int = 100,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.0,
    input_noise: float = 0.0,
    dropout: float = 0.0,
    patience: int = 20,
    largest_gradient: float = 1.0,
    seed: int = 0,
) -> Fit:
    """Train a baseline by Adam, and keep the parameters that were best on the validation trials.

    The same baseline, task and seed give the same result on one machine and number of threads. No random number of the
    process is drawn or seeded.

    Parameters
    ----------
    baseline : Baseline
        Its module is changed in place, on the device where it is.
    task : Task
        What it learns.
    epochs : int, optional
        The most times that the training trials are gone through.
    batch_size : int, optional
        Trials of a step of the optimiser.
    learning_rate : float, optional
        Of Adam (Kingma & Ba 2015, arXiv 1412.6980).
    weight_decay : float, optional
        What a step takes off all parameters, times the learning rate (Loshchilov & Hutter 2019, arXiv 1711.05101).
    input_noise : float, optional
        Standard deviation of noise added to what is seen in training, whose root mean square is 1; spikes are 0 and 1.
    dropout : float, optional
        Share of what the readout sees that is left out at random in training (Srivastava et al. 2014, JMLR 15).
    patience : int, optional
        Epochs without progress on the validation trials after which it stops. Progress is fewer mistakes, or as many
        with less loss; of a regression, less error.
    largest_gradient : float, optional
        Longer gradients are shortened to this norm.
    seed : int, optional
        Of the order of the trials, of noise, and of what is left out.

    Raises
    ------
    LearnError
        If there is nothing to learn from or to watch, a setting makes no sense, or the loss is not finite; the
        parameters are then those of the best epoch so far.
    """
    for split in SPLITS:
        if not len(getattr(task, split)):
            raise LearnError(
                f"task {task.name}: {split}: expected trials, found none; give the task some in every split"
            )
    if not (0 <= input_noise < np.inf and 0 <= weight_decay < np.inf and 0 <= dropout < 1):
        raise LearnError(
            "baseline: expected finite input_noise and weight_decay of at least 0 and a dropout from 0 to less than 1, "
            f"found {input_noise:g}, {weight_decay:g} and {dropout:g}"
        )
    module = baseline.module
    generator = torch.Generator().manual_seed(seed)
    # Draws of their own, so that the order of the trials stays what it is without them.
    noise = torch.Generator().manual_seed(seed + 1)
    optimizer = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay)
    best: Quality = (np.inf, np.inf)
    best_epoch, kept = 0, copy.deepcopy(module.state_dict())
    curves: list[tuple[float, float, float]] = []
    begun = time.perf_counter()
    for epoch in range(1, epochs + 1):
        module.train()
        order = torch.randperm(len(task.train), generator=generator).split(batch_size)
        total = 0.0
        for index in order:
            seen = _seen(baseline, task, task.train, index.numpy())
            input = seen.input
            if input_noise:
                input = input + input_noise * torch.randn(input.shape, generator=noise).to(input)
            with dropped(module, dropout, noise):
                output = module(input)
            found = loss(output, seen.target, seen.scored, task.kind)
            optimizer.zero_grad()
            found.backward()
            norm = nn.utils.clip_grad_norm_(module.parameters(), largest_gradient)
            if not torch.isfinite(found + norm):
                culprit = _not_finite(module)
                module.load_state_dict(kept)
                raise LearnError(
                    f"{baseline.name} on task {task.name}: expected a finite loss and gradient, found {found.item():g} "
                    f"and {float(norm):g} in epoch {epoch}, first in {culprit}; lower the learning rate"
                )
            optimizer.step()
            total += found.item() * len(index)
        validation_loss, validation_score = _evaluate(baseline, task, task.validation)
        curves.append((total / len(task.train), validation_loss, validation_score))
        quality = (1 - validation_score if task.kind == "classification" else validation_score, validation_loss)
        if quality < best:
            best, best_epoch, kept = quality, epoch, copy.deepcopy(module.state_dict())
        elif epoch - best_epoch >= patience:
            break
    seconds = time.perf_counter() - begun
    module.load_state_dict(kept)
    return Fit(
        baseline,
        _labelled(curves),
        {split: evaluate(baseline, task, getattr(task, split)) for split in SPLITS},
        best_epoch,
        seconds,
    )


@contextmanager
def dropped(module: nn.Module, share: float, generator: torch.Generator) -> Iterator[None]:
    """Leave out a share of what the readout of a module sees, and make up for it; nothing where the share is 0."""
    if not share:
        yield
        return

    def leave_out(readout: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        (values,) = inputs
        kept = torch.rand(values.shape, generator=generator).to(values) >= share
        return values * kept / (1 - share)

    hook = module.get_submodule("readout").register_forward_pre_hook(leave_out)
    try:
        yield
    finally:
        hook.remove()


def evaluate(baseline: Baseline, task: Task, trials: Trials) -> float:
    """Return the accuracy of a baseline, or of a regression its mean squared error.

    Parameters
    ----------
    baseline : Baseline
        The baseline.
    task : Task
        The task.
    trials : Trials
        A split of the task, or other trials of its kind.
    """
    return _evaluate(baseline, task, trials)[1]


@torch.no_grad()
def _evaluate(baseline: Baseline, task: Task, trials: Trials, at_once: int = 256) -> tuple[float, float]:
    """Return loss and score, each a mean over trials."""
    baseline.module.eval()
    sums = np.zeros(2)
    for first in range(0, len(trials), at_once):
        index = np.arange(first, min(first + at_once, len(trials)))
        seen = _seen(baseline, task, trials, index)
        output: Tensor = baseline.module(seen.input)
        sums += (
            float(loss(output, seen.target, seen.scored, task.kind)) * len(index),
            float(score(output, seen.target, seen.scored, task.kind).sum()),
        )
    mean_loss, mean_score = (sums / len(trials)).tolist()
    return mean_loss, mean_score


def _seen(baseline: Baseline, task: Task, trials: Trials, index: NDArray[np.int64]) -> Seen:
    """Return trials as the baseline takes them, on the device of its module."""
    device = next(baseline.module.parameters()).device
    return Seen(*(part.to(device) for part in see(task, trials, baseline.view, index, baseline.scale)))


def _labelled(curves: list[tuple[float, float, float]]) -> xr.Dataset:
    names = ("train_loss", "validation_loss", "validation_score")
    values = np.array(curves).reshape(-1, len(names))
    return xr.Dataset(
        {name: ("epoch", column) for name, column in zip(names, values.T, strict=True)},
        {"epoch": np.arange(1, len(values) + 1)},
    )


def _not_finite(module: nn.Module) -> str:
    for what, of in (("", lambda p: p), ("the gradient of ", lambda p: p.grad)):
        for name, parameter in module.named_parameters():
            if (values := of(parameter)) is not None and not torch.isfinite(values).all():
                return f"{what}{name}"
    return "the output"
