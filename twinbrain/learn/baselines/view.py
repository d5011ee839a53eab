"""What a baseline sees of a trial: spikes step by step, features frame by frame, or all at once."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials

View = Literal["spikes", "frames", "counts", "flat", "sampled"]
SAMPLED = 7
"""Frames, or parts of a trial, that "sampled" shows beside their mean."""


class Seen(NamedTuple):
    """Some trials, as a baseline takes them.

    Parameters
    ----------
    input : Tensor, shape (step, trial, feature)
        What is seen.
    target : Tensor, shape (trial,) or (trial, step, output)
        As in `Trials`.
    scored : Tensor, shape (trial, step)
        Weight of each step of the output.
    """

    input: Tensor
    target: Tensor
    scored: Tensor


def see(task: Task, trials: Trials, view: View, index: NDArray[np.int64] | None = None, scale: float = 1.0) -> Seen:
    """Return trials as a view shows them.

    "spikes" are the input's spikes, and a step is the task's. "frames" are its features, and a step is a frame: where
    there are as many frames as steps, the task says which count, else all do that are data. "counts" are each
    channel's spikes and "flat" all features, of the whole trial as one step. "sampled" are seven frames, evenly spaced
    over those that are data, and the mean of all of these, as one step; of a single frame that one alone, and
    without features the counts of spikes in seven equal parts of the trial, and in the whole.

    Parameters
    ----------
    task : Task
        The task.
    trials : Trials
        Trials of it.
    view : {"spikes", "frames", "counts", "flat", "sampled"}
        How they are seen.
    index : ndarray of int64, shape (chosen,), optional
        Which trials; by default all.
    scale : float, optional
        Multiplies what is seen, but for spikes.

    Raises
    ------
    LearnError
        If the task has no features, wants an output at every step that the view does not have, or the view shows frames
        side by side and there are others than in training.
    """
    if index is None:
        index = np.arange(len(trials))
    values = _values(task, trials, view, index)
    scored = _scored(trials, view, index, len(values))
    if task.kind == "regression" and len(values) != trials.n_steps:
        raise LearnError(
            f"task {task.name}: expected a view of {trials.n_steps} steps, at each of which an output is wanted, found "
            f"{len(values)} in {view!r}; take 'spikes'"
        )
    input = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    if view != "spikes":
        input *= scale
    return Seen(input, torch.from_numpy(trials.target[index]), torch.from_numpy(scored))


def scale_of(task: Task, view: View, at_once: int = 256) -> float:
    """Return the scale that gives what is seen of the training trials a root mean square of 1; of spikes it is 1.

    Parameters
    ----------
    task : Task
        The task.
    view : {"spikes", "frames", "counts", "flat", "sampled"}
        How it is seen.
    at_once : int, optional
        How many trials are held in memory.
    """
    if view == "spikes":
        return 1.0
    total, size = 0.0, 0
    for first in range(0, len(task.train), at_once):
        index = np.arange(first, min(first + at_once, len(task.train)))
        values = _values(task, task.train, view, index).astype(np.float64)
        total += float((values**2).sum())
        size += values.size
    return (size / total) ** 0.5 if total else 1.0


def n_seen(task: Task, view: View) -> int:
    """Return how many features a step of the view has."""
    return int(_values(task, task.train, view, np.arange(1)).shape[2])


def _values(task: Task, trials: Trials, view: View, index: NDArray[np.int64]) -> NDArray:
    if view == "spikes":
        return trials.spikes(index, task.n_channels)
    if view == "counts":
        chosen = trials.take(index)
        trial = np.repeat(np.arange(len(index)), np.diff(chosen.start))
        counts = np.bincount(trial * task.n_channels + chosen.channel, minlength=len(index) * task.n_channels)
        return counts.reshape(1, len(index), task.n_channels)
    if view not in get_args(View):
        raise LearnError(f"view: expected one of {', '.join(get_args(View))}, found {view!r}; take one of these")
    if view == "sampled" and (trials.features is None or trials.features.shape[1] > 1):
        found = _parts(task, trials, index) if trials.features is None else _sampled(trials, index)
        return found.reshape(1, len(index), -1)
    if trials.features is None:
        raise LearnError(f"task {task.name}: expected features, found none; take the view 'spikes' or 'counts'")
    if not fits(task, trials, view):
        raise LearnError(
            f"task {task.name}: expected as many frames as in the training trials, which {view!r} shows side by side, "
            f"found {trials.features.shape[1]}; make them as long, or take the view 'sampled'"
        )
    features = trials.features[index]
    return features.transpose(1, 0, 2) if view == "frames" else features.reshape(1, len(index), -1)


def fits(task: Task, trials: Trials, view: View) -> bool:
    """Return whether a model that learned the task by a view can see trials, which may last longer or shorter."""
    learned = task.train.features
    if view != "flat" or learned is None or trials.features is None:
        return True
    return learned.shape[1] == trials.features.shape[1]


def _sampled(trials: Trials, index: NDArray[np.int64]) -> NDArray:
    """Return frames evenly spaced over those that are data, and the mean of these; shape (trial, frame, feature)."""
    assert trials.features is not None
    features = trials.features[index]
    n = np.full(len(index), features.shape[1]) if trials.n_frames is None else trials.n_frames[index]
    places = np.rint(np.linspace(0, n - 1, SAMPLED)).astype(np.int64).T
    is_data = np.arange(features.shape[1]) < n[:, None]
    mean = (features * is_data[:, :, None]).sum(1, keepdims=True) / n[:, None, None]
    return np.concatenate([np.take_along_axis(features, places[:, :, None], 1), mean], 1)


def _parts(task: Task, trials: Trials, index: NDArray[np.int64]) -> NDArray:
    """Return counts of spikes in parts of each trial, and in the whole; shape (trial, part, channel)."""
    chosen = trials.take(index)
    part = chosen.step.astype(np.int64) * SAMPLED // trials.n_steps
    place = (chosen.trial * SAMPLED + part) * task.n_channels + chosen.channel
    counts = np.bincount(place, minlength=len(index) * SAMPLED * task.n_channels)
    counts = counts.reshape(len(index), SAMPLED, task.n_channels)
    return np.concatenate([counts, counts.sum(1, keepdims=True)], 1)


def _scored(trials: Trials, view: View, index: NDArray[np.int64], n_steps: int) -> NDArray[np.float32]:
    if view == "spikes" or (view == "frames" and n_steps == trials.n_steps):
        return trials.scored[index]
    if view == "frames" and trials.n_frames is not None:
        return (np.arange(n_steps) < trials.n_frames[index][:, None]).astype(np.float32)
    return np.ones((len(index), n_steps), np.float32)
