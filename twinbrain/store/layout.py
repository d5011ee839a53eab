"""Where everything is in a run: names of groups, and how arrays are cut into chunks and shards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of runs, sweeps and trainings: 2 has a checksum in the root document and in each chunk.
FORMAT = 2
# Every group that a run may hold; nothing else in its folder is ever touched.
GROUPS = ("network", "connectome", "spikes", "rate", "state", "checkpoint")
SLOTS = ("even", "odd")
# Model time between entries of the index into the spikes.
INDEX_INTERVAL = 100.0  # ms

# The shard that is being filled is written anew at each commit, so its size bounds what a commit costs.
_SHARD_BYTES = 2**21
_CHUNK_BYTES = 2**18
_CHUNK_ROWS = 512
# Rows of an object of arrays that grow by little: coordinates and the index.
SLOW_ROWS = 2**14


@dataclass(frozen=True, eq=False)
class ProbeLayout:
    """What a probe records, and how it is kept.

    Parameters
    ----------
    name : str
        Name of its group in ``state/``.
    variable : str
        Name of the state variable.
    unit : str
        Its unit.
    neuron : ndarray of int32, shape (neuron,)
        Numbers of the neurons.
    every : int
        Steps between samples: sample k is the state after ``(k + 1) * every`` steps.
    dtype : str
        Type of the samples in the store.
    """

    name: str
    variable: str
    unit: str
    neuron: NDArray[np.int32]
    every: int
    dtype: str = "float64"


@dataclass(frozen=True)
class Cut:
    """How an array is cut: chunks are read one by one, objects (shards, or chunks where there are none) written so.

    Parameters
    ----------
    chunks : tuple of int
        Shape of a chunk.
    shards : tuple of int, optional
        Shape of a shard.
    """

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None

    @property
    def rows(self) -> int:
        """Length of an object along the dimension that grows."""
        return (self.shards or self.chunks)[0]


def cut_slow() -> Cut:
    """Return the cut of a one-dimensional array that grows by little."""
    return Cut((SLOW_ROWS,))


def cut_fast(columns: tuple[int, ...], itemsize: int) -> Cut:
    """Return the cut of an array that grows by much.

    Parameters
    ----------
    columns : tuple of int
        Nothing for a one-dimensional array, else the length of its second dimension.
    itemsize : int (bytes)
        Size of an element.
    """
    n_columns = max(1, *columns) if columns else 1
    shard_rows = _power_of_two(_SHARD_BYTES // (n_columns * itemsize))
    chunk_rows = min(shard_rows, max(_CHUNK_ROWS, _power_of_two(_CHUNK_BYTES // (n_columns * itemsize))))
    if not columns:
        return Cut((chunk_rows,), (shard_rows,))
    chunk_columns = min(n_columns, max(1, _CHUNK_BYTES // (chunk_rows * itemsize)))
    shard_columns = -(-n_columns // chunk_columns) * chunk_columns
    return Cut((chunk_rows, chunk_columns), (shard_rows, shard_columns))


def _power_of_two(number: int) -> int:
    """Return the largest power of two up to ``number``, at least 1."""
    return 1 << max(0, number.bit_length() - 1)
