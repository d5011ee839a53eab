"""An array that grows along its first dimension, by whole objects only."""

from __future__ import annotations

from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.codecs import BloscCodec
from zarr.core.array_spec import ArrayConfigParams
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore, StorePath

from twinbrain.store.root import Document, describe
from twinbrain.store.schema import ArraySchema
from twinbrain.store.together import together

# Keeps the sign of zeros: zarr takes a chunk of -0.0 for an empty one.
EXACT: ArrayConfigParams = {"write_empty_chunks": True}


def compressor(dtype: Any) -> BloscCodec:
    """Return the compressor of numbers of that type: fast, and good at small integers."""
    return BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle", typesize=np.dtype(dtype).itemsize)


class GrowingArray:
    """An array whose committed rows readers see, and whose next rows are staged, then accepted.

    The rows of the last object (shard or chunk), which is not full, are kept in memory, and the object is written whole
    each time: nothing is read back, and no object that readers use ever lacks a committed row.

    Parameters
    ----------
    array : zarr.Array
        The array in the store.
    n_rows : int
        Number of rows that are committed.
    """

    def __init__(self, array: zarr.Array[Any], n_rows: int) -> None:
        self._array = array
        self._document = describe(array)
        self._rows_per_object = (array.shards or array.chunks)[0]
        if array.shape[0] != n_rows:
            array.resize((n_rows, *array.shape[1:]))
        self.n_rows = n_rows
        n_in_tail = n_rows % self._rows_per_object
        tail = array[n_rows - n_in_tail : n_rows] if n_in_tail else np.empty((0, *array.shape[1:]), array.dtype)
        self._tail: NDArray[Any] = np.asarray(tail)
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
            compressors=compressor(schema.dtype),
            dimension_names=schema.dims,
            attributes=schema.attributes,
            zarr_format=3,
            config=EXACT,
        )
        return cls(array, 0)

    @classmethod
    def reopen(cls, store: Store, path: str, n_rows: int) -> GrowingArray:
        """Open the array at ``path`` and cut it back to the rows that are committed."""
        return cls(zarr.open_array(store, path=path, mode="r+", zarr_format=3, config=EXACT), n_rows)

    @property
    def document(self) -> Document:
        """Metadata with the committed shape."""
        return self._described(self.n_rows)

    @property
    def staged_document(self) -> Document:
        """Metadata with the shape that `accept` commits."""
        return self._described(self._staged[0])

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
        await self._array.async_array.resize((n_rows, *self.row_shape))
        await self._write(first, unwritten)
        full = n_rows - n_rows % self._rows_per_object
        # A copy where rows were left behind, lest they stay in memory.
        self._staged = (n_rows, unwritten[full - first :].copy() if full > first else unwritten)

    def accept(self) -> None:
        """Take the staged rows as committed."""
        self.n_rows, self._tail = self._staged

    async def _write(self, first: int, rows: NDArray[Any]) -> None:
        """Write whole objects from row ``first``."""
        # Encoded in memory, since zarr would first read the shards that are there.
        encoded: dict[str, Buffer] = {}
        array = zarr.AsyncArray(self._array.metadata, StorePath(MemoryStore(encoded)), config=EXACT)
        await array.setitem(slice(first, first + len(rows)), rows)
        target = self._array.store_path
        await together((target / key).set(value) for key, value in encoded.items())

    def _described(self, n_rows: int) -> Document:
        return self._document | {"shape": [n_rows, *self.row_shape]}
