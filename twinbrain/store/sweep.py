"""The store of a sweep: one Zarr group whose arrays have a place for each point, written batch by batch.

A batch is what one task computes, and one object of each array. Its status is written last: what has none is computed
anew. Nothing else is ever written after the creation but the name of the process that drives the sweep.
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
from zarr.core.metadata import ArrayV3Metadata
from zarr.core.sync import sync
from zarr.storage import StorePath

from twinbrain.errors import StoreError
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.growing import EXACT
from twinbrain.store.location import Location
from twinbrain.store.root import CREATING, KEY, Root
from twinbrain.store.together import together

FORMAT = 1
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
        If there is none, or one of another version.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        document = location.read(KEY)
        if document is None:
            raise StoreError(f"expected a sweep, found nothing: {location}; check the path")
        self._root = _parse(location, document)
        self.attrs = self._root.attributes
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
        store: Any = self.location.store(read_only=True)
        return xr.open_dataset(store, engine="zarr", chunks={}, consolidated=True)

    def connectome(self) -> xr.Dataset:
        """Return the connectome of the workflow."""
        store: Any = self.location.store(read_only=True)
        return xr.open_dataset(store, engine="zarr", group=CONNECTOME, consolidated=False).load()

    def read(self, name: str, points: slice = slice(None)) -> NDArray[Any]:
        """Return an array of the sweep at some points, as it is now."""
        return np.asarray(sync(self._array(name).getitem(points)))

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of an array's elements."""
        return np.dtype(self._array(name).dtype)

    def write(self, result: BatchResult) -> None:
        """Write the results of a batch, and its status when all else is there.

        Raises
        ------
        StoreError
            If the store cannot be written; the batch stays as it was then.
        """
        with saying_what_is_safe(self.location, _SAFE, "sweep"):
            sync(self._write(result))

    async def _write(self, result: BatchResult) -> None:
        error = np.array(result.error, np.dtypes.StringDType())
        values = {**result.values, SECONDS: result.seconds, ERROR: error}
        await together(self._set(name, result, array) for name, array in values.items())
        await self._set(STATUS, result, result.status)

    async def _set(self, name: str, result: BatchResult, values: NDArray[Any]) -> None:
        await self._array(name).setitem(slice(result.start, result.stop), values)

    def _array(self, name: str) -> zarr.AsyncArray[Any]:
        if name not in self._arrays:
            # Of the root document, so that nothing is read but chunks.
            place = StorePath(self.location.store(), name)
            self._arrays[name] = zarr.AsyncArray(ArrayV3Metadata.from_dict(self._root.nodes[name]), place, config=EXACT)
        return self._arrays[name]

    def claim(self, driver: str) -> None:
        """Write down who drives the sweep from now on."""
        self._root = self._root.with_attributes(driver=driver)
        self.attrs = self._root.attributes
        with saying_what_is_safe(self.location, _SAFE, "sweep"):
            self.location.write(KEY, self._root.encode())

    def check_driver(self, driver: str) -> None:
        """Raise a `StoreError` if someone else drives the sweep by now."""
        document = self.location.read(KEY)
        found = None if document is None else _parse(self.location, document).attributes.get("driver")
        if found != driver:
            raise StoreError(
                f"expected to be alone in driving the sweep {self.location}, found that another process has taken it "
                "over; let that one go on, or stop it and resume"
            )


def is_sweep(location: Location) -> bool:
    """Return whether a sweep lies there whose creation was not interrupted."""
    document = location.read(KEY)
    attributes = {} if document is None else sweep_attributes(document)
    return "twinbrain_sweep" in attributes and attributes.get("state") != CREATING


def sweep_attributes(document: bytes) -> dict[str, Any]:
    """Return the attributes of a root document, of whatever it is the root."""
    try:
        return dict(json.loads(document).get("attributes") or {})
    except (ValueError, TypeError, AttributeError):
        return {}


def _parse(location: Location, document: bytes) -> Root:
    attributes = sweep_attributes(document)
    if "twinbrain_sweep" not in attributes:
        raise StoreError(f"expected a sweep, found something else: {location}; open a run with open_run")
    if attributes["twinbrain_sweep"] != FORMAT:
        version = attributes.get("twinbrain_version", "unknown")
        raise StoreError(
            f"expected a sweep of format {FORMAT}, found format {attributes['twinbrain_sweep']}, written by twinbrain "
            f"{version}: {location}; open it with that version"
        )
    if attributes.get("state") == CREATING:
        raise StoreError(f"expected a sweep, found one whose creation was interrupted: {location}; start it anew")
    return Root(attributes, json.loads(document)["consolidated_metadata"]["metadata"])
