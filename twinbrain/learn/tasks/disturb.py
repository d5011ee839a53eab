"""Disturbances: what a trained network should bear. Functions from trials to trials, the same for the same seed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.coded import number, whole_number
from twinbrain.learn.tasks.split import generator, stratified
from twinbrain.learn.tasks.trials import Trials, events_of


def add_spikes(trials: Trials, rate: float, dt: float, n_channels: int, seed: int = 0) -> Trials:
    """Return trials with spikes of noise added.

    Parameters
    ----------
    trials : Trials
        What is disturbed.
    rate : float (Hz)
        Of added spikes, of each channel. Where a spike is already, nothing changes.
    dt : float (ms)
        What a step lasts.
    n_channels : int
        Channels of the task.
    seed : int
        Names the draws.

    Raises
    ------
    LearnError
        If the rate is negative, or something is no number of its kind.
    """
    rate = number("add_spikes", "rate", rate, "of at least 0 Hz", lambda value: value >= 0)
    dt = number("add_spikes", "dt", dt, "of ms above 0", lambda value: value > 0)
    n_channels = whole_number("add_spikes", "n_channels", n_channels)
    seed = whole_number("add_spikes", "seed", seed, least=0)
    rng = generator(seed, "add_spikes")
    n_cells = trials.n_steps * n_channels
    n_added = rng.poisson(n_cells * rate * dt / 1000, len(trials))
    cell = rng.integers(0, n_cells, n_added.sum())
    start, step, channel = events_of(
        np.concatenate([trials.trial, np.repeat(np.arange(len(trials)), n_added)]),
        np.concatenate([trials.step, cell // n_channels]),
        np.concatenate([trials.channel, cell % n_channels]),
        len(trials),
    )
    return replace(trials, start=start, step=step, channel=channel)


def drop_spikes(trials: Trials, share: float, seed: int = 0) -> Trials:
    """Return trials without some of their spikes.

    Parameters
    ----------
    trials : Trials
        What is disturbed.
    share : float
        Probability of each spike to be lost, from 0 to 1. What a smaller share loses, a larger one loses too.
    seed : int
        Names the draws.

    Raises
    ------
    LearnError
        If the share is not within 0 … 1.
    """
    share = _share("drop_spikes", share)
    seed = whole_number("drop_spikes", "seed", seed, least=0)
    kept = generator(seed, "drop_spikes").random(len(trials.step)) >= share
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        trials,
        start=before[trials.start].astype(np.int64),
        step=trials.step[kept],
        channel=trials.channel[kept],
    )


def warp(trials: Trials, factor: float) -> Trials:
    """Return trials that are slower or faster: spikes, wanted outputs, the steps that count, and frames of features.

    Parameters
    ----------
    trials : Trials
        What is disturbed.
    factor : float
        By which all times are multiplied; 1 changes nothing. Spikes of a channel that fall into one step become one.

    Raises
    ------
    LearnError
        If the factor is not positive.
    """
    factor = number("warp", "factor", factor, "above 0", lambda value: value > 0, "1 is no change")
    n_steps = max(math.ceil(trials.n_steps * factor - 1e-9), 1)
    warped = np.minimum((trials.step * factor + 1e-9).astype(np.int64), n_steps - 1)
    start, step, channel = events_of(trials.trial, warped, trials.channel, len(trials))
    # A step of the warped trial has the weight and the target of the step that it came from.
    of_step = np.minimum((np.arange(n_steps) / factor + 1e-9).astype(np.int64), trials.n_steps - 1)
    scored = trials.scored[:, of_step]
    lost = ~(scored.sum(1) > 0) & (trials.scored.sum(1) > 0)
    last = np.minimum((trials.scored.argmax(1)[lost] * factor).astype(np.int64), n_steps - 1)
    scored[lost, last] = trials.scored[lost].max(1)
    found = replace(trials, start=start, step=step, channel=channel, scored=scored)
    if trials.target.ndim == 3:
        found = replace(found, target=trials.target[:, of_step])
    if trials.features is not None and trials.features.shape[1] > 1:
        n_frames = max(math.ceil(trials.features.shape[1] * factor - 1e-9), 1)
        of_frame = np.minimum((np.arange(n_frames) / factor + 1e-9).astype(np.int64), trials.features.shape[1] - 1)
        found = replace(found, features=trials.features[:, of_frame])
        if trials.n_frames is not None:
            stretched = np.ceil(trials.n_frames * factor - 1e-9).astype(np.int64)
            found = replace(found, n_frames=np.clip(stretched, 1, n_frames))
    return found


def keep_labels(trials: Trials, share: float, seed: int = 0) -> Trials:
    """Return a part of the trials, as if the others had no labels. Each class keeps its share, and at least one trial.

    Parameters
    ----------
    trials : Trials
        Of a classification.
    share : float
        Of trials kept, from 0 to 1. A smaller part is within a larger one.
    seed : int
        Names the draws.

    Raises
    ------
    LearnError
        If the share is not within 0 … 1, or the trials have no classes.
    """
    share = _share("keep_labels", share)
    seed = whole_number("keep_labels", "seed", seed, least=0)
    if trials.target.ndim != 1:
        raise LearnError("keep_labels: expected trials with a class each, found those of a regression; use take")
    n_classes = len(np.unique(trials.target))
    n = max(round(share * len(trials)), n_classes)
    return trials.take(stratified(trials.target, n, generator(seed, "keep_labels")))


def _share(function: str, share: float) -> float:
    return number(function, "share", share, "from 0 to 1", lambda value: 0 <= value <= 1)
