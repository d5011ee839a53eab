"""Tasks small enough to be learned in a test."""

import numpy as np

from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import trials_of


def rates_task(n_trials=(96, 48, 48), n_channels=6, n_steps=12, n_classes=3, seed=0):
    """Return a task whose classes differ in which channels are busy; its features are the counts in three frames."""
    rng = np.random.default_rng(seed)
    rate = np.full((n_classes, n_channels), 0.15)
    for label in range(n_classes):
        rate[label, label::n_classes] = 0.5

    def trials(n):
        target = np.arange(n) % n_classes
        spikes = (rng.random((n, n_steps, n_channels)) < rate[target][:, None]).astype(np.uint8)
        features = spikes.reshape(n, 3, n_steps // 3, n_channels).sum(2).astype(np.float32)
        return trials_of(spikes, target.astype(np.int64), features=features, n_frames=np.full(n, 3))

    return Task(
        "rates", "", n_channels, n_classes, "classification", 1.0, *(trials(n) for n in n_trials), chance=1 / n_classes
    )


def order_task(n_trials=(96, 48, 48), n_steps=10, seed=0):
    """Return a task of which of two channels spikes first; the counts are the same, and the last step alone counts."""
    rng = np.random.default_rng(seed)

    def trials(n):
        target = (np.arange(n) % 2).astype(np.int64)
        spikes = np.zeros((n, n_steps, 2), np.uint8)
        for trial, label in enumerate(target):
            first, second = np.sort(rng.choice(n_steps - 2, 2, replace=False))
            spikes[trial, first, label] = spikes[trial, second, 1 - label] = 1
        scored = np.zeros((n, n_steps), np.float32)
        scored[:, -1] = 1
        return trials_of(spikes, target, scored)

    return Task("order", "", 2, 2, "classification", 1.0, *(trials(n) for n in n_trials), chance=0.5)


def integral_task(n_trials=(64, 32, 32), n_steps=10, seed=0):
    """Return a regression: the output should be the share of steps so far in which the channel spiked."""
    rng = np.random.default_rng(seed)

    def trials(n):
        spikes = (rng.random((n, n_steps, 1)) < rng.random((n, 1, 1))).astype(np.uint8)
        return trials_of(spikes, spikes.cumsum(1, dtype=np.float32) / n_steps)

    found = [trials(n) for n in n_trials]
    return Task("integral", "", 1, 1, "regression", 1.0, *found, chance=float(found[2].target.var()))
