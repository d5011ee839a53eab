"""Reading of a run."""

from __future__ import annotations

import math
import os
import sys
import threading
from typing import Any

import numpy as np
import xarray as xr

from twinbrain.errors import StoreError
from twinbrain.store.damage import DamageError, reading
from twinbrain.store.location import Location
from twinbrain.store.populations import check_populations
from twinbrain.store.root import KEY, read_document
from twinbrain.store.verified import VerifiedStore


def _drop_pools() -> None:
    """Let a process that was forked read what is lazy: the threads of Dask's pools stay in the one it came from."""
    threaded: Any = sys.modules.get("dask.threaded")
    if threaded is not None:
        # Dask makes new ones. Old ones would take work and never do it, and a thread that is gone may hold the lock.
        threaded.default_pool = None
        threaded.pools.clear()
        threaded.pools_lock = threading.Lock()


os.register_at_fork(after_in_child=_drop_pools)


def open_run(path: str | os.PathLike[str] | Location) -> xr.DataTree:
    """Open a run, also while it is being written; values are loaded as they are used.

    What is returned stays as it is while the run goes on; open it anew to see more. Damage is noticed when it is read,
    and raises a `StoreError` that names the file; so is another run that has taken the place of this one. The
    checkpoint alone does not stay: it is refused once the run has gone on.

    Parameters
    ----------
    path : str, path or Location
        Folder or URL of the run.

    Raises
    ------
    StoreError
        If there is no run of this format.
    """
    location = Location.of(path)
    store = VerifiedStore(location.store(read_only=True), location, read_document(location))
    with store.opening():
        check_populations(store)
    with reading(location, KEY), store.opening():
        tree = xr.open_datatree(store, engine="zarr", chunks={}, consolidated=True)  # type: ignore[arg-type]
    _check_times(location, tree)
    if {"rate", "network"} <= set(tree.children):
        # Of rows that are put into another order nothing else would tell what they are of.
        first = tree["network"].dataset["start"].variable
        tree["rate"].dataset = tree["rate"].to_dataset().assign_coords(start=xr.Variable(first.dims, first.data))
    if "spikes" in tree.children:
        # Of spikes that were selected nothing else would tell that some are missing.
        tree["spikes"].attrs["n_spikes"] = tree["spikes"].sizes["spike"]
    tree.encoding["source"] = str(location.absolute())  # where xarray keeps it of files
    return tree


def _check_times(location: Location, tree: xr.DataTree) -> None:
    """Make sure that the times of bins and samples are those that a run of such steps has."""
    dt = float(tree.attrs["dt"])
    # The first sample is the state after the first interval.
    groups = [(tree["rate"], "bin_steps", 0), *((probe, "every", 1) for probe in tree["state"].children.values())]
    for group, steps, first in groups:
        time = group.dataset["time"].values
        expected = np.arange(first, first + len(time)) * (int(group.attrs[steps]) * dt)
        if not np.allclose(time, expected, rtol=1e-9, atol=1e-6 * dt):
            path = f"{group.path.strip('/')}/time"
            raise DamageError(location, path, f"times in steps of {group.attrs[steps]} × {dt:g} ms", "others", "run")


def read_spikes(
    run: xr.DataTree | str | os.PathLike[str] | Location, start_ms: float | None = None, stop_ms: float | None = None
) -> xr.Dataset:
    """Load the spikes of a time window, and nothing else.

    Parameters
    ----------
    run : DataTree, str, path or Location
        A run, as opened, or its folder or URL.
    start_ms, stop_ms : float (ms), optional
        Spikes at or after the start and before the stop; by default, all.

    Returns
    -------
    Dataset
        ``time_step`` and ``neuron`` (dimension ``spike``), in memory, in the order of time.

    Raises
    ------
    StoreError
        If the run did not record spikes.
    """
    tree = run if isinstance(run, xr.DataTree) else open_run(run)
    if "spikes" not in tree.children:
        raise StoreError("expected a run with spikes, found one that did not record them; record them and run it again")
    spikes = tree["spikes"].to_dataset()
    index_steps, dt = int(spikes.attrs["window_steps"]), float(spikes.attrs["dt"])
    n_spikes = spikes.sizes["spike"]
    if spikes.attrs.get("n_spikes", n_spikes) != n_spikes:
        raise StoreError(
            f"expected the {spikes.attrs['n_spikes']} spikes of the whole run, found {n_spikes} that were selected; "
            "give the whole run, with start_ms and stop_ms"
        )
    starts = np.append(spikes["window_start"].values, n_spikes)

    first_step = 0 if start_ms is None else _first_step(start_ms, dt)
    first_entry = min(max(0, first_step // index_steps), len(starts) - 1)
    if stop_ms is None:
        last_entry = len(starts) - 1
    else:
        last_entry = min(max(0, -(-_first_step(stop_ms, dt) // index_steps)), len(starts) - 1)
    if starts[0] < 0 or (np.diff(starts) < 0).any():
        raise StoreError(
            "expected an index of spikes in the order of time, found another in spikes/window_start: the run is "
            "damaged; restore it from a copy, or start it anew"
        )
    found = spikes[["time_step", "neuron"]].isel(spike=slice(int(starts[first_entry]), int(starts[last_entry]))).load()

    steps = found["time_step"].values
    n_steps = round(float(tree.attrs["committed"]) / dt)
    indexed = first_entry * index_steps
    if len(steps) and not (indexed <= steps.min() and steps.max() < n_steps):
        raise StoreError(
            f"expected spikes of steps {indexed} to {n_steps - 1} where the index says, found some of {steps.min()} to "
            f"{steps.max()} in spikes/time_step: the run is damaged; restore it from a copy, or start it anew"
        )
    first = int(np.searchsorted(steps, first_step))
    stop = len(steps) if stop_ms is None else int(np.searchsorted(steps, _first_step(stop_ms, dt)))
    return found.isel(spike=slice(first, stop))


def _first_step(time: float, dt: float) -> int:
    """Return the first step at or after ``time``, which a rounding error may have put a little late."""
    return math.ceil(time / dt - 1e-6)
