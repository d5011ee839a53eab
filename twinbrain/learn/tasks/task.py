"""A task: what goes in, what should come out, and what guessing would give."""

from __future__ import annotations

import math
import numbers
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError, SpecError
from twinbrain.learn.tasks.check import check_alike, check_trials
from twinbrain.learn.tasks.trials import Trials
from twinbrain.spec.plain_numbers import whole

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
        If a label, a channel, a step or a count is out of range, a number is not finite, or arrays do not fit together.
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
        _set(self, name=_text(self.name))
        where = f"task {self.name}"
        if self.kind not in ("classification", "regression"):
            raise LearnError(f"{where}: kind: expected classification or regression, found {self.kind!r}")
        try:
            _set(self, **{count: whole(count, getattr(self, count)) for count in ("n_channels", "n_outputs")})
        except SpecError as error:
            raise LearnError(f"{where}: {error}") from None
        _set(self, dt=_finite(f"{where}: dt (ms)", self.dt))
        if self.dt <= 0:
            raise LearnError(f"{where}: dt (ms): expected a number above 0, found {self.dt}")
        for split in SPLITS:
            trials: Trials = getattr(self, split)
            check_trials(f"{where}: {split}", trials, self.kind, self.n_channels, self.n_outputs)
            is_label = self.kind == "classification"  # PyTorch takes no others than of 64 bits
            target = trials.target.astype(np.int64, copy=False) if is_label else _for_torch(trials.target)
            _set(self, **{split: replace(trials, target=target, scored=_for_torch(trials.scored))})
        check_alike(where, {split: getattr(self, split) for split in SPLITS})
        _set(self, chance=_finite(f"{where}: chance", self.chance))
        if self.chance < 0 or (self.kind == "classification" and self.chance > 1):
            wanted = "accuracy from 0 to 1" if self.kind == "classification" else "error of at least 0"
            raise LearnError(f"{where}: chance: expected an {wanted}, found {self.chance}; tell what guessing gives")

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


def _set(task: Task, **fields: Any) -> None:
    """Put what was checked in the place of what was given."""
    for name, value in fields.items():
        object.__setattr__(task, name, value)


def _text(value: Any) -> str:
    """Return the name of a task, which a training is kept under."""
    if not isinstance(value, str) or not value.isprintable():
        raise LearnError(f"task: name: expected a printable text, found {value!r}; rename it")
    return str(value)


def _finite(what: str, value: Any) -> float:
    """Return a number as one of Python, by which trials are digested and settings are written."""
    found = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool | np.timedelta64):
        with suppress(OverflowError):
            found = float(str(value) if isinstance(value, np.floating) else value)  # 0.1 of single precision is 0.1
    if not math.isfinite(found):
        raise LearnError(f"{what}: expected a finite number, found {value!r}")
    return found


def _for_torch(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers as they are, where PyTorch computes with their type, and else of single precision."""
    is_known = values.dtype.isnative and values.dtype.kind in "iuf" and values.dtype.itemsize <= 8
    return values if is_known else values.astype(np.float32)


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
