"""A store whose readers get what was written, or an error that names the object which is not."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from google_crc32c import value as crc32c
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.buffer import cpu
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from twinbrain.errors import StoreError
from twinbrain.files.regular import MB, VARIABLE, largest
from twinbrain.store.contents import is_of_array, memory_of
from twinbrain.store.creation import HEAD, Watched
from twinbrain.store.damage import DamageError
from twinbrain.store.location import LARGEST_OBJECT, Location
from twinbrain.store.root import KEY, RUN, Document, Kind, Root, parse

_CHECKSUM_BYTES = 4
LARGEST_OPENED = 1000 * MB
"""Memory that opening a store takes at most: xarray loads the coordinates of each dimension."""
CHECKPOINTS = "checkpoint/"
"""Where a run and a training keep what they go on from, written anew by each commit but one."""
_MOST_HANDED_ON = 8
_NO_CHUNK = np.uint64(2**64 - 1)
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Cutting:
    """How an array is cut into objects, and these into chunks.

    Parameters
    ----------
    shape, object_shape : tuple of int
        Shape of the array, and of an object of it.
    chunk_shape : tuple of int, optional
        Shape of a chunk, where an object is a shard of several.
    itemsize : int (bytes), optional
        Size of an element; None of texts, which have many.
    """

    shape: tuple[int, ...]
    object_shape: tuple[int, ...]
    chunk_shape: tuple[int, ...] | None
    itemsize: int | None = None

    @classmethod
    def of(cls, node: Document) -> Cutting:
        """Return how the array is cut that a root document describes."""
        (first, *_) = node["codecs"]
        chunk = tuple(first["configuration"]["chunk_shape"]) if first["name"] == "sharding_indexed" else None
        itemsize = None
        with suppress(TypeError):  # names of numbers are those of numpy
            itemsize = np.dtype(node["data_type"]).itemsize or None
        shape, object_shape = node["shape"], node["chunk_grid"]["configuration"]["chunk_shape"]
        return cls(tuple(shape), tuple(object_shape), chunk, itemsize)

    @property
    def n_objects(self) -> tuple[int, ...]:
        """Number of objects along each dimension."""
        return tuple(-(-n // own) for n, own in zip(self.shape, self.object_shape, strict=True))

    @property
    def n_chunks(self) -> tuple[int, ...]:
        """Number of chunks of a shard along each dimension."""
        assert self.chunk_shape is not None
        return tuple(n // own for n, own in zip(self.object_shape, self.chunk_shape, strict=True))

    @property
    def index_bytes(self) -> int:
        """Size of the index at the end of a shard."""
        return 16 * math.prod(self.n_chunks) + _CHECKSUM_BYTES

    @property
    def largest_object(self) -> int:
        """Bytes that an object has at most: what does not compress takes little more than its elements."""
        if self.itemsize is None:
            return LARGEST_OBJECT
        n_chunks = math.prod(self.n_chunks) if self.chunk_shape else 1
        return 2 * self.itemsize * math.prod(self.object_shape) + 64 * n_chunks + 2**16

    def may_grow(self, place: tuple[int, ...]) -> bool:
        """Return whether the object at ``place`` has room for more rows, so that a longer one may take its place."""
        return (place[0] + 1) * self.object_shape[0] > self.shape[0]

    def n_written(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return how many chunks of the shard at ``place`` lie in the array, along each dimension."""
        assert self.chunk_shape is not None
        return tuple(
            min(n, -(-(length - i * own) // chunk))
            for n, length, i, own, chunk in zip(
                self.n_chunks, self.shape, place, self.object_shape, self.chunk_shape, strict=True
            )
        )


class VerifiedStore(WrapperStore[Store]):
    """A store as its root document says it is: every chunk is checked, and none may lack or be of another creation.

    Metadata are those of the root document, which has a checksum; those beside the arrays are not asked. A chunk ends
    with a checksum, and so does the index of a shard.

    Parameters
    ----------
    store : Store
        The store.
    location : Location
        Where it lies.
    document : bytes
        Its root document.
    kind : Kind
        What is kept there.

    Raises
    ------
    StoreError
        If the document is of no such store, or damaged.
    """

    def __init__(self, store: Store, location: Location, document: bytes, kind: Kind = RUN) -> None:
        super().__init__(store)
        self.root: Root = parse(location, document, kind)
        self._location, self._document, self._kind = location, document, kind
        self._arrays = {path: node for path, node in self.root.nodes.items() if node["node_type"] == "array"}
        self._cuttings: dict[str, Cutting] = {}
        self._left: float = math.inf  # memory that may be taken
        # Of shards that may be put anew, the last indices that were read, to know which chunk is asked for then.
        self._handed_on: dict[str, deque[NDArray[np.uint64]]] = {}
        self._watched = Watched(f"{kind.name} {location}", document, self._head)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._store, self._location, self._document, self._kind)

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and isinstance(other, VerifiedStore)
            and (self._store, self._document) == (other._store, other._document)
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return str(self._location)

    def __dask_tokenize__(self) -> tuple[str, bytes]:
        return str(self._location), self._document

    def _with_store(self, store: Store) -> VerifiedStore:
        return type(self)(store, self._location, self._document, self._kind)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return an object, or part of it, once it is checked; None of all that the root document does not name.

        Raises
        ------
        StoreError
            If it is not as it was written, or another store has taken the place of this one.
        """
        if key == KEY:
            return cpu.Buffer.from_bytes(self._document)
        path, is_node = (key.removesuffix(f"/{KEY}"), True) if key.endswith(f"/{KEY}") else (key, False)
        if is_node:
            found = self._described(path)
            return None if found is None else cpu.Buffer.from_bytes(found)
        if (split := self._split(key)) is None:  # what zarr looks for in stores of another version
            return None
        path, place = split
        limit = self.cutting(path).largest_object
        refuse = partial(self._damaged, key)
        data = await self._location.fetch(self._store, key, limit, prototype, byte_range, refuse)
        await self._watched.confirm(as_committed=path.startswith(CHECKPOINTS))
        if data is None:
            return await self._absent(path, place, key, prototype, byte_range)
        part = data.as_numpy_array()
        if isinstance(byte_range, RangeByteRequest) and not (_ends_with_checksum(part) and _fills(part, byte_range)):
            return await self._chunk_of_whole(key, path, place, byte_range, prototype)
        self._check(key, path, place, part, byte_range)
        return data

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of objects, once they are checked."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    def cutting(self, path: str) -> Cutting:
        """Return how an array is cut."""
        if path not in self._cuttings:
            self._cuttings[path] = Cutting.of(self._arrays[path])
        return self._cuttings[path]

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Bound the memory that all that is read meanwhile takes, since nobody has asked for it yet."""
        self._left = largest(LARGEST_OPENED)
        try:
            yield
        finally:
            self._left = math.inf

    @property
    def arrays(self) -> dict[str, Document]:
        """Path of each array to its metadata."""
        return self._arrays

    async def _head(self) -> bytes | None:
        found = await self._location.fetch(self._store, KEY, byte_range=RangeByteRequest(0, HEAD))
        return None if found is None else found.to_bytes()

    async def _absent(
        self, path: str, place: tuple[int, ...], key: str, prototype: BufferPrototype, byte_range: ByteRequest | None
    ) -> Buffer | None:
        """Return what stands for an object that is not there."""
        raise self._damaged(key, "a file of the array", "none")

    def _check(self, key: str, path: str, place: tuple[int, ...], data: Bytes, byte_range: ByteRequest | None) -> None:
        cutting = self.cutting(path)
        if cutting.chunk_shape is None or isinstance(byte_range, RangeByteRequest):
            if not _ends_with_checksum(data):
                raise self._damaged(key, "a chunk that its checksum confirms", "a changed one, or one cut short")
            self._check_content(key, path, data)
        elif isinstance(byte_range, SuffixByteRequest):
            index = self._index(key, cutting, place, data[-cutting.index_bytes :])
            if cutting.may_grow(place):
                self._handed_on.setdefault(key, deque(maxlen=_MOST_HANDED_ON)).append(index.reshape(-1, 2))
        else:
            self._check_shard(key, path, place, data)

    def _check_content(self, key: str, path: str, chunk: Bytes) -> None:
        node = self._arrays[path]
        if (n_bytes := memory_of(node, chunk)) > self._left:
            raise StoreError(
                f"{self._location}/{key}: expected coordinates that take at most {largest(LARGEST_OPENED):,} bytes of "
                f"memory together, found more in {path}; if you trust the {self._kind.name}, set {VARIABLE} to as much"
            )
        self._left -= n_bytes
        if not is_of_array(node, chunk):
            raise self._damaged(key, "a chunk of the type and shape of its array", "another")

    async def _chunk_of_whole(
        self, key: str, path: str, place: tuple[int, ...], byte_range: RangeByteRequest, prototype: BufferPrototype
    ) -> Buffer:
        """Return a chunk that is not where the index was that zarr had read before, from one read of the whole shard.

        Between the two, who writes the store may have put the shard anew, with more rows.
        """
        limit = self.cutting(path).largest_object
        whole = await self._location.fetch(self._store, key, limit, prototype)
        await self._watched.confirm()
        if whole is None:
            raise self._damaged(key, "a file of the array", "none")
        index = self._check_shard(key, path, place, whole.as_numpy_array()).reshape(-1, 2)
        wanted = [byte_range.start, byte_range.end - byte_range.start]
        numbers = {int(n) for old in self._handed_on.get(key, ()) for n in np.flatnonzero((old == wanted).all(axis=1))}
        if len(numbers) != 1:
            raise StoreError(f"{self._location}/{key}: expected a shard, found several that replaced it; read it again")
        start, length = map(int, index[numbers.pop()])
        return whole[start : start + length]

    def _check_shard(self, key: str, path: str, place: tuple[int, ...], data: Bytes) -> NDArray[np.uint64]:
        cutting = self.cutting(path)
        index = self._index(key, cutting, place, data[-cutting.index_bytes :])
        for start, length in index.reshape(-1, 2):
            if start == _NO_CHUNK:
                continue
            chunk = data[int(start) : int(start) + int(length)]
            if not _ends_with_checksum(chunk):
                raise self._damaged(key, "chunks that their checksums confirm", "a changed one")
            self._check_content(key, path, chunk)
        return index

    def _index(self, key: str, cutting: Cutting, place: tuple[int, ...], data: Bytes) -> NDArray[np.uint64]:
        if len(data) != cutting.index_bytes or not _ends_with_checksum(data):
            raise self._damaged(key, "a shard with an index that its checksum confirms", "a changed one, or none")
        index = data[:-_CHECKSUM_BYTES].copy().view("<u8").reshape(*cutting.n_chunks, 2)
        written = index[tuple(slice(n) for n in cutting.n_written(place))]
        if (written[..., 0] == _NO_CHUNK).any():
            raise self._damaged(key, "a shard with all its chunks", "one that lacks some")
        return index

    def _damaged(self, key: str, expected: str, found: str) -> DamageError:
        return DamageError(self._location, key, expected, found, self._kind.name)

    def _split(self, key: str) -> tuple[str, tuple[int, ...]] | None:
        """Return the array that an object is of, and its place in it; None if it is of none."""
        if (path := key.removesuffix("/c")) != key and path in self._arrays:
            return path, ()
        path, _, place = key.rpartition("/c/")
        return (path, tuple(int(part) for part in place.split("/"))) if path in self._arrays else None

    def _described(self, path: str) -> bytes | None:
        """Return the metadata of a node; of a group, with those of all below it."""
        node = self.root.nodes.get(path)
        if node is None or node["node_type"] == "array":
            return None if node is None else json.dumps(node).encode()
        below = {
            name.removeprefix(f"{path}/"): own for name, own in self.root.nodes.items() if name.startswith(f"{path}/")
        }
        consolidated = {"kind": "inline", "must_understand": False, "metadata": below}
        return json.dumps(node | {"consolidated_metadata": consolidated}).encode()


def _ends_with_checksum(data: Bytes) -> bool:
    body, end = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    return len(data) > _CHECKSUM_BYTES and crc32c(np.ascontiguousarray(body)) == int.from_bytes(end.tobytes(), "little")


def _fills(data: Bytes, byte_range: RangeByteRequest) -> bool:
    return len(data) == byte_range.end - byte_range.start
