"""What a window adds to each array of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import StoreError
from twinbrain.store.window import WindowData

Rows = dict[str, NDArray[Any]]
Groups = dict[str, dict[str, Any]]


def rows_of(window: WindowData, groups: Groups, *, dt: float, n_spikes: int) -> Rows:
    """Return the rows that a window adds, by the paths of the arrays.

    Parameters
    ----------
    window : WindowData
        What was recorded.
    groups : dict of str to dict
        Path of each group of the run to its attributes.
    dt : float (ms)
        Time step.
    n_spikes : int
        Number of spikes before the window.

    Raises
    ------
    StoreError
        If the window does not hold what the run records.
    """
    rows = _rates(window, groups["rate"]["bin_steps"], dt)
    if "spikes" in groups:
        rows |= _spikes(window, groups["spikes"]["window_steps"], n_spikes)
    for path, attributes in groups.items():
        if path.startswith("state/"):
            rows |= _samples(window, path, attributes["variable"], attributes["every"], dt)
    return rows


def check_shape(path: str, rows: NDArray[Any], columns: tuple[int, ...]) -> None:
    """Raise a `StoreError` unless rows of ``path`` have that shape each."""
    if rows.shape[1:] != columns:
        raise StoreError(
            f"expected rows of shape {columns} for {path}, found {rows.shape[1:]}; give one value a column"
        )


def _rates(window: WindowData, bin_steps: int, dt: float) -> Rows:
    # The bins that start in the window.
    first, stop = _multiples(window, bin_steps)
    _check_length("rates", window.rates, stop - first, f"one for each bin of {bin_steps} steps that starts in")
    return {"rate/rate": window.rates, "rate/time": np.arange(first, stop) * bin_steps * dt}


def _spikes(window: WindowData, index_steps: int, n_before: int) -> Rows:
    steps = window.time_step
    _check_length("neurons", window.neuron, len(steps), "one for each spike in")
    if len(steps) and (steps[0] < window.first_step or steps[-1] >= window.next_step or (np.diff(steps) < 0).any()):
        raise StoreError(
            f"expected spikes in the order of time, of steps {window.first_step} to {window.next_step - 1}, "
            f"found steps {steps.min()} to {steps.max()}; sort them, and commit those of the window only"
        )
    first, stop = _multiples(window, index_steps)
    starts = np.searchsorted(steps, np.arange(first, stop) * index_steps)
    return {"spikes/time_step": steps, "spikes/neuron": window.neuron, "spikes/window_start": n_before + starts}


def _samples(window: WindowData, path: str, variable: str, every: int, dt: float) -> Rows:
    probe = path.removeprefix("state/")
    if probe not in window.samples:
        raise StoreError(f"expected samples of the probe {probe!r}, found {sorted(window.samples)}; give them all")
    # A sample is the state after every, 2 every, … steps.
    first, stop = window.first_step // every + 1, window.next_step // every + 1
    _check_length(f"samples of {probe!r}", window.samples[probe], stop - first, f"one each {every} steps in")
    return {f"{path}/{variable}": window.samples[probe], f"{path}/time": np.arange(first, stop) * every * dt}


def _multiples(window: WindowData, n_steps: int) -> tuple[int, int]:
    """Return the range of k for which ``k * n_steps`` is a step of the window."""
    return -(-window.first_step // n_steps), -(-window.next_step // n_steps)


def _check_length(what: str, values: NDArray[Any], expected: int, why: str) -> None:
    if len(values) != expected:
        raise StoreError(
            f"expected {expected} {what}, {why} the window of steps, found {len(values)}; "
            f"let windows hold whole bins and intervals"
        )
