"""What was stored? Bits stream by; one is to be kept, and told when it is recalled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.learn.tasks.made import groups, made_task, spikes_at
from twinbrain.learn.tasks.options import Count, Duration, Rate, Several
from twinbrain.learn.tasks.room import steps
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of


def store_recall(
    dt: Duration = 1.0,
    seed: int = 0,
    n_frames: Several = 10,
    frame: Duration = 100.0,
    n_neurons: Count = 10,
    rate: Rate = 50.0,
    noise: Rate = 0.0,
    n_train: Count = 500,
    n_validation: Count = 100,
    n_test: Count = 200,
) -> Task:
    """Return the task to tell the bit that was there in the frame of the store command, when the recall command comes.

    Every frame but that of the recall shows a random bit. Store comes in a random frame, and recall in a random later
    one. Four groups of channels: bit 0, bit 1, store, recall.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws.
    n_frames : int
        Frames a trial.
    frame : float (ms)
        What a frame lasts. In that of the recall the output counts.
    n_neurons : int
        Channels of each group.
    rate : float (Hz)
        Of channels that say something.
    noise : float (Hz)
        Of the others.
    n_train, n_validation, n_test : int
        Trials.

    References
    ----------
    After Bellec et al. (2018), arXiv 1803.09574, where there are several stores and recalls in a stream.
    """
    n_frame = steps(frame, dt)

    def draw(rng: np.random.Generator, label: NDArray[np.int64]) -> Trials:
        trial = np.arange(len(label))
        store = rng.integers(0, n_frames - 1, len(label))
        recall = rng.integers(store + 1, n_frames)
        bit = rng.integers(0, 2, (len(label), n_frames))
        bit[trial, store] = label
        active = np.zeros((len(label), n_frames, 4))
        active[..., 0], active[..., 1] = bit == 0, bit == 1
        active[trial, recall] = [0, 0, 0, 1]
        active[trial, store, 2] = 1
        rates = np.repeat(np.where(active, rate, noise), n_frame, axis=1)
        spikes = spikes_at(rng, groups(rates, n_neurons), dt, (len(label), n_frames * n_frame, 4 * n_neurons))
        return trials_of(spikes, label, np.repeat(active[..., 3], n_frame, axis=1).astype(np.float32))

    return made_task(
        "store_recall",
        draw,
        seed=seed,
        n_classes=2,
        n_steps=n_frames * n_frame,
        share=max(rate, noise) * dt / 1000,
        sizes=(n_train, n_validation, n_test),
        summary="which bit was there when the store command came, asked by the recall command",
        n_channels=4 * n_neurons,
        n_outputs=2,
        dt=dt,
        references=("arXiv 1803.09574",),
    )
