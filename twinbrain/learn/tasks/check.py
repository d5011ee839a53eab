"""What trials have to be for a task to be learned from them: told when the task is made, with the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.trials import Trials

REAL = "biuf"
"""Kinds of types of NumPy that are real numbers, or truth values."""


def check_trials(where: str, trials: Trials, kind: str, n_channels: int, n_outputs: int) -> None:
    """Refuse trials that no task of a kind can have.

    Parameters
    ----------
    where : str
        Begins the message: the task, and which of its parts.
    trials : Trials
        The part.
    kind : {"classification", "regression"}
        Of the task.
    n_channels, n_outputs : int
        Of the task.

    Raises
    ------
    LearnError
        If a label, a channel or a step is out of range, events are out of order or stand twice, numbers are not
        finite, or arrays do not fit together.
    """
    if not isinstance(trials, Trials):
        raise LearnError(f"{where}: expected Trials, found a {type(trials).__name__}; make them by tb.trials_of")
    _check_events(where, trials)
    if not trials.target.ndim or not trials.scored.ndim or not len(trials) == len(trials.target) == len(trials.scored):
        found = [len(values) if values.ndim else "one" for values in (trials.target, trials.scored)]
        raise LearnError(
            f"{where}: expected a target and scored steps for each of {len(trials)} trials, found "
            f"{found[0]} targets and {found[1]} rows of steps; give one a trial"
        )
    _check_scored(where, trials.scored)
    _check_targets(where, trials, kind, n_outputs)
    for what, values, limit in (
        ("channel", trials.channel, n_channels),
        ("step", trials.step, trials.n_steps),
        *([("label", trials.target, n_outputs)] if kind == "classification" else []),
    ):
        if len(values) and not 0 <= (worst := values[np.argmax(np.abs(values - (limit - 1) / 2))]) < limit:
            raise LearnError(f"{where}: expected a {what} from 0 to {limit - 1}, found {worst}; renumber or drop it")
    _check_features(where, trials)


def check_alike(where: str, parts: Mapping[str, Trials]) -> None:
    """Refuse parts whose frames have other numbers of features, or of which some have features and others none.

    Parameters
    ----------
    where : str
        Begins the message.
    parts : mapping of str to Trials
        By their names; those without trials do not count.

    Raises
    ------
    LearnError
        If there are such.
    """
    widths = {
        name: "none" if part.features is None else str(part.features.shape[2])
        for name, part in parts.items()
        if len(part)
    }
    if len(set(widths.values())) > 1:
        found = ", ".join(f"{n} in {name}" for name, n in widths.items())
        raise LearnError(
            f"{where}: features: expected as many a frame in every part, or none in any, found {found}; give the same"
        )


def _check_events(where: str, trials: Trials) -> None:
    start, step, channel = trials.start, trials.step, trials.channel
    for name, values in (("start", start), ("step", step), ("channel", channel)):
        # Of start there are differences, which need a sign; and NumPy adds uint64 to int64 as floats.
        if values.ndim != 1 or values.dtype.kind not in ("i" if name == "start" else "iu") or values.dtype == np.uint64:
            raise LearnError(
                f"{where}: {name}: expected whole numbers in one dimension, such as int64, found {values.dtype} of "
                f"shape {values.shape}"
            )
    n = len(step)
    is_whole = len(start) > 0 and start[0] == 0 and start[-1] == n == len(channel)
    if not is_whole or (start[1:] < start[:-1]).any():
        raise LearnError(
            f"{where}: expected start to ascend from 0 to the number of events, and a step and a channel of each, "
            f"found start from {start[0] if len(start) else 'nothing'} to {start[-1] if len(start) else 'nothing'}, "
            f"{n} steps and {len(channel)} channels; say where the events of each trial begin, and last where they end"
        )
    _check_order(where, trials)


def _check_order(where: str, trials: Trials) -> None:
    """Refuse events of a trial whose steps do not ascend, or that stand twice: a network sees one, a count two."""
    step, channel = trials.step, trials.channel
    begins = np.zeros(len(step), bool)
    begins[trials.start[trials.start < len(step)]] = True
    back = (step[1:] < step[:-1]) & ~begins[1:]
    twice = (step[1:] == step[:-1]) & (channel[1:] == channel[:-1]) & ~begins[1:]
    if not back.any() and ((step[1:] == step[:-1]) & (channel[1:] < channel[:-1]) & ~begins[1:]).any():
        # Channels of a step may stand in any order; doubles are beside each other once they are sorted.
        trial = trials.trial
        order = np.lexsort((channel, step, trial))
        step, channel, trial = step[order], channel[order], trial[order]
        twice = (step[1:] == step[:-1]) & (channel[1:] == channel[:-1]) & (trial[1:] == trial[:-1])
    if back.any():
        found = f"one at step {step[1:][back][0]} after one at step {step[:-1][back][0]}"
    elif twice.any():
        found = f"two at step {step[1:][twice][0]} of channel {channel[1:][twice][0]}"
    else:
        return
    raise LearnError(
        f"{where}: expected the events of each trial in the order of their steps, each once, found {found} in one "
        "trial; order them by twinbrain.learn.tasks.trials.events_of(trial, step, channel, n_trials)"
    )


def _check_scored(where: str, scored: NDArray[Any]) -> None:
    if scored.ndim != 2:
        raise LearnError(f"{where}: scored: expected shape (trial, step), found {scored.shape}")
    if scored.dtype.kind not in REAL:
        raise LearnError(f"{where}: scored: expected real numbers, found {scored.dtype}; give weights of at least 0")
    with np.errstate(over="ignore", invalid="ignore"):
        total = scored.astype(np.float32, copy=False).sum(1)
    if not np.isfinite(total).all() or (scored < 0).any():
        raise LearnError(
            f"{where}: scored: expected finite weights of at least 0, found others; give 1 where the output counts and "
            "0 where it does not"
        )
    if (silent := total <= 0).any():
        raise LearnError(
            f"{where}: expected steps that count in every trial, found none in trial {int(silent.argmax())}; "
            "give it some weight in scored"
        )


def _check_targets(where: str, trials: Trials, kind: str, n_outputs: int) -> None:
    target = trials.target
    if kind == "classification":
        if not np.issubdtype(target.dtype, np.integer):
            raise LearnError(
                f"{where}: expected whole numbers as labels, found {target.dtype}; number the classes from 0"
            )
        if target.ndim != 1:
            raise LearnError(
                f"{where}: expected labels of shape {(len(trials),)}, one number a trial, found {target.shape}; "
                "give the number of each trial's class"
            )
        return
    if target.shape != (shape := (len(trials), trials.n_steps, n_outputs)):
        raise LearnError(f"{where}: expected targets of shape {shape}, found {target.shape}")
    if not _are_finite(target):
        found = "some that are not" if target.dtype.kind in REAL else f"{target.dtype}"
        raise LearnError(
            f"{where}: expected finite numbers as targets, found {found}; where a target is not known, put 0 there "
            "and in scored"
        )


def _check_features(where: str, trials: Trials) -> None:
    features, n_frames, group = trials.features, trials.n_frames, trials.group
    n = len(trials)
    if features is not None:
        if features.ndim != 3 or len(features) != n or (n and not features.size):
            raise LearnError(
                f"{where}: features: expected shape (trial, frame, feature) with {n} trials, and a feature at least, "
                f"found {features.shape}; give a trial one frame where it has no course in time"
            )
        if not _are_finite(features):
            found = "some that are not" if features.dtype.kind in REAL else f"{features.dtype}"
            raise LearnError(
                f"{where}: features: expected finite numbers, found {found}; put 0 where one is not known, or give "
                "n_frames where trials end earlier"
            )
    if n_frames is not None:
        if n_frames.shape != (n,) or n_frames.dtype.kind not in "iu":
            raise LearnError(
                f"{where}: n_frames: expected whole numbers of shape {(n,)}, one a trial, found {n_frames.dtype} of "
                f"shape {n_frames.shape}; say how many frames of each are data"
            )
        most = np.inf if features is None else features.shape[1]
        if len(faults := n_frames[(n_frames < 1) | (n_frames > most)]):
            limits = "1 on" if features is None else f"1 to {most}, the frames of features"
            raise LearnError(
                f"{where}: n_frames: expected numbers from {limits}, found {faults[0]}; count frames that are data"
            )
    if group is not None and group.shape != (n,):
        raise LearnError(
            f"{where}: group: expected shape {(n,)}, one group a trial, found {group.shape}; say whom each is of"
        )


def _are_finite(values: NDArray[Any]) -> bool:
    """Return whether values are numbers that are finite in single precision, too, which networks compute with."""
    if values.dtype.kind not in REAL:
        return False
    with np.errstate(over="ignore"):
        return bool(np.isfinite(values.astype(np.float32, copy=False)).all())
