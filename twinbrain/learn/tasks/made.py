"""What the made tasks share: labels in equal shares, and channels that spike by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.room import check_drawn
from twinbrain.learn.tasks.split import chance, generator
from twinbrain.learn.tasks.task import SPLITS, Task
from twinbrain.learn.tasks.trials import Trials, join

Draw = Callable[[np.random.Generator, NDArray[np.int64]], Trials]
"""Draws trials with the given labels."""
BLOCK = 64
"""Trials that are dense at one time."""


def made_task(
    name: str,
    draw: Draw,
    *,
    seed: int,
    n_classes: int,
    n_steps: int,
    n_channels: int,
    sizes: tuple[int, int, int],
    share: float = 1.0,
    kind: Literal["classification", "regression"] = "classification",
    **more: Any,
) -> Task:
    """Return a task whose trials are drawn.

    Parameters
    ----------
    name : str
        Of the task.
    draw : callable
        Gets a generator and labels, ndarray of int64; returns as many trials.
    seed : int
        Names the draws.
    n_classes : int
        Labels are 0 … n_classes - 1, in equal shares.
    n_steps, n_channels : int
        Of a trial.
    sizes : tuple of three int
        Trials to learn from, to watch, and to test with.
    share : float
        Of steps in which a channel spikes at most, on average.
    kind : {"classification", "regression"}
        Of the task.
    **more
        Further fields of `Task`.

    Raises
    ------
    LearnError
        If the trials would be too many or too large.
    """
    n_values = more["n_outputs"] if kind == "regression" else 0
    check_drawn(name, sizes, n_steps, n_channels, block=BLOCK, share=share, n_outputs=n_values)
    trials = []
    for split, n in zip(SPLITS, sizes, strict=True):
        labels = generator(seed, name, split).permutation(np.arange(n) % n_classes)
        blocks = range(0, n, BLOCK)
        trials.append(
            join([draw(generator(seed, name, split, str(first)), labels[first : first + BLOCK]) for first in blocks])
        )
    train, validation, test = trials
    return Task(
        name=name,
        kind=kind,
        n_channels=n_channels,
        train=train,
        validation=validation,
        test=test,
        chance=chance(trials[-1]),
        **more,
    )


def spikes_at(rng: np.random.Generator, rates: NDArray[Any], dt: float, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return random spikes, independent from step to step.

    Parameters
    ----------
    rates : ndarray of float (Hz)
        Broadcast to ``shape``.
    dt : float (ms)
        What a step lasts.
    shape : tuple of int
        (trial, step, channel).

    Raises
    ------
    LearnError
        If a channel would spike more than once a step.
    """
    if (most := float(rates.max())) * dt > 1000:
        raise LearnError(
            f"expected rates up to {1000 / dt:g} Hz, one spike a step, found {most:g} Hz; lower the rate, or shorten dt"
        )
    return (rng.random(shape, np.float32) < rates * (dt / 1000)).astype(np.uint8)


def groups(rates: NDArray[Any], n_neurons: int) -> NDArray[Any]:
    """Return rates of channels, shape (…, group × n_neurons), from rates of groups of so many channels."""
    return np.repeat(rates, n_neurons, axis=-1)
