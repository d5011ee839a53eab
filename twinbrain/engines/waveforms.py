"""Waveforms as integers: computed once, on the host, for every engine alike."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from twinbrain.network.inputs import Waveform

_STEPS = 256
_AMOUNTS = 1 << 20
# sin(x)/x as a polynomial of x**2, from the highest power down to x**2.
_SINE = tuple((-1.0) ** n / math.factorial(2 * n + 1) for n in range(9, 0, -1))


class WaveformReader:
    """The waveforms of a network, step by step.

    Parameters
    ----------
    waveforms : tuple of Waveform
        Those of a network.

    Attributes
    ----------
    start, stop : ndarray of int64, shape (n_columns,)
        The slice of the flat inbox that each column is added to.
    """

    def __init__(self, waveforms: tuple[Waveform, ...]) -> None:
        slices = [part for waveform in waveforms for part in _slices(waveform)]
        self.start = np.array([start for start, _ in slices], np.int64)
        self.stop = np.array([stop for _, stop in slices], np.int64)
        # What a stimulus gives to many regions is computed once.
        distinct = {_signal(waveform): waveform for waveform in waveforms}
        self._distinct = tuple(distinct.values())
        n_columns = [waveform.values.shape[1] for waveform in self._distinct]
        first_column = dict(zip(distinct, np.cumsum([0, *n_columns]), strict=False))
        columns = [first_column[_signal(w)] + np.arange(w.values.shape[1]) for w in waveforms]
        self._column = np.concatenate([np.empty(0, np.int64), *columns])
        self._first_step = min((waveform.first_step for waveform in waveforms), default=0)
        self._last_step = max((waveform.last_step for waveform in waveforms), default=0)
        self._size = max(1, min(_STEPS, _AMOUNTS // max(1, sum(n_columns))))
        self._first = -1
        self._chunk = np.empty((0, sum(n_columns)), np.int32)

    def at(self, step: int) -> NDArray[np.int32] | None:
        """Return the amounts of a step, shape (n_columns,); None outside the time of all waveforms."""
        if not self._first_step <= step < self._last_step:
            return None
        first = step - step % self._size
        if first != self._first:
            self._first, self._chunk = first, amounts(self._distinct, first, self._size)
        return np.take(self._chunk[step - first], self._column)


def amounts(waveforms: tuple[Waveform, ...], first: int, n: int) -> NDArray[np.int32]:
    """Return what waveforms add in steps ``first … first + n - 1``.

    Parameters
    ----------
    waveforms : tuple of Waveform
        One after the other, each as many columns as its values have.
    first, n : int
        The steps.

    Returns
    -------
    ndarray of int32, shape (n, n_columns)
        In quanta.
    """
    parts = [_amounts(waveform, np.arange(first, first + n)) for waveform in waveforms]
    return np.concatenate([np.empty((n, 0), np.int32), *parts], axis=1)


def sine(phase: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the sine of a phase in parts of ``2**64``.

    Sums and products alone make it the same on every machine; its error is below 1e-15.
    """
    cycles = (phase >> np.uint64(11)).astype(np.float64) * 2.0**-53
    halves = np.rint(2.0 * cycles)
    x = (2.0 * np.pi) * (cycles - 0.5 * halves)
    square = x * x
    value = np.full(len(x), _SINE[0])
    for coefficient in _SINE[1:]:
        value = value * square + coefficient
    value = x * (value * square + 1.0)
    return np.where(halves == 1.0, -value, value)


def _signal(waveform: Waveform) -> tuple[object, ...]:
    """Return what tells waveforms apart but for where they go; values that are shared are the same array."""
    arrays = (id(waveform.values), id(waveform.edges))
    times = (waveform.first_step, waveform.last_step, waveform.period)
    return (*arrays, *times, waveform.amplitude, waveform.turn, waveform.phase)


def _slices(waveform: Waveform) -> list[tuple[int, int]]:
    if waveform.values.shape[1] == 1:
        return [(waveform.start, waveform.stop)]
    return [(place, place + 1) for place in range(waveform.start, waveform.stop)]


def _amounts(waveform: Waveform, steps: NDArray[np.int64]) -> NDArray[np.int32]:
    out = np.zeros((len(steps), waveform.values.shape[1]), np.int32)
    active = (steps >= waveform.first_step) & (steps < waveform.last_step)
    k = steps[active] - waveform.first_step
    if not len(k):
        return out
    # An edge at e steps counts from step floor(e + 0.5) on, so while e < k + 0.5.
    now = k + 0.5
    if np.isfinite(waveform.period):
        now = now - (np.ceil(now / waveform.period) - 1.0) * waveform.period
    # Where rounding leaves nothing of a period, the index is -1: the last value, which is the one that is due.
    values = waveform.values[np.searchsorted(waveform.edges, now, side="left") - 1].astype(np.int64)
    if waveform.amplitude:
        phase = k.astype(np.uint64) * np.uint64(waveform.turn) + np.uint64(waveform.phase)
        values += np.rint(waveform.amplitude * sine(phase)).astype(np.int64)[:, None]
    out[active] = values
    return out
