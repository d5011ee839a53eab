"""Room: what a task takes is reckoned from its options before any of it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import psutil  # type: ignore[import-untyped,unused-ignore]

from twinbrain.errors import LearnError

MOST_STEPS = 2**31 - 1
"""Of a trial; they are numbered in 32 bits."""
MOST_TRIALS = 10_000_000
"""Of a task."""
MOST_CELLS = 20_000_000_000
"""Trials × steps × channels that are drawn or coded one by one, in some minutes."""
_NEARLY = 1e-6
_BYTES_OF_A_TRIAL = 100
_BYTES_OF_A_CELL = 60  # rates, random numbers and spikes of a dense block
_BYTES_OF_A_SPIKE = 8
_BYTES_OF_A_READ_SPIKE = 64  # before it is sorted into its trial


def steps(duration: float, dt: float, least: int = 1) -> int:
    """Return how many steps a duration takes, which are whole and at least ``least``.

    Raises
    ------
    LearnError
        If they are not, or more than can be numbered.
    """
    _check_numbered(duration, dt)
    n = round(duration / dt)
    if abs(duration / dt - n) > _NEARLY * max(n, 1) or n < least:
        raise LearnError(
            f"expected times of a task that are whole numbers of steps of {dt:g} ms, found {duration:g} ms; choose "
            "another time, or another dt"
        )
    return n


def nearest_steps(duration: float, dt: float) -> int:
    """Return how many steps are nearest to a duration that follows from others, at least one.

    Raises
    ------
    LearnError
        If there are more than can be numbered.
    """
    _check_numbered(duration, dt)
    return max(round(duration / dt), 1)


def covering_steps(duration: float, dt: float) -> int:
    """Return how many steps a duration begins, at least one: what happens in its last part step belongs to it.

    Raises
    ------
    LearnError
        If there are more than can be numbered.
    """
    _check_numbered(duration, dt)
    return max(math.ceil(duration / dt - _NEARLY), 1)


def _check_numbered(duration: float, dt: float) -> None:
    if not duration / dt < MOST_STEPS:
        raise LearnError(
            f"expected a duration of at most {MOST_STEPS:,} steps, found {duration:g} ms in steps of {dt:g} ms; make "
            "it shorter, or dt longer"
        )


class Room:
    """What the trials of a task take, held against the memory that is free.

    Parameters
    ----------
    name : str
        Of the task, for messages.
    n_trials, n_steps : int
        How many trials there will be, and the steps of each.
    n_outputs : int
        Values that are wanted in each step, of a regression.

    Raises
    ------
    LearnError
        If there are too many, or they would not fit though none had a spike.
    """

    def __init__(self, name: str, n_trials: int, n_steps: int, n_outputs: int = 0) -> None:
        self._of = f"{n_trials:,} trials of {n_steps:,} steps"
        self._name = name
        self._free = int(psutil.virtual_memory().available)
        # Twice, since parts are joined.
        self._held = 2 * n_trials * (n_steps * 4 * (1 + n_outputs) + _BYTES_OF_A_TRIAL)
        self._n_read = self._n_kept = 0
        if n_steps > MOST_STEPS or n_trials > MOST_TRIALS:
            raise LearnError(
                f"task {name}: expected at most {MOST_TRIALS:,} trials of at most {MOST_STEPS:,} steps, found "
                f"{self._of}; {_LESS}"
            )
        self._check(0)

    def read(self, n_spikes: int) -> None:
        """Count spikes that were read, and will be sorted.

        Raises
        ------
        LearnError
            If they take more than is free.
        """
        self._n_read += n_spikes
        self._check(_BYTES_OF_A_READ_SPIKE * self._n_read)

    def keep(self, n_spikes: int) -> None:
        """Count spikes that stay of those that were read."""
        self._held += 2 * _BYTES_OF_A_SPIKE * n_spikes
        self._n_read, self._n_kept = 0, self._n_kept + n_spikes

    def check_dense(self, n_cells: int, block: int, share: float = 1.0) -> None:
        """Refuse trials that are made dense, block by block, where they are too many or too large.

        Parameters
        ----------
        n_cells : int
            Trials × steps × channels.
        block : int
            Of these, what is dense at one time.
        share : float
            Of these, how many spike at most.

        Raises
        ------
        LearnError
            If they are.
        """
        if n_cells > MOST_CELLS:
            raise LearnError(
                f"task {self._name}: expected at most {MOST_CELLS:,} trials × steps × channels, found {n_cells:,} "
                f"({self._of}); {_LESS}"
            )
        self._check(_BYTES_OF_A_CELL * block + 2 * _BYTES_OF_A_SPIKE * share * n_cells)

    def _check(self, more: float) -> None:
        if (needed := self._held + more) > self._free:
            n_spikes = self._n_kept + self._n_read
            raise LearnError(
                f"task {self._name}: expected trials that fit into the {self._free / 1e9:.3g} GB that are free, found "
                f"{self._of}{f' with {n_spikes:,} spikes' if n_spikes else ''} that take {needed / 1e9:.3g} GB; {_LESS}"
            )


_LESS = "ask for fewer trials, shorter ones or fewer channels, or make dt longer"


def check_drawn(
    name: str,
    sizes: Sequence[int],
    n_steps: int,
    n_channels: int,
    *,
    block: int,
    share: float = 1.0,
    n_outputs: int = 0,
) -> None:
    """Refuse a task whose trials are drawn where they would be too many or too large.

    Parameters
    ----------
    name : str
        Of the task.
    sizes : sequence of int
        Trials of each part.
    n_steps, n_channels : int
        Of a trial.
    block : int
        Trials that are dense at one time.
    share : float
        Of steps in which a channel spikes at most, on average.
    n_outputs : int
        Values that are wanted in each step, of a regression.

    Raises
    ------
    LearnError
        If they would be; with what they take, and what is free.
    """
    of_a_trial = n_steps * n_channels
    room = Room(name, sum(sizes), n_steps, n_outputs)
    room.check_dense(sum(sizes) * of_a_trial, min(max(sizes), block) * of_a_trial, min(max(share, 0.0), 1.0))
