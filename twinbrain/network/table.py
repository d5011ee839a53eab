"""Sort drawn synapses into tables."""

from __future__ import annotations

from collections.abc import Iterable

import numba
import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.network.inputs import Events, Input
from twinbrain.network.network import SynapseTable
from twinbrain.network.quanta import LARGEST
from twinbrain.network.synapses import Synapses

_MOST_DELAYS = 2**16


@numba.njit(cache=True)
def _place(source, post, weight, delay, cursor, out_post, out_weight, out_delay):  # type: ignore[no-untyped-def]
    """Put each synapse at its source's cursor: a counting sort, stable."""
    for i in range(source.shape[0]):
        place = cursor[source[i]]
        cursor[source[i]] = place + 1
        out_post[place] = post[i]
        out_weight[place] = weight[i]
        out_delay[place] = delay[i]


@numba.njit(cache=True)
def _sort_rows(row_start, post, weight, delay):  # type: ignore[no-untyped-def]
    """Sort each row by delay, what is equal left in its order, by counting: numba's own sort takes long to compile."""
    longest = 0
    for row in range(row_start.shape[0] - 1):
        longest = max(longest, row_start[row + 1] - row_start[row])
    posts, weights = np.empty(longest, post.dtype), np.empty(longest, weight.dtype)
    delays, places = np.empty(longest, delay.dtype), np.empty(_MOST_DELAYS + 1, np.int64)
    for row in range(row_start.shape[0] - 1):
        first, last = row_start[row], row_start[row + 1]
        if _is_sorted(delay, first, last):
            continue
        low = high = np.int64(delay[first])
        for i in range(first, last):
            low, high = min(low, np.int64(delay[i])), max(high, np.int64(delay[i]))
        places[: high - low + 2] = 0
        for i in range(first, last):
            k = i - first
            posts[k], weights[k], delays[k] = post[i], weight[i], delay[i]
            places[delays[k] - low + 1] += 1
        for k in range(high - low):
            places[k + 1] += places[k]
        for k in range(last - first):
            i = first + places[delays[k] - low]
            places[delays[k] - low] += 1
            post[i], weight[i], delay[i] = posts[k], weights[k], delays[k]


@numba.njit(cache=True)
def _is_sorted(delay, first, last):  # type: ignore[no-untyped-def]
    for i in range(first + 1, last):  # noqa: SIM110 - numba takes no all()
        if delay[i] < delay[i - 1]:
            return False
    return True


def build_tables(synapses: Iterable[Synapses], n_neurons: int) -> tuple[SynapseTable, ...]:
    """Return one table a receptor and origin, rows sorted by source and within them by delay.

    Parameters
    ----------
    synapses : iterable of Synapses
        Let go as soon as they are placed.
    n_neurons : int
        Number of sources.
    """
    groups: dict[tuple[str, str], list[Synapses]] = {}
    for part in synapses:
        groups.setdefault((part.receptor, part.origin), []).append(part)
    return tuple(_build(*key, groups.pop(key), n_neurons) for key in sorted(groups))


def _build(receptor: str, origin: str, parts: list[Synapses], n_neurons: int) -> SynapseTable:
    count = np.zeros(n_neurons, np.int64)
    for part in parts:
        count += np.bincount(part.source, minlength=n_neurons)
    row_start = np.concatenate([[0], np.cumsum(count)])
    n = int(row_start[-1])
    post, weight, delay = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.uint16)
    cursor = row_start[:-1].copy()
    while parts:
        part = parts.pop(0)
        _place(part.source, part.post, part.weight, part.delay, cursor, post, weight, delay)
    _sort_rows(row_start, post, weight, delay)
    return SynapseTable(receptor, origin, row_start, post, weight, delay)


def check_range(tables: Iterable[SynapseTable], inputs: Iterable[Input], n_inlets: int) -> NDArray[np.float64]:
    """Check that no inbox can overflow, whatever spikes arrive in one step, and return how much room is left.

    Returns
    -------
    ndarray of float64, shape (n_inlets,)
        In quanta.

    Raises
    ------
    SpecError
        If all inputs of some neuron together are beyond an integer.
    """
    bound: NDArray[np.float64] = np.zeros(n_inlets)
    for table in tables:
        bound += np.bincount(table.post, weights=np.abs(table.weight.astype(np.float64)), minlength=n_inlets)
    for given in inputs:
        if isinstance(given, Events):
            bound += given.largest(n_inlets)
        else:
            bound[given.start : given.stop] += given.largest
    if len(bound) and bound.max() > LARGEST:
        raise SpecError(
            f"expected the inputs of a neuron to sum to at most {LARGEST} quanta in one step, found up to "
            f"{bound.max():.3g}: the weights of one receptor are too unequal; make them less so, or use two receptors"
        )
    return LARGEST - bound
