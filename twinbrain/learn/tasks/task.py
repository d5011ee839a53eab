"""A task: what goes in, what should come out, and what guessing would give."""

from __future__ import annotations

from dataclasses import dataclass, field
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
        If a label, a channel or a step is out of range.
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
        for split in SPLITS:
            self._check(split, getattr(self, split))

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
        if not len(trials) == len(trials.target) == len(trials.scored):
            raise LearnError(
                f"{where}: expected a target and scored steps for each of {len(trials)} trials, found "
                f"{len(trials.target)} targets and {len(trials.scored)} rows of steps; give one a trial"
            )
        if self.kind == "classification" and not np.issubdtype(trials.target.dtype, np.integer):
            raise LearnError(
                f"{where}: expected whole numbers as labels, found {trials.target.dtype}; number the classes from 0"
            )
        for what, values, limit in (
            ("channel", trials.channel, self.n_channels),
            ("step", trials.step, trials.n_steps),
            *([("label", trials.target, self.n_outputs)] if self.kind == "classification" else []),
        ):
            if len(values) and not 0 <= (worst := values[np.argmax(np.abs(values - (limit - 1) / 2))]) < limit:
                raise LearnError(
                    f"{where}: expected a {what} from 0 to {limit - 1}, found {worst}; renumber or drop it"
                )
        if self.kind == "regression" and trials.target.shape != (len(trials), trials.n_steps, self.n_outputs):
            raise LearnError(
                f"{where}: expected targets of shape {(len(trials), trials.n_steps, self.n_outputs)}, found "
                f"{trials.target.shape}"
            )
        if (silent := ~(trials.scored.sum(1) > 0)).any():
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
