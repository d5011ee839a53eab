"""What comes in from outside: random draws, waveforms and events, each an integer added to the flat inbox of a step.

Sums of integers do not depend on their order, so every engine finds the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.network.random import Key


@dataclass(frozen=True, eq=False)
class RandomDrive:
    """Independent random input to each neuron of a population.

    In step n, element i draws word ``n % 4`` of Philox(key, counter (i, n // 4 low, n // 4 high, 0)); its count is the
    number of ``thresholds`` that do not exceed the word, and ``weight * (count - offset)`` is added to its inbox.

    Parameters
    ----------
    name : str
        Name of its stream.
    start, stop : int
        Its slice of the flat inbox.
    key : Key
        The stream.
    mean : float
        Expected count a step.
    thresholds : ndarray of uint32, shape (n,)
        ``2**32`` times the probability of at most k, for k = 0, 1, …
    weight : int
        In quanta of the receptor.
    first_step, last_step : int
        It acts in steps first_step … last_step - 1.
    offset : int
        Taken from each count: 0 for events, half of all thresholds for noise of both signs.
    """

    name: str
    start: int
    stop: int
    key: Key
    mean: float
    thresholds: NDArray[np.uint32]
    weight: int
    first_step: int
    last_step: int
    offset: int = 0

    @property
    def largest(self) -> int:
        """The most that it can add to an inbox in one step, whatever the sign."""
        return abs(self.weight) * max(self.offset, len(self.thresholds) + 1 - self.offset)


@dataclass(frozen=True, eq=False)
class Waveform:
    """Input that is a function of the step: the same for a population, or one a neuron.

    In step ``first_step + k`` it adds ``values[i] + amplitude * sin(2 pi p)``, rounded. Here i is the last of the
    ``edges`` that, counted from the last whole ``period`` and rounded to the step, is not after k; and p, in cycles, is
    ``(phase + k * turn) / 2**64``. `twinbrain.engines.waveforms.amounts` computes it for every engine.

    Parameters
    ----------
    name : str
        What it is.
    start, stop : int
        Its slice of the flat inbox.
    first_step, last_step : int
        It acts in steps first_step … last_step - 1.
    values : ndarray of int32, shape (n, 1) or (n, stop - start)
        In quanta of the receptor; one column for all, or one a neuron.
    edges : ndarray of float64, shape (n,)
        Where in a period each value begins, in steps; ascending, the first 0.
    period : float
        In steps; infinite where nothing is repeated.
    amplitude : int
        Of the sine, in quanta.
    turn, phase : int
        Cycles a step of the sine, and cycles at its beginning, in parts of ``2**64``.
    """

    name: str
    start: int
    stop: int
    first_step: int
    last_step: int
    values: NDArray[np.int32]
    edges: NDArray[np.float64]
    period: float = np.inf
    amplitude: int = 0
    turn: int = 0
    phase: int = 0

    @property
    def largest(self) -> NDArray[np.int64]:
        """The most that it can add to an inbox in one step, whatever the sign; shape (1,) or (stop - start,)."""
        highest: NDArray[np.int64] = np.abs(self.values.astype(np.int64)).max(axis=0)
        return highest + abs(self.amplitude)


@dataclass(frozen=True, eq=False)
class Events:
    """Amounts that arrive at given steps, in the order of steps.

    Parameters
    ----------
    step : ndarray of int64, shape (event,)
        When.
    place : ndarray of int32, shape (event,)
        Place in the flat inbox.
    amount : ndarray of int32, shape (event,)
        In quanta of the receptor.
    """

    step: NDArray[np.int64]
    place: NDArray[np.int32]
    amount: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.step)

    @staticmethod
    def none() -> Events:
        """Return no events."""
        return Events(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))

    @staticmethod
    def merge(parts: list[Events]) -> Events:
        """Return the events of several in the order of steps."""
        if not parts:
            return Events.none()
        step = np.concatenate([part.step for part in parts])
        order = np.argsort(step, kind="stable")
        place = np.concatenate([part.place for part in parts])
        return Events(step[order], place[order], np.concatenate([part.amount for part in parts])[order])

    def largest(self, n_inlets: int) -> NDArray[np.int64]:
        """Return the most that they add to each inbox in one step, whatever the sign; shape (n_inlets,)."""
        found = np.zeros(n_inlets, np.int64)
        if len(self):
            keys, which = np.unique(np.stack([self.step, self.place]), axis=1, return_inverse=True)
            sums = np.zeros(keys.shape[1], np.int64)
            np.add.at(sums, which.reshape(-1), np.abs(self.amount.astype(np.int64)))
            np.maximum.at(found, keys[1], sums)
        return found


Input = RandomDrive | Waveform | Events
