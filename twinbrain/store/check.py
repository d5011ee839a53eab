"""Read all of a store, and say what of it is not as it was written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np
import xarray as xr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from twinbrain.store.creation import GoneOnError
from twinbrain.store.damage import DamageError
from twinbrain.store.grown import check_grown
from twinbrain.store.location import Location
from twinbrain.store.read import open_run
from twinbrain.store.root import RUN, SWEEP, Kind, kind_in, read_document
from twinbrain.store.sweep import BatchedStore
from twinbrain.store.verified import CHECKPOINTS, VerifiedStore

# Objects that are read at a time.
_AT_A_TIME = 16
# Spikes that are in memory at a time.
_SPIKES = 2**22
# Files that are told of: a store may claim far more than there are.
_MOST_DAMAGED = 1000
# How often a checkpoint is read that a run which goes on replaces meanwhile.
_ATTEMPTS = 20


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


def check_objects(path: str | os.PathLike[str] | Location) -> StoreCheck:
    """Read all objects of a run, a sweep or a training; what a sweep keeps of its points is not looked into.

    See `twinbrain.run.check.check_store`, which does so, and compares a store with its declaration.
    """
    location = Location.of(path)
    document = read_document(location)
    kind = kind_in(document) or RUN
    reader, root = location.store(read_only=True), StoreCheck(1, 0, ())
    try:
        if kind is not SWEEP:
            store = VerifiedStore(reader, location, document, kind)
            found = root + _check(store, (key for key in _keys(store) if not key.startswith(CHECKPOINTS)))
            found += _check_checkpoint(location, kind)
            return found + _check_opened(location) if kind is RUN and not found.damaged else found
        sweep = BatchedStore(reader, location, document)
        return root + _check(sweep, _keys(sweep))
    except DamageError as error:  # of the root document itself
        return StoreCheck(1, len(document), (_damage(error),))


def _check(store: VerifiedStore, keys: Iterator[str]) -> StoreCheck:
    found = StoreCheck(0, 0, ())
    while some := tuple(islice(keys, _AT_A_TIME)):
        for outcome in sync(_read(store, some)):
            found += outcome
        if len(found.damaged) >= _MOST_DAMAGED:
            message = f"{store}: {len(found.damaged)} files are damaged, and no more were read; take another copy"
            return found + StoreCheck(0, 0, (Damage(str(store), message),))
    return found


def _check_checkpoint(location: Location, kind: Kind) -> StoreCheck:
    """Check what a store goes on from, of a commit that is the last one when all of it was read."""
    reader = location.store(read_only=True)
    for _ in range(_ATTEMPTS):
        store = VerifiedStore(reader, location, read_document(location), kind)
        with suppress(GoneOnError):
            return _check(store, _keys(store, CHECKPOINTS))
    return StoreCheck(0, 0, ())  # each that was looked at has been replaced


def _check_opened(location: Location) -> StoreCheck:
    """Check what a run holds against what else it says, as whoever opens it does."""
    try:
        check_grown(location)
        _check_spikes(location, open_run(location))
    except DamageError as error:
        return StoreCheck(0, 0, (_damage(error),))
    return StoreCheck(0, 0, ())


def _check_spikes(location: Location, run: xr.DataTree) -> None:
    """Make sure that spikes are in the order of time, of steps that are committed, and of neurons that there are."""
    if "spikes" not in run.children:
        return
    spikes = run["spikes"].dataset
    n_steps = round(run.attrs["committed"] / run.attrs["dt"])
    n_neurons, last = run["network"].attrs["n_neurons"], 0
    for start in range(0, spikes.sizes["spike"], _SPIKES):
        part = spikes[["time_step", "neuron"]].isel(spike=slice(start, start + _SPIKES)).load()
        steps, neurons = part["time_step"].values, part["neuron"].values
        if steps[0] < last or steps[-1] >= n_steps or (np.diff(steps) < 0).any():
            expected = f"steps in their order, from 0 to {n_steps - 1}"
            raise DamageError(location, "spikes/time_step", expected, "others", RUN.name)
        if neurons.min() < 0 or neurons.max() >= n_neurons:
            raise DamageError(location, "spikes/neuron", f"neurons from 0 to {n_neurons - 1}", "others", RUN.name)
        last = steps[-1]


async def _read(store: VerifiedStore, keys: tuple[str, ...]) -> list[StoreCheck]:
    async def one(key: str) -> StoreCheck:
        try:
            data = await store.get(key, default_buffer_prototype())
        except DamageError as error:
            return StoreCheck(1, 0, (_damage(error),))
        return StoreCheck(data is not None, 0 if data is None else len(data), ())

    return list(await asyncio.gather(*map(one, keys)))


def _keys(store: VerifiedStore, within: str = "") -> Iterator[str]:
    """Yield the chunks of all arrays whose paths begin with a text."""
    for path in (path for path in store.arrays if path.startswith(within)):
        for place in np.ndindex(*store.cutting(path).n_objects):
            yield "/".join([path, "c", *map(str, place)])


def _damage(error: DamageError) -> Damage:
    return Damage(f"{error.place}/{error.key}", str(error))
