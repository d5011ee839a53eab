"""How well a trained network bears disturbances of its input, and lesions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from twinbrain.learn.baselines.baseline import Baseline
from twinbrain.learn.baselines.fit import evaluate as evaluate_baseline
from twinbrain.learn.baselines.view import fits
from twinbrain.learn.lesion import lesioned, lesioned_baseline
from twinbrain.learn.loop import evaluate
from twinbrain.learn.tasks.disturb import add_spikes, drop_spikes, warp
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials
from twinbrain.learn.trained import Trained

LESION = "lesion"
DISTURBANCES = ("added spikes", "dropped spikes", "slower", "faster", LESION)
LEVELS = (0.0, 0.1, 0.2, 0.4)


def disturbed_scores(trained: Trained) -> NDArray[np.float64]:
    """Return the scores of a trained model under each disturbance at each level; NaN at level 0."""
    setup = trained.setup

    def score(trials: Trials) -> float:
        return evaluate(setup, trials, "test")[1]

    return _under_disturbances(
        score, setup.task, setup.run.seed, lambda share: lesioned(setup.network, share, setup.run.seed)
    )


def disturbed_baseline_scores(baseline: Baseline, task: Task, seed: int) -> NDArray[np.float64]:
    """Return the scores of a trained baseline, likewise; NaN where it does not see what is disturbed."""
    found = _under_disturbances(
        lambda trials: evaluate_baseline(baseline, task, trials) if fits(task, trials, baseline.view) else np.nan,
        task,
        seed,
        lambda share: lesioned_baseline(baseline.module, share, seed),
    )
    if baseline.view not in ("spikes", "counts") and task.train.features is not None:  # which shows no spikes
        found[:2] = np.nan
    return found


def _under_disturbances(
    score: Callable[[Trials], float], task: Task, seed: int, lesion: Callable[[float], AbstractContextManager[None]]
) -> NDArray[np.float64]:
    """Return the score under each disturbance at each level but 0."""
    found = np.full((len(DISTURBANCES), len(LEVELS)), np.nan)
    for row, name in enumerate(DISTURBANCES):
        for column, level in enumerate(LEVELS):
            if not level:
                continue
            if name == LESION:
                with lesion(level):
                    found[row, column] = score(task.test)
            else:
                found[row, column] = score(disturbed_trials(task, name, level, seed))
    return found


def disturbed_trials(task: Task, disturbance: str, level: float, seed: int) -> Trials:
    """Return the held-out trials of a task, disturbed.

    Parameters
    ----------
    task : Task
        The task.
    disturbance : {"added spikes", "dropped spikes", "slower", "faster"}
        What is done to them.
    level : float
        How much: spikes added or dropped, as a share of those that there are; or by which share they last longer, or
        would have to last longer to be as before.
    seed : int
        Names the draws.
    """
    trials = task.test
    if disturbance == "added spikes":
        seconds = len(trials) * trials.n_steps * task.dt / 1e3
        rate = level * len(trials.step) / (seconds * task.n_channels)
        return add_spikes(trials, rate, task.dt, task.n_channels, seed)
    if disturbance == "dropped spikes":
        return drop_spikes(trials, level, seed)
    return warp(trials, 1 + level if disturbance == "slower" else 1 / (1 + level))
