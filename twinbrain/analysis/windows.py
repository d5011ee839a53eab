"""Stream the spikes of a run through memory, a stretch of time after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.tree import Clock, check_neurons, group
from twinbrain.errors import StoreError

SPIKES_AT_ONCE = 2_000_000
"""Spikes that are held in memory together, unless one index window has more."""

_WHOLE = (
    "if spikes or windows were selected, give the whole run, with start and stop; else the run is damaged: restore it "
    "from a copy, or start it anew"
)


@dataclass(frozen=True)
class Block:
    """The spikes of a stretch of time.

    Parameters
    ----------
    start, stop : int
        The first step, and the one after the last.
    time_step, neuron : numpy.ndarray, shape (spike,)
        Step and neuron of each spike, in order of time.
    """

    start: int
    stop: int
    time_step: NDArray[np.int64]
    neuron: NDArray[np.int64]


def _spikes(tree: xr.DataTree) -> xr.Dataset:
    spikes = group(tree, "spikes", "set record.spikes = true in the workflow and run it again")
    # Whoever opens a run is told how many it has; plain xarray does not tell.
    n = spikes.attrs.get("n_spikes", spikes.sizes["spike"])
    if n != spikes.sizes["spike"]:
        raise StoreError(
            f"expected the {n} spikes of the whole run, found {spikes.sizes['spike']} that were selected: give the "
            "whole run, with start and stop, or select from the result"
        )
    return spikes


def _edges(spikes: xr.Dataset) -> tuple[int, NDArray[np.int64]]:
    """Return the steps of an index window, and the first spike of each window and of the one after the last."""
    index = spikes["window_start"]
    if "window_steps" not in (attrs := spikes.attrs | index.attrs):
        raise StoreError(
            "expected the attribute 'window_steps' of the spikes of the run, found none; give the run as it was opened"
        )
    window_steps = int(attrs["window_steps"])
    edges = np.append(index.values.astype(np.int64), spikes.sizes["spike"])
    if edges[0] < 0 or (np.diff(edges) < 0).any():
        raise _unordered("spikes/window_start")
    return window_steps, edges


def _unordered(path: str) -> StoreError:
    return StoreError(f"expected spikes in the order of time, found others in {path}: {_WHOLE}")


def read_block(tree: xr.DataTree, start: int, stop: int) -> Block:
    """Read the spikes of the steps from ``start`` to ``stop``; only the index windows that hold them are read."""
    spikes = _spikes(tree)
    window_steps, edges = _edges(spikes)
    last = len(edges) - 1
    low, high = edges[min(start // window_steps, last)], edges[min(-(-stop // window_steps), last)]
    # Only the slice is loaded, whatever the variables are backed by, and its neighbours, which tell whether it is all.
    before = max(int(low) - 1, 0)
    part = spikes[["time_step", "neuron"]].isel(spike=slice(before, int(high) + 1)).load()
    time_step = part["time_step"].values.astype(np.int64)
    if (np.diff(time_step) < 0).any():
        raise _unordered("spikes/time_step")
    first = start // window_steps * window_steps
    end = min(-(-stop // window_steps) * window_steps, round(tree.attrs["committed"] / tree.attrs["dt"]))
    if (before + np.searchsorted(time_step, [first, end]) != (low, high)).any():
        raise StoreError(
            f"expected spikes of steps {first} to {end - 1} where the index says, found some of {time_step[0]} to "
            f"{time_step[-1]} in spikes/time_step: {_WHOLE}"
        )
    neuron = part["neuron"].values.astype(np.int64)
    if ((np.diff(time_step) == 0) & (np.diff(neuron) == 0)).any():
        raise StoreError(f"expected at most one spike of a neuron in a step, found some twice in spikes: {_WHOLE}")
    within = slice(*np.searchsorted(time_step, [start, stop]))
    check_neurons(tree, neuron[within], "spikes/neuron")
    return Block(start, stop, time_step[within], neuron[within])


def blocks(tree: xr.DataTree, time: Clock, multiple: int = 1, spikes_at_once: int = SPIKES_AT_ONCE) -> Iterator[Block]:
    """Yield the spikes of a run block after block.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    time : Clock
        Part of the run.
    multiple : int, optional
        Blocks are multiples of this many steps long, counted from the start; what is left at the end is dropped.
    spikes_at_once : int, optional
        Blocks are made of as many index windows as have this many spikes, and of one at least.
    """
    window_steps, edges = _edges(_spikes(tree))
    start, end = time.start, time.start + (time.stop - time.start) // multiple * multiple
    while start < end:
        window = min(start // window_steps, len(edges) - 1)
        full = int(np.searchsorted(edges, edges[window] + spikes_at_once, side="right")) - 1
        wanted = max(full, window + 1) * window_steps
        stop = end if full >= len(edges) - 1 else min(start + -(-(wanted - start) // multiple) * multiple, end)
        yield read_block(tree, start, stop)
        start = stop
