"""Recorded signals as trials: frames become a signal in steps, and the signal becomes spikes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.learn.tasks import encode
from twinbrain.learn.tasks.room import check_drawn, covering_steps
from twinbrain.learn.tasks.trials import Trials, join, trials_of

Frames = NDArray[np.float32]
Coding = Literal["population", "delta"]
BLOCK = 128
"""Trials that are dense at one time."""


def standardised(frames: Frames, n_frames: NDArray[np.int64], training: NDArray[np.int64]) -> Frames:
    """Return features with mean 0 and standard deviation 1 over the training trials; padding is 0.

    Parameters
    ----------
    frames : ndarray of float32, shape (trial, frame, feature)
        The data, padded.
    n_frames : ndarray of int64, shape (trial,)
        How many frames are data.
    training : ndarray of int64, shape (chosen,)
        The trials that set the scale.
    """
    is_data = np.arange(frames.shape[1]) < n_frames[:, None]
    known = frames[training][is_data[training]].astype(np.float64)
    return np.where(is_data[..., None], (frames - known.mean(0)) / known.std(0), 0).astype(np.float32)


def in_steps(
    frames: Frames, n_frames: NDArray[np.int64], steps_per_frame: float, n_steps: int, hold: bool = False
) -> NDArray[np.float64]:
    """Return frames as a signal in steps, linear between the frames' centres, and NaN after the last.

    Parameters
    ----------
    frames : ndarray of float32, shape (trial, frame, feature)
        The data, padded.
    n_frames : ndarray of int64, shape (trial,)
        How many frames are data.
    steps_per_frame : float
        What a frame lasts.
    n_steps : int
        Steps of the signal.
    hold : bool
        Keep each frame's values while it lasts, instead.

    Returns
    -------
    ndarray of float64, shape (trial, step, feature)
    """
    place = (np.arange(n_steps) + 0.5) / steps_per_frame - 0.5
    last = (n_frames - 1)[:, None]
    lower = np.clip(np.floor(place).astype(np.int64), 0, last)
    upper = np.minimum(lower + 1, last)
    fraction = np.clip(place - lower, 0, 1)[..., None]
    if hold:
        fraction = np.floor(fraction + 0.5)
    trial = np.arange(len(frames))[:, None]
    signal = (1 - fraction) * frames[trial, lower] + fraction * frames[trial, upper]
    return np.where((np.arange(n_steps) < _duration(n_frames, steps_per_frame)[:, None])[..., None], signal, np.nan)


def signal_trials(
    frames: Frames,
    n_frames: NDArray[np.int64],
    target: NDArray[np.int64],
    *,
    name: str,
    dt: float,
    frame: float,
    coding: Coding,
    n_encoders: int,
    peak: float,
    threshold: float,
    group: NDArray[np.int64] | None = None,
) -> Trials:
    """Return trials of recorded signals. The output counts in the second half of each.

    Parameters
    ----------
    frames : ndarray of float32, shape (trial, frame, feature)
        Standardised, padded.
    n_frames : ndarray of int64, shape (trial,)
        How many frames are data.
    target : ndarray of int64, shape (trial,)
        Class of each trial.
    name : str
        Of the task, for messages.
    dt, frame : float (ms)
        What a step and a frame last.
    coding : {"population", "delta"}
        How the signal becomes spikes.
    n_encoders : int
        Of the population code, a feature.
    peak : float (Hz)
        Of the population code, highest rate of an encoder.
    threshold : float
        Of the delta code, in standard deviations.
    group : ndarray of int64, shape (trial,), optional
        Whom a trial belongs to.

    Raises
    ------
    LearnError
        If the trials would be too many or too large.
    """
    steps_per_frame = frame / dt
    covering_steps(frames.shape[1] * frame, dt)  # if there are not too many
    n_steps = int(_duration(np.array(frames.shape[1]), steps_per_frame))
    of_code = n_channels(frames.shape[2], coding, n_encoders)
    share = peak * dt / 1000 if coding == "population" else 0.5
    check_drawn(name, [len(frames)], n_steps, of_code, block=BLOCK, share=share)
    duration = _duration(n_frames, steps_per_frame)[:, None]
    step = np.arange(n_steps)
    scored = ((step >= duration // 2) & (step < duration)).astype(np.float32)
    found = []
    for first in range(0, len(frames), BLOCK):
        block = slice(first, first + BLOCK)
        signal = in_steps(frames[block], n_frames[block], steps_per_frame, n_steps, hold=coding == "delta")
        if coding == "population":
            spikes = encode.population(signal, n_encoders, peak=peak * dt / 1000)
        else:
            spikes = encode.delta(signal, threshold)
        more = {
            "features": frames[block],
            "n_frames": n_frames[block],
            "group": None if group is None else group[block],
        }
        found.append(trials_of(spikes, target[block], scored[block], **more))
    return join(found)


def n_channels(n_features: int, coding: Coding, n_encoders: int) -> int:
    """Return how many channels code so many features."""
    return n_features * (n_encoders if coding == "population" else 2)


def _duration(n_frames: NDArray[np.int64], steps_per_frame: float) -> NDArray[np.int64]:
    return np.maximum(np.ceil(n_frames * steps_per_frame - 1e-9), 1).astype(np.int64)
