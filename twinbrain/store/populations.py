"""The places of populations among the neurons, which whoever counts spikes relies on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from zarr.core.sync import sync

from twinbrain.store.arrays import array_at
from twinbrain.store.damage import DamageError, reading
from twinbrain.store.verified import VerifiedStore


def check_populations(run: VerifiedStore) -> None:
    """Make sure that each population of a run begins where the one before it ends, and that they are all neurons.

    Raises
    ------
    DamageError
        If it is otherwise.
    """
    start, size = _read(run, "network/start"), _read(run, "network/size")
    n = run.root.nodes["network"]["attributes"]["n_neurons"]
    within = len(size) == 0 or (size.min() >= 1 and size.max() <= n)
    ends = np.cumsum(size.astype(np.int64)) if within else size
    if not within or int(size.sum()) != n or not np.array_equal(start, ends - size):
        expected = f"populations one after the other, of {n} neurons together"
        raise DamageError(run, "network/size", expected, "others in network/start and network/size", "run")


def _read(run: VerifiedStore, path: str) -> NDArray[np.integer]:
    with reading(run, path):
        return np.asarray(sync(array_at(run, path, run.arrays[path]).getitem(...)))
