"""Read all of a store, and say what of it is not as it was written."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from twinbrain.errors import StoreError
from twinbrain.store.damage import DamageError
from twinbrain.store.location import Location
from twinbrain.store.read import open_run
from twinbrain.store.root import KEY, RUN, SWEEP, kind_in, read_document
from twinbrain.store.sweep import DONE, RUNS, STATUS, BatchedStore, SweepStore
from twinbrain.store.verified import VerifiedStore

# Objects that are read at a time.
_AT_A_TIME = 16
# Files that are told of: a store may claim far more than there are.
_MOST_DAMAGED = 1000


@dataclass(frozen=True)
class Damage:
    """An object of a store that is not as it was written.

    Parameters
    ----------
    place : str
        Path or URL of the object.
    message : str
        What was expected, what was found, and what to do.
    """

    place: str
    message: str


@dataclass(frozen=True)
class StoreCheck:
    """What became of reading all of a store.

    Parameters
    ----------
    n_objects, n_bytes : int
        What was read; places of points that are pending hold nothing.
    damaged : tuple of Damage
        What is not as it was written.
    """

    n_objects: int
    n_bytes: int
    damaged: tuple[Damage, ...]

    def __add__(self, other: StoreCheck) -> StoreCheck:
        return StoreCheck(self.n_objects + other.n_objects, self.n_bytes + other.n_bytes, self.damaged + other.damaged)


def check_store(path: str | os.PathLike[str] | Location) -> StoreCheck:
    """Read all of a run, a sweep or a training, and compare it with its checksums.

    Parameters
    ----------
    path : str, path or Location
        Folder or URL of the store; the runs that a sweep keeps are read too.

    Returns
    -------
    StoreCheck
        How much was read, and what is damaged.

    Raises
    ------
    StoreError
        If there is no store of this format, or it cannot be read.

    Examples
    --------
    >>> tb.check_store("runs/rest.zarr").damaged  # doctest: +SKIP
    ()
    """
    location = Location.of(path)
    document = read_document(location)
    kind = kind_in(document) or RUN
    reader = location.store(read_only=True)
    try:
        if kind is not SWEEP:
            found = _check(VerifiedStore(reader, location, document, kind))
            return found + _check_opened(location) if kind is RUN and not found.damaged else found
        return _check(BatchedStore(reader, location, document)) + _check_runs(location)
    except DamageError as error:  # of the root document itself
        return StoreCheck(1, len(document), (_damage(error),))


def _check(store: VerifiedStore) -> StoreCheck:
    found = StoreCheck(1, 0, ())
    left = _keys(store)
    while keys := tuple(islice(left, _AT_A_TIME)):
        for outcome in sync(_read(store, keys)):
            found += outcome
        if len(found.damaged) >= _MOST_DAMAGED:
            message = f"{store}: {len(found.damaged)} files are damaged, and no more were read; take another copy"
            return found + StoreCheck(0, 0, (Damage(str(store), message),))
    return found


def _check_opened(location: Location) -> StoreCheck:
    """Check what a run holds against what else it says, as whoever opens it does."""
    try:
        open_run(location)
    except DamageError as error:
        return StoreCheck(0, 0, (_damage(error),))
    return StoreCheck(0, 0, ())


async def _read(store: VerifiedStore, keys: tuple[str, ...]) -> list[StoreCheck]:
    async def one(key: str) -> StoreCheck:
        try:
            data = await store.get(key, default_buffer_prototype())
        except DamageError as error:
            return StoreCheck(1, 0, (_damage(error),))
        return StoreCheck(data is not None, 0 if data is None else len(data), ())

    return list(await asyncio.gather(*map(one, keys)))


def _keys(store: VerifiedStore) -> Iterator[str]:
    for path in store.arrays:
        for place in np.ndindex(*store.cutting(path).n_objects):
            yield "/".join([path, "c", *map(str, place)])


def _check_runs(location: Location) -> StoreCheck:
    """Check what a sweep keeps of each point, if it does."""
    found, store, runs = StoreCheck(0, 0, ()), SweepStore(location), location.child(RUNS)
    declared = json.loads(store.attrs["spec"])
    if not declared["sweep"]["keep_runs"]:
        return found
    try:
        done = np.flatnonzero(store.read(STATUS) == DONE)
    except DamageError:  # which is told of already
        return found
    names = runs.names()
    for name in (f"{point:06d}.zarr" for point in done):
        if name not in names and declared["train"] is not None:
            continue  # a baseline, which is not kept
        try:
            found += check_store(runs.child(name))
        except StoreError as error:
            found += StoreCheck(1, 0, (Damage(f"{runs.child(name)}/{KEY}", str(error)),))
    return found


def _damage(error: DamageError) -> Damage:
    return Damage(f"{error.place}/{error.key}", str(error))
