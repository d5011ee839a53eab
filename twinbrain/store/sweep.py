"""The store of a sweep: one Zarr group whose arrays have a place for each point, written batch by batch.

A batch is what one task computes, and one object of each array. Its status is written last: what has none is computed
anew. Nothing else is ever written after the creation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync

from twinbrain.store.arrays import array_at, encoded
from twinbrain.store.claim import check_held
from twinbrain.store.damage import reading
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.location import Location
from twinbrain.store.root import KEY, SWEEP, attributes_of, read_document
from twinbrain.store.together import together
from twinbrain.store.verified import VerifiedStore

POINT = "point"
PENDING, DONE, FAILED = 0, 1, 2
CONNECTOME = "connectome"
RUNS = "runs"
# What is known of each point beside its results.
STATUS, ERROR, SECONDS = "status", "error", "seconds"
# What nothing else in a sweep may be called.
RESERVED = (POINT, STATUS, ERROR, SECONDS, CONNECTOME, RUNS)
_SAFE = "what is done"


@dataclass(frozen=True, eq=False)
class BatchResult:
    """The results of a batch of points.

    Parameters
    ----------
    start, stop : int
        Its points.
    status : ndarray of uint8, shape (stop - start,)
        `DONE` or `FAILED`.
    error : list of str
        What went wrong (``""``: nothing).
    seconds : ndarray of float32
        How long each took.
    values : dict of str to ndarray, shape (stop - start, …)
        Results; those of failed points do not count.
    """

    start: int
    stop: int
    status: NDArray[np.uint8]
    error: list[str]
    seconds: NDArray[np.float32]
    values: Mapping[str, NDArray[Any]]


class SweepStore:
    """A sweep that is there.

    Parameters
    ----------
    location : Location
        Where.

    Raises
    ------
    StoreError
        If there is none, or one of another version, or its root document is damaged.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self._read = BatchedStore(location.store(read_only=True), location, read_document(location, SWEEP))
        self.attrs = self._read.root.attributes
        self._arrays: dict[str, zarr.AsyncArray[Any]] = {}

    @property
    def n_points(self) -> int:
        """Number of points."""
        return int(self.attrs["n_points"])

    @property
    def batch(self) -> int:
        """Points of a batch."""
        return int(self.attrs["batch"])

    def dataset(self) -> xr.Dataset:
        """Return all that the sweep holds, lazily, on the dimension ``point``."""
        with reading(self.location, KEY, SWEEP.name), self._read.opening():
            return xr.open_dataset(self._read, engine="zarr", chunks={}, consolidated=True)  # type: ignore[arg-type]

    def template(self) -> xr.Dataset:
        """Return the results of one point with their coordinates, in memory; their values do not count."""
        names = list(json.loads(self.attrs["shapes"]))
        flat = self.dataset()[names]
        arrays = {
            name: xr.Variable(
                array.dims[1:], np.broadcast_to(np.array(np.nan, array.dtype), array.shape[1:]), array.attrs
            )
            for name, array in flat.items()
        }
        # Read here, not on the workers of a client that may be there.
        texts = {
            name: xr.Variable(c.dims, self.read(str(name)), c.attrs)
            for name, c in flat.coords.items()
            if POINT not in c.dims
        }
        return xr.Dataset(arrays, texts)

    def connectome(self) -> xr.Dataset:
        """Return the connectome of the workflow."""
        store: Any = self._read
        with reading(self.location, CONNECTOME, SWEEP.name):
            return xr.open_dataset(store, engine="zarr", group=CONNECTOME, consolidated=True).load()

    def read(self, name: str, points: slice = slice(None)) -> NDArray[Any]:
        """Return an array of the sweep at some points, as it is now."""
        with reading(self.location, name, SWEEP.name):
            return np.asarray(sync(self._array(name).getitem(points)))

    def write(self, result: BatchResult) -> None:
        """Write the results of a batch, and its status when all else is there.

        Raises
        ------
        StoreError
            If the store cannot be written, or is not this process's to write any more; the batch stays as it was then.
        """
        with saying_what_is_safe(self.location, _SAFE, "sweep"):
            check_held(self.location)
            sync(self._write(result))
            check_held(self.location)  # writing takes a while
            sync(self._set(self.location.store(), STATUS, result, result.status))

    async def _write(self, result: BatchResult) -> None:
        error = np.array(result.error, np.dtypes.StringDType())
        values = {**result.values, SECONDS: result.seconds, ERROR: error}
        store = self.location.store()
        await together(self._set(store, name, result, array) for name, array in values.items())

    async def _set(self, store: Store, name: str, result: BatchResult, values: NDArray[Any]) -> None:
        objects = await encoded(self._array(name), result.start, values)
        await together(store.set(f"{name}/{key}", value) for key, value in objects.items())

    def _array(self, name: str) -> zarr.AsyncArray[Any]:
        if name not in self._arrays:
            self._arrays[name] = array_at(self._read, name, self._read.arrays[name])
        return self._arrays[name]


class BatchedStore(VerifiedStore):
    """A sweep, in which results may lack as long as the status of their batch says that it is pending."""

    def __init__(self, store: Store, location: Location, document: bytes) -> None:
        super().__init__(store, location, document, SWEEP)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._store, self._location, self._document)

    def _with_store(self, store: Store) -> BatchedStore:
        return type(self)(store, self._location, self._document)

    async def _absent(
        self, path: str, place: tuple[int, ...], key: str, prototype: BufferPrototype, byte_range: ByteRequest | None
    ) -> Buffer | None:
        node = self.arrays[path]
        if path != STATUS and place and node["dimension_names"][0] == POINT:
            n = self.cutting(path).object_shape[0]
            points = slice(place[0] * n, (place[0] + 1) * n)
            status = np.asarray(await array_at(self, STATUS, self.arrays[STATUS]).getitem(points))
            if not status.any():
                return None
            if await self._store.exists(key):  # the batch was written meanwhile
                return await self.get(key, prototype, byte_range)
        return await super()._absent(path, place, key, prototype, byte_range)


def is_sweep(location: Location) -> bool:
    """Return whether a sweep lies there whose creation was not interrupted."""
    attributes = attributes_of(location.read(KEY))
    return SWEEP.is_of(attributes) and not SWEEP.is_unfinished(attributes)
