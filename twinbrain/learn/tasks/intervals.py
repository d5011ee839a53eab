"""How long was it? Two clicks, and the time between them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.made import made_task, spikes_at
from twinbrain.learn.tasks.options import Count, Duration, Pause, Rate, Several
from twinbrain.learn.tasks.room import nearest_steps, steps
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of


def intervals(
    dt: Duration = 1.0,
    seed: int = 0,
    n_intervals: Several = 8,
    shortest: Duration = 20.0,
    longest: Duration = 600.0,
    spread: Annotated[float, Field(ge=0, le=10)] = 0.1,
    n_neurons: Count = 20,
    jitter: Pause = 2.0,
    noise: Rate = 5.0,
    onset: Pause = 50.0,
    response: Pause = 100.0,
    n_train: Count = 1000,
    n_validation: Count = 200,
    n_test: Count = 500,
) -> Task:
    """Return the task to tell which of several intervals lies between two clicks.

    In a click every channel spikes once. Both clicks are alike, and the first comes at a random time, so that only
    what is left of the first click at the time of the second tells the interval: membranes, synapses and adaptation of
    many time constants cover the range, those of one do not.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws.
    n_intervals : int
        Classes, evenly in the logarithm from the shortest to the longest.
    shortest, longest : float (ms)
        The ends of the range.
    spread : float
        Standard deviation of the logarithm of an interval within its class. Neighbours of the eight differ by 0.49, so
        that at most 98.7 % can be told.
    n_neurons : int
        Channels.
    jitter : float (ms)
        Standard deviation of a channel's spike about the click.
    noise : float (Hz)
        Rate of other spikes of a channel.
    onset : float (ms)
        The first click comes at a random time up to this.
    response : float (ms)
        How long the output counts, from the second click on.
    n_train, n_validation, n_test : int
        Trials.

    Raises
    ------
    LearnError
        If the longest interval is not longer than the shortest, or that is shorter than a step.

    References
    ----------
    Intervals of this range: Buonomano & Merzenich (1995), doi 10.1126/science.7863330. What many time constants do for
    tasks in time: Perez-Nieves et al. (2021), doi 10.1038/s41467-021-26022-3.
    """
    if not dt <= shortest < longest:
        raise LearnError(
            f"task intervals: expected dt <= shortest < longest, found {dt:g}, {shortest:g} and {longest:g} ms"
        )
    centres = np.geomspace(shortest, longest, n_intervals)
    # Room for the first click's jitter, and for intervals longer than their centre by three standard deviations.
    lead = 3 * jitter
    duration = lead + onset + longest * np.exp(3 * spread) + response
    shape = (nearest_steps(duration, dt), n_neurons)
    n_response = steps(response, dt)

    def draw(rng: np.random.Generator, label: NDArray[np.int64]) -> Trials:
        first = lead + onset * rng.random(len(label))
        interval = centres[label] * np.exp(spread * np.clip(rng.standard_normal(len(label)), -3, 3))
        spikes = spikes_at(rng, np.array(noise), dt, (len(label), *shape))
        scored = np.zeros((len(label), shape[0]), np.float32)
        for click in (first, first + interval):
            time = click[:, None] + jitter * np.clip(rng.standard_normal((len(label), n_neurons)), -3, 3)
            step = np.clip(time / dt, 0, shape[0] - 1).astype(np.int64)
            spikes[np.arange(len(label))[:, None], step, np.arange(n_neurons)] = 1
        second = ((first + interval) / dt).astype(np.int64)
        since = np.arange(shape[0]) - np.minimum(second, shape[0] - 1)[:, None]
        scored[(since >= 0) & (since < n_response)] = 1
        return trials_of(spikes, label, scored)

    return made_task(
        "intervals",
        draw,
        seed=seed,
        n_classes=n_intervals,
        n_steps=shape[0],
        share=noise * dt / 1000 + 2 / shape[0],
        sizes=(n_train, n_validation, n_test),
        summary=f"which of {n_intervals} intervals, {shortest:g} to {longest:g} ms, lies between two clicks",
        n_channels=n_neurons,
        n_outputs=n_intervals,
        dt=dt,
        references=("10.1126/science.7863330", "10.1038/s41467-021-26022-3"),
    )
