"""An array that grows along its first dimension, by whole objects only."""

from __future__ import annotations

from typing import Any

import numpy as np
import zarr
from google_crc32c import value as crc32c
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.core.sync import sync

from twinbrain.store.arrays import EXACT, array_at, compressed, encoded
from twinbrain.store.damage import DamageError, reading
from twinbrain.store.root import Document, describe
from twinbrain.store.schema import ArraySchema
from twinbrain.store.together import together
from twinbrain.store.verified import VerifiedStore


class GrowingArray:
    """An array whose committed rows readers see, and whose next rows are staged, then accepted.

    The rows of the last object (shard or chunk), which is not full, are kept in memory, and the object is written whole
    each time: nothing is read back, and no object that readers use ever lacks a committed row.

    Parameters
    ----------
    array : zarr.AsyncArray
        The array in the store, with the rows that are committed.
    tail : ndarray
        Its rows in the last object, if that is not full.
    """

    def __init__(self, array: zarr.AsyncArray[Any], tail: NDArray[Any]) -> None:
        self._array = array
        self._document = describe(array)
        self._rows_per_object = (array.shards or array.chunks)[0]
        self.n_rows = array.shape[0]
        self._tail = tail
        self._staged = (self.n_rows, self._tail)

    @classmethod
    def create(cls, store: Store, path: str, schema: ArraySchema) -> GrowingArray:
        """Create an array without rows at ``path``."""
        array = zarr.create_array(
            store,
            name=path,
            shape=(0, *schema.columns),
            chunks=schema.cut.chunks,
            shards=schema.cut.shards,
            dtype=schema.dtype,
            fill_value=0,
            compressors=compressed(schema.dtype),
            dimension_names=schema.dims,
            attributes=schema.attributes,
            zarr_format=3,
            config=EXACT,
        )
        return cls(array.async_array, np.empty((0, *schema.columns), schema.dtype))

    @classmethod
    def reopen(cls, store: Store, path: str, committed: VerifiedStore, tail_crc: int | None = None) -> GrowingArray:
        """Return the array at ``path`` with the rows that are committed; what lies beyond them does not count.

        Parameters
        ----------
        store : Store
            The store, to write to.
        path : str
            The array.
        committed : VerifiedStore
            The store as it was committed.
        tail_crc : int, optional
            What `staged_tail_crc` was then.

        Raises
        ------
        DamageError
            If the object that is not full is not as it was written, or another one.
        """
        array = array_at(store, path, committed.arrays[path])
        n_rows, rows_per_object = array.shape[0], (array.shards or array.chunks)[0]
        tail = np.empty((0, *array.shape[1:]), array.dtype)
        if n_in_tail := n_rows % rows_per_object:
            read = array_at(committed, path, committed.arrays[path])
            with reading(committed, path):
                tail = np.asarray(sync(read.getitem(slice(n_rows - n_in_tail, n_rows))))
        if tail_crc is not None and _crc(tail) != tail_crc:
            raise DamageError(committed, path, "the last rows that were committed", "others")
        return cls(array, tail)

    @property
    def document(self) -> Document:
        """Metadata with the committed shape."""
        return self._described(self.n_rows)

    @property
    def staged_document(self) -> Document:
        """Metadata with the shape that `accept` commits."""
        return self._described(self._staged[0])

    @property
    def staged_tail_crc(self) -> int:
        """CRC-32C of the rows in the last object, if that is not full, once `accept` commits."""
        return _crc(self._staged[1])

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of a row."""
        return tuple(self._array.shape[1:])

    async def stage(self, rows: NDArray[Any]) -> None:
        """Write rows after the committed ones; until `accept` is called, others can be staged in their place."""
        first = self.n_rows - len(self._tail)
        n_rows = self.n_rows + len(rows)
        self._staged = (n_rows, self._tail)
        if not len(rows):
            return
        unwritten = np.concatenate([self._tail, rows.astype(self._tail.dtype, copy=False)])
        await self._array.resize((n_rows, *self.row_shape))
        await self._write(first, unwritten)
        full = n_rows - n_rows % self._rows_per_object
        # A copy where rows were left behind, lest they stay in memory.
        self._staged = (n_rows, unwritten[full - first :].copy() if full > first else unwritten)

    def accept(self) -> None:
        """Take the staged rows as committed."""
        self.n_rows, self._tail = self._staged

    async def _write(self, first: int, rows: NDArray[Any]) -> None:
        """Write whole objects from row ``first``."""
        target, objects = self._array.store_path, await encoded(self._array, first, rows)
        await together((target / key).set(value) for key, value in objects.items())

    def _described(self, n_rows: int) -> Document:
        return self._document | {"shape": [n_rows, *self.row_shape]}


def _crc(rows: NDArray[Any]) -> int:
    return int(crc32c(np.frombuffer(rows.tobytes(), np.uint8)))
