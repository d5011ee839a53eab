"""The state to go on from, in two slots that are written in turn: the valid one is never touched."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.api import asynchronous
from zarr.buffer import cpu
from zarr.core.buffer import Buffer
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from twinbrain.errors import StoreError
from twinbrain.store.arrays import CHECKED, EXACT, array_at, compressed, fingerprint
from twinbrain.store.creation import GoneOnError
from twinbrain.store.damage import DamageError, reading
from twinbrain.store.layout import SLOTS
from twinbrain.store.location import Location
from twinbrain.store.root import KEY, Document, Root, describe, read_document
from twinbrain.store.together import replace_groups, together
from twinbrain.store.verified import VerifiedStore
from twinbrain.store.window import StateData

FINGERPRINT = "fingerprint"
"""Attribute of a checkpoint by which its arrays are known, since checksums do not tell a file from an older copy."""
TAILS = "last_rows"
"""Attribute of a checkpoint: for each array that grows, the CRC-32C of its rows in the object that is not full."""
_UNDER_WAY = ("under_way_step", "under_way_neuron")
_CHUNK = 2**18
_ATTEMPTS = 20
_UNDER_WAY_CHUNK = 2**14


class Slot:
    """One of the two slots of the checkpoint.

    Parameters
    ----------
    store : Store
        The run's store.
    name : {"even", "odd"}
        Which.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._path = f"checkpoint/{name}"
        self._arrays: dict[str, zarr.AsyncArray[Any]] | None = None
        self._documents: dict[str, Document] = {}
        self._dims: dict[str, str] = {}

    async def write(self, state: StateData) -> dict[str, Document]:
        """Replace what the slot holds, and return the metadata of its group and arrays."""
        values = _arrays_of(state)
        dims = {name: _dim(name, value) for name, value in values.items()}
        arrays = self._arrays if dims == self._dims else None
        if arrays is None:
            arrays = await self._create(values, dims)
        attributes = {"step": state.step, FINGERPRINT: fingerprint(values)}
        group = self._documents[self._path] | {"attributes": attributes}
        await together(
            [
                self._store.set(f"{self._path}/{KEY}", cpu.Buffer.from_bytes(json.dumps(group).encode())),
                *(_replace(arrays[name], value) for name, value in values.items()),
            ]
        )
        shapes = {f"{self._path}/{name}": {"shape": list(value.shape)} for name, value in values.items()}
        return {self._path: group} | {path: self._documents[path] | shapes[path] for path in shapes}

    async def _create(self, values: dict[str, NDArray[Any]], dims: dict[str, str]) -> dict[str, zarr.AsyncArray[Any]]:
        self._arrays = None  # until all of it is there
        objects: dict[str, Buffer] = {}
        group = await asynchronous.create_group(store=MemoryStore(objects), path=self._path, zarr_format=3)
        created = {
            name: await group.create_array(
                name,
                shape=value.shape,
                dtype=value.dtype,
                chunks=(_UNDER_WAY_CHUNK if name in _UNDER_WAY else min(max(len(value), 1), _CHUNK),),
                fill_value=0,
                # States hardly shrink, and there are only two.
                compressors=compressed(value.dtype) if name in _UNDER_WAY else CHECKED,
                dimension_names=(dims[name],),
                config=EXACT,
            )
            for name, value in values.items()
        }
        await replace_groups(self._store, [self._path], objects)
        documents = {f"{self._path}/{name}": describe(array) for name, array in created.items()}
        self._documents = documents | {self._path: describe(group)}
        self._dims = dims
        self._arrays = {
            name: array_at(self._store, f"{self._path}/{name}", documents[f"{self._path}/{name}"]) for name in values
        }
        return self._arrays


def other_slot(valid: str) -> str:
    """Return the slot to write to while ``valid`` is the valid one (or ``""``: none is)."""
    return SLOTS[1] if valid == SLOTS[0] else SLOTS[0]


def read_checkpoint(committed: VerifiedStore) -> StateData | None:
    """Return the state of the valid slot, or None if nothing was committed.

    Raises
    ------
    DamageError
        If it is not as it was written, or another one.
    """
    valid = committed.root.attributes["checkpoint"]
    if not valid:
        return None
    prefix = f"checkpoint/{valid}"
    with reading(committed, prefix):
        arrays = {
            path.removeprefix(f"{prefix}/"): np.asarray(sync(array_at(committed, path, node).getitem(...)))
            for path, node in committed.arrays.items()
            if path.startswith(f"{prefix}/")
        }
    attributes = committed.root.nodes[prefix]["attributes"]
    # Runs of this format that were written before there were fingerprints have none.
    if attributes.get(FINGERPRINT, found := fingerprint(arrays)) != found:
        raise DamageError(committed, prefix, "the checkpoint that was committed with the rest", "another", "run")
    step, neuron = (arrays.pop(name) for name in _UNDER_WAY)
    variables = {unquote(name): values for name, values in sorted(arrays.items())}
    return StateData(int(attributes["step"]), variables, step, neuron)


def tail_crcs(root: Root) -> dict[str, int]:
    """Return what was committed as `GrowingArray.staged_tail_crc` of each array that grows."""
    valid = root.attributes["checkpoint"]
    found: dict[str, int] = root.nodes[f"checkpoint/{valid}"]["attributes"].get(TAILS, {}) if valid else {}
    return found


def read_state(path: str | os.PathLike[str] | Location) -> StateData | None:
    """Return the state of a run at the end of its last committed window, or None if none was committed.

    Raises
    ------
    StoreError
        If there is no run of this format.
    """
    location = Location.of(path)

    def read() -> StateData | None:
        return read_checkpoint(VerifiedStore(location.store(read_only=True), location, read_document(location)))

    for _ in range(_ATTEMPTS):
        with suppress(GoneOnError):  # a run that is being written goes on meanwhile
            return read()
    return read()


def _arrays_of(state: StateData) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, values in state.variables.items():
        if name in _UNDER_WAY or np.ndim(values) != 1:
            raise StoreError(
                f"expected variables of one dimension named '<block>/<variable>', found {name!r} of shape "
                f"{np.shape(values)}; rename or flatten it"
            )
        arrays[quote(name, safe="")] = np.asarray(values, np.float64)
    under_way = (state.under_way_step, state.under_way_neuron)
    return arrays | {name: np.asarray(v, np.int32) for name, v in zip(_UNDER_WAY, under_way, strict=True)}


def _dim(name: str, value: NDArray[Any]) -> str:
    """Return a name under which arrays of different lengths can stand in one group."""
    return "under_way" if name in _UNDER_WAY else f"length_{len(value)}"


async def _replace(array: zarr.AsyncArray[Any], value: NDArray[Any]) -> None:
    if array.shape != value.shape:
        await array.resize(value.shape)
    if len(value):
        await array.setitem(slice(None), value)
