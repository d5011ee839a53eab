"""A task: what goes in, what should come out, and what guessing would give."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.trials import Trials

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned.

    Parameters
    ----------
    name, summary : str
        What it is.
    n_channels, n_outputs : int
        Input channels, and outputs: classes, or values of a regression.
    kind : {"classification", "regression"}
        Whether a trial has a class, or wanted outputs at every step.
    dt : float (ms)
        What a step of its trials lasts.
    train, validation, test : Trials
        Learned from, watched while learning, and held out.
    chance : float
        Accuracy of the best guess that sees no input; of a regression, the error of a constant.
    references : tuple of str
        Where the data or the design come from.

    Raises
    ------
    LearnError
        If a label, a channel or a step is out of range, or arrays do not fit together.
    """

    name: str
    summary: str
    n_channels: int
    n_outputs: int
    kind: Literal["classification", "regression"]
    dt: float
    train: Trials
    validation: Trials
    test: Trials
    chance: float
    references: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.kind not in ("classification", "regression"):
            raise LearnError(f"task {self.name}: kind: expected classification or regression, found {self.kind!r}")
        if not 0 < self.dt < math.inf or self.n_channels < 1 or self.n_outputs < 1:
            raise LearnError(
                f"task {self.name}: expected dt above 0 ms, a channel and an output at least, found {self.dt} ms, "
                f"{self.n_channels} and {self.n_outputs}"
            )
        for split in SPLITS:
            trials: Trials = getattr(self, split)
            self._check(split, trials)
            if self.kind == "classification" and trials.target.dtype != np.int64:  # PyTorch takes no other labels
                object.__setattr__(self, split, replace(trials, target=trials.target.astype(np.int64)))

    def dataset(self, split: Literal["train", "validation", "test"] = "train") -> TrialDataset:
        """Return the trials of a split as a dataset of PyTorch: for ``DataLoader(task.dataset("train"))``.

        Parameters
        ----------
        split : {"train", "validation", "test"}
            Which.

        Returns
        -------
        TrialDataset
            Its items are spikes (float32, shape (step, channel)) and the target.
        """
        if split not in SPLITS:
            raise LearnError(f"task {self.name}: expected one of {', '.join(SPLITS)}, found {split!r}")
        return TrialDataset(getattr(self, split), self.n_channels)

    def _check(self, split: str, trials: Trials) -> None:
        where = f"task {self.name}: {split}"
        _check_events(where, trials)
        if not len(trials) == len(trials.target) == len(trials.scored):
            raise LearnError(
                f"{where}: expected a target and scored steps for each of {len(trials)} trials, found "
                f"{len(trials.target)} targets and {len(trials.scored)} rows of steps; give one a trial"
            )
        _check_scored(where, trials.scored)
        self._check_targets(where, trials)
        for what, values, limit in (
            ("channel", trials.channel, self.n_channels),
            ("step", trials.step, trials.n_steps),
            *([("label", trials.target, self.n_outputs)] if self.kind == "classification" else []),
        ):
            if len(values) and not 0 <= (worst := values[np.argmax(np.abs(values - (limit - 1) / 2))]) < limit:
                raise LearnError(
                    f"{where}: expected a {what} from 0 to {limit - 1}, found {worst}; renumber or drop it"
                )

    def _check_targets(self, where: str, trials: Trials) -> None:
        target = trials.target
        if self.kind == "classification":
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
        if target.shape != (shape := (len(trials), trials.n_steps, self.n_outputs)):
            raise LearnError(f"{where}: expected targets of shape {shape}, found {target.shape}")
        if target.dtype.kind not in "buif" or not np.isfinite(target).all():
            found = "some that are not" if target.dtype.kind in "buif" else f"{target.dtype}"
            raise LearnError(
                f"{where}: expected finite numbers as targets, found {found}; where a target is not known, put 0 there "
                "and in scored"
            )


def _check_events(where: str, trials: Trials) -> None:
    start, step, channel = trials.start, trials.step, trials.channel
    for name, values in (("start", start), ("step", step), ("channel", channel)):
        if values.ndim != 1 or values.dtype.kind not in "iu":
            raise LearnError(
                f"{where}: {name}: expected whole numbers in one dimension, found {values.dtype} of shape "
                f"{values.shape}"
            )
    n = len(step)
    is_whole = len(start) > 0 and start[0] == 0 and start[-1] == n == len(channel)
    if not is_whole or (start[1:] < start[:-1]).any():
        raise LearnError(
            f"{where}: expected start to ascend from 0 to the number of events, and a step and a channel of each, "
            f"found start from {start[0] if len(start) else 'nothing'} to {start[-1] if len(start) else 'nothing'}, "
            f"{n} steps and {len(channel)} channels; say where the events of each trial begin, and last where they end"
        )


def _check_scored(where: str, scored: NDArray[Any]) -> None:
    if scored.ndim != 2:
        raise LearnError(f"{where}: scored: expected shape (trial, step), found {scored.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        total = scored.sum(1)
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


@dataclass(frozen=True, eq=False)
class TrialDataset:
    """Trials one by one, as loaders of PyTorch take them; see `Task.dataset`.

    Parameters
    ----------
    trials : Trials
        All of them.
    n_channels : int
        Of the task.
    """

    trials: Trials
    n_channels: int

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        at = np.array([index % len(self)])
        return self.trials.spikes(at, self.n_channels)[:, 0].astype(np.float32), self.trials.target[at[0]]
