"""Pictures as trials: all pixels at once, as rates or latencies, or one pixel after the other."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks import encode
from twinbrain.learn.tasks.room import check_drawn, covering_steps, steps
from twinbrain.learn.tasks.split import chance, generator, parts, stratified
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, join, trials_of
from twinbrain.network.random import stream_key

Coding = Literal["latency", "rate", "pixels"]
BLOCK = 128
"""Trials that are dense at one time."""


def image_task(
    name: str,
    summary: str,
    references: tuple[str, ...],
    pixels: NDArray[np.float32],
    label: NDArray[np.int64],
    *,
    dt: float,
    seed: int,
    coding: Coding,
    duration: float,
    peak: float,
    pixel: float,
    n_levels: int,
    response: float,
    validation: float,
    test: float,
    n_train: int | None,
    n_validation: int | None,
    n_test: int | None,
) -> Task:
    """Return the task to classify pictures; the options are told in `digits`.

    Parameters
    ----------
    pixels : ndarray of float32, shape (trial, pixel)
        From 0 to 1.
    label : ndarray of int64, shape (trial,)
        Class of each picture.
    """
    n_channels = 2 * n_levels + 1 if coding == "pixels" else pixels.shape[1]
    rng = generator(seed, name)
    chosen = [
        index[stratified(label[index], n, rng)]
        for index, n in zip(parts(name, label, (test, validation), rng), (n_test, n_validation, n_train), strict=True)
    ]
    if coding == "pixels":
        n_steps = covering_steps(pixels.shape[1] * pixel, dt) + steps(response, dt)
        share = 0.1 * pixels.shape[1] / n_steps  # a change from pixel to pixel is through few of the levels
    else:
        n_steps = steps(duration, dt)
        share = peak * dt / 1000 if coding == "rate" else 1 / n_steps
    check_drawn(name, [len(index) for index in chosen], n_steps, n_channels, block=BLOCK, share=share)
    trials = []
    for part, index in zip(("test", "validation", "train"), chosen, strict=True):
        blocks = []
        for first in range(0, len(index), BLOCK):
            block = index[first : first + BLOCK]
            if coding == "pixels":
                made = _one_by_one(pixels[block], label[block], dt, pixel, n_levels, response)
            else:
                key = stream_key(seed, name, part, str(first)).first
                made = _at_once(pixels[block], label[block], dt, coding, duration, peak, key)
            blocks.append(made)
        trials.append(join(blocks))
    return Task(
        name=name,
        summary=summary,
        n_channels=n_channels,
        n_outputs=int(label.max()) + 1,
        kind="classification",
        dt=dt,
        train=trials[2],
        validation=trials[1],
        test=trials[0],
        chance=chance(trials[0]),
        references=references,
    )


def _at_once(
    pixels: NDArray[np.float32],
    label: NDArray[np.int64],
    dt: float,
    coding: Coding,
    duration: float,
    peak: float,
    seed: int,
) -> Trials:
    n_steps = steps(duration, dt)
    if coding == "rate":
        spikes = encode.rate(pixels, n_steps, seed, gain=peak * dt / 1000)
    else:
        spikes = encode.latency(pixels, n_steps)
    return trials_of(spikes, label, features=pixels[:, None, :], n_frames=np.ones(len(label), np.int64))


def _one_by_one(
    pixels: NDArray[np.float32],
    label: NDArray[np.int64],
    dt: float,
    pixel: float,
    n_levels: int,
    response: float,
) -> Trials:
    if pixel < dt:
        raise LearnError(f"expected pixel of at least dt, found {pixel:g} and {dt:g} ms; pixels would be left out")
    n_steps, n_response = covering_steps(pixels.shape[1] * pixel, dt), steps(response, dt)
    of_step = np.minimum((np.arange(n_steps) * dt / pixel + 1e-9).astype(np.int64), pixels.shape[1] - 1)
    levels = (np.arange(n_levels) + 0.5) / n_levels
    spikes = np.zeros((len(pixels), n_steps + n_response, 2 * n_levels + 1), np.uint8)
    spikes[:, :n_steps, :-1] = encode.crossings(pixels[:, of_step, None], levels)
    spikes[:, n_steps:, -1] = 1  # a cue that the picture is over
    scored = np.zeros(spikes.shape[:2], np.float32)
    scored[:, n_steps:] = 1
    n_frames = np.full(len(label), pixels.shape[1])
    return trials_of(spikes, label, scored, features=pixels[:, :, None], n_frames=n_frames)
