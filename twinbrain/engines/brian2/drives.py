"""Add what comes in from outside to the flat inbox: random drives, waveforms and events."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.waveforms import WaveformReader
from twinbrain.network.network import Network
from twinbrain.network.random import philox_words

_GUIDE_BITS = 10


class Inputs:
    """The inputs of a network.

    Parameters
    ----------
    network : Network
        The network.
    """

    def __init__(self, network: Network) -> None:
        self._random = _RandomDrives(network)
        self._waveforms = WaveformReader(network.waveforms)
        self._events = network.events

    def add(self, step: int, inbox: NDArray[np.int32]) -> None:
        """Add what arrives in ``step``."""
        self._random.add(step, inbox)
        if (amounts := self._waveforms.at(step)) is not None:
            add_waveforms(amounts, self._waveforms.start, self._waveforms.stop, inbox)
        if len(self._events):
            events = self._events
            add_events(step, events.step, events.place, events.amount, inbox)


class _RandomDrives:
    """The random drives of a network as flat arrays."""

    def __init__(self, network: Network) -> None:
        drives = network.drives
        size = np.array([d.stop - d.start for d in drives], np.int64)
        n = int(size.sum())
        self._first_key = np.repeat(np.array([d.key.first for d in drives], np.uint32), size)
        self._second_key = np.repeat(np.array([d.key.second for d in drives], np.uint32), size)
        self._element = np.concatenate([np.empty(0, np.uint32), *(np.arange(s, dtype=np.uint32) for s in size)])
        self._words = np.empty((4, n), np.uint32)
        self._group = -1
        # Many drives share their thresholds: regions of one kind, and all noise.
        tables = {d.thresholds.tobytes(): d.thresholds for d in drives}
        number = {table: i for i, table in enumerate(tables)}
        self._arguments: tuple[Any, ...] = (
            np.array([d.start for d in drives], np.int64),
            np.cumsum(size) - size,
            size,
            np.array([d.weight for d in drives], np.int32),
            np.array([d.offset for d in drives], np.int32),
            np.array([d.first_step for d in drives], np.int64),
            np.array([d.last_step for d in drives], np.int64),
            np.array([number[d.thresholds.tobytes()] for d in drives], np.int64),
            np.concatenate([np.empty(0, np.uint32), *tables.values()]),
            np.cumsum([0, *(len(table) for table in tables.values())]),
            np.array([_guide(table) for table in tables.values()], np.uint16).reshape(-1, 1 << _GUIDE_BITS),
        )

    def add(self, step: int, inbox: NDArray[np.int32]) -> None:
        """Add what the drives give in ``step``."""
        if not len(self._element):
            return
        if step // 4 != self._group:
            self._group = step // 4
            draw_words(self._first_key, self._second_key, self._element, self._group, self._words)
        kernel: Any = add_drives  # a compiled function, whose type says nothing of its arguments
        kernel(step, self._words[step % 4], *self._arguments, inbox)


@numba.njit(cache=True)
def draw_words(first_key, second_key, element, group, words):
    """Fill ``words[k]`` with word k of Philox(key, (element, group low, group high, 0)), for four steps at once."""
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    low, high = np.uint64(group) & mask, np.uint64(group) >> shift
    for i in range(element.shape[0]):
        a, b, c, d = philox_words(
            np.uint64(element[i]), low, high, np.uint64(0), np.uint64(first_key[i]), np.uint64(second_key[i])
        )
        words[0, i], words[1, i], words[2, i], words[3, i] = a, b, c, d


def _guide(thresholds: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return, for each value of a word's first bits, the count of the least word that begins with them."""
    least = np.arange(1 << _GUIDE_BITS, dtype=np.uint64) << np.uint64(32 - _GUIDE_BITS)
    return np.searchsorted(thresholds.astype(np.uint64), least, side="right")


@numba.njit(cache=True)
def add_drives(
    step,
    words,
    start,
    place,
    size,
    weight,
    offset,
    first_step,
    last_step,
    table,
    thresholds,
    first_threshold,
    guide,
    inbox,
):
    """Add to the inbox the weight of each drive times its counts: the number of thresholds that a word reaches.

    The first bits of a word lead to its place among the thresholds, so their number costs nothing.
    """
    shift = np.uint32(32 - _GUIDE_BITS)
    for d in range(start.shape[0]):
        if step < first_step[d] or step >= last_step[d]:
            continue
        target = inbox[start[d] : start[d] + size[d]]
        word = words[place[d] : place[d] + size[d]]
        threshold = thresholds[first_threshold[table[d]] : first_threshold[table[d] + 1]]
        counts = guide[table[d]]
        w, taken, n = weight[d], offset[d], threshold.shape[0]
        for i in range(target.shape[0]):
            x = word[i]
            count = np.int64(counts[x >> shift])
            while count < n and threshold[count] <= x:
                count += 1
            target[i] += w * (np.int32(count) - taken)


@numba.njit(cache=True)
def add_waveforms(amounts, start, stop, inbox):
    """Add to each slice of the inbox its amount."""
    for j in range(start.shape[0]):
        amount = amounts[j]
        if amount != 0:
            for i in range(start[j], stop[j]):
                inbox[i] += amount


@numba.njit(cache=True)
def add_events(step, steps, place, amount, inbox):
    """Add the events of a step."""
    i = np.searchsorted(steps, step)
    while i < steps.shape[0] and steps[i] == step:
        inbox[place[i]] += amount[i]
        i += 1
