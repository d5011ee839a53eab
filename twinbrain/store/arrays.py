"""Arrays of a store: how their chunks are encoded, and how they are reached without asking the store what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.codec import BytesBytesCodec
from zarr.abc.store import Store
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec
from zarr.core.array_spec import ArrayConfigParams
from zarr.core.buffer import Buffer
from zarr.core.metadata import ArrayV3Metadata
from zarr.storage import MemoryStore, StorePath

# Every chunk is written, so that one that is not there is lost; it keeps the sign of zeros too.
EXACT: ArrayConfigParams = {"write_empty_chunks": True}
# Last, so that it covers what is stored, and whoever reads with zarr notices a change.
CHECKED: tuple[BytesBytesCodec, ...] = (Crc32cCodec(),)
# Of what is small and written once.
COMPRESSED: tuple[BytesBytesCodec, ...] = (ZstdCodec(level=0), *CHECKED)


def compressed(dtype: Any) -> tuple[BytesBytesCodec, ...]:
    """Return the codecs of many numbers of that type: a fast compressor, good at small integers, and a checksum."""
    blosc = BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle", typesize=np.dtype(dtype).itemsize)
    return (blosc, *CHECKED)


def fingerprint(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return what tells arrays, with their names, from others: the SHA-256 of all of it."""
    found = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        found.update(json.dumps([name, values.dtype.str, values.shape]).encode())
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def array_at(store: Store, path: str, node: Mapping[str, Any]) -> zarr.AsyncArray[Any]:
    """Return the array at ``path`` that a root document describes; nothing is read."""
    return zarr.AsyncArray(ArrayV3Metadata.from_dict(dict(node)), StorePath(store, path), config=EXACT)


async def encoded(array: zarr.AsyncArray[Any], first: int, rows: NDArray[Any]) -> dict[str, Buffer]:
    """Return the objects of an array, by their keys below it, that whole rows from ``first`` on make.

    They are encoded in memory, since zarr would first read the objects that are there.
    """
    objects: dict[str, Buffer] = {}
    own = zarr.AsyncArray(array.metadata, StorePath(MemoryStore(objects)), config=EXACT)
    await own.setitem(slice(first, first + len(rows)) if array.ndim else ..., rows)
    return objects
