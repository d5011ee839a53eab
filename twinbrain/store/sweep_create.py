"""Creation of a sweep."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.abc.store import Store
from zarr.core.buffer import Buffer
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from twinbrain.errors import StoreError
from twinbrain.store.arrays import COMPRESSED, EXACT, compressed
from twinbrain.store.claim import check_held
from twinbrain.store.create import write_dataset
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.layout import FORMAT
from twinbrain.store.location import Location
from twinbrain.store.root import CREATING, KEY, SWEEP, Document, Root, attributes_of, describe, nodes_in
from twinbrain.store.sweep import (
    CONNECTOME,
    DONE,
    ERROR,
    FAILED,
    PENDING,
    POINT,
    RUNS,
    SECONDS,
    STATUS,
)
from twinbrain.store.together import together

_KEPT = re.compile(r"\d{6,}\.zarr")
# Beyond this an object is a shard, whose points are read one by one.
_LARGEST_CHUNK = 2**22


def create_sweep(
    location: Location,
    *,
    attrs: dict[str, Any],
    coordinates: xr.Dataset,
    template: xr.Dataset,
    connectome: xr.Dataset,
    batch: int,
) -> None:
    """Create a sweep without results.

    Parameters
    ----------
    location : Location
        Where; a sweep that is there is replaced, see `check_sweep_target`.
    attrs : dict
        Attributes of the sweep.
    coordinates : Dataset, dim ``point``
        The values of the swept keys.
    template : Dataset
        The results of one point: names, shapes, coordinates, attributes; its values do not count.
    connectome : Dataset
        The connectome of the workflow.
    batch : int
        Points of a batch.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    n = coordinates.sizes[POINT]
    names = " ".join([*map(str, coordinates.data_vars), *map(str, template.coords)])
    attributes = attrs | {SWEEP.mark: FORMAT, "batch": batch, "n_points": n, "coordinates": names}
    # Composed in memory, since zarr would ask the store for the parents of each array, one by one.
    objects: dict[str, Buffer] = {}
    nodes = _compose(MemoryStore(objects), coordinates, template, connectome, n, batch)
    objects.pop(KEY, None)  # which zarr puts above the arrays
    with saying_what_is_safe(location, what="sweep"):
        store = location.store()
        written = {key.split("/")[0] for key in (*objects, *nodes_in(location.read(KEY)))}
        check_held(location)
        location.write(KEY, Root(attributes | {"state": CREATING}, {}).encode())
        location.clear(written)
        runs = location.child(RUNS)
        runs.clear(name for name in runs.names() if _KEPT.fullmatch(name))
        sync(together(store.set(key, value) for key, value in objects.items()))
        document = Root(attributes | {"state": "open"}, nodes).encode()
        check_held(location)
        location.write(KEY, document)


def _compose(
    store: Store, coordinates: xr.Dataset, template: xr.Dataset, connectome: xr.Dataset, n: int, batch: int
) -> dict[str, Document]:
    """Write all that a sweep without results holds but the root document, and return the metadata."""
    nodes = write_dataset(store, CONNECTOME, connectome)
    for name, array in {**coordinates.data_vars, **template.coords}.items():
        nodes[str(name)] = _write(store, str(name), array.variable)
    flags = {"flag_values": [PENDING, DONE, FAILED], "flag_meanings": "pending done failed"}
    wall = {"units": "s", "long_name": "wall time of the point"}
    nodes[STATUS] = _create(store, STATUS, (n,), (POINT,), "uint8", PENDING, flags, batch, written=True)
    nodes[SECONDS] = _create(store, SECONDS, (n,), (POINT,), "float32", math.nan, wall, batch)
    nodes[ERROR] = _create(store, ERROR, (n,), (POINT,), "str", "", {}, batch)
    for name, variable in template.data_vars.items():
        shape, dims = (n, *variable.shape), (POINT, *map(str, variable.dims))
        nodes[str(name)] = _create(store, str(name), shape, dims, variable.dtype, math.nan, variable.attrs, batch)
    return nodes


def _create(
    store: Store,
    name: str,
    shape: tuple[int, ...],
    dims: tuple[str, ...],
    dtype: Any,
    fill: Any,
    attributes: dict[str, Any],
    batch: int,
    *,
    written: bool = False,
) -> Document:
    """Create an array; the status is written from the start, since it says whether others may lack objects."""
    whole = (batch, *(max(1, length) for length in shape[1:]))
    itemsize = 1 if dtype == "str" else np.dtype(dtype).itemsize
    sharded = len(shape) > 1 and math.prod(whole) * itemsize > _LARGEST_CHUNK
    array = zarr.create_array(
        store,
        name=name,
        shape=shape,
        dtype=dtype,
        chunks=(1, *whole[1:]) if sharded else whole,
        shards=whole if sharded else None,
        fill_value=fill,
        compressors=COMPRESSED if dtype == "str" else compressed(dtype),
        dimension_names=dims,
        attributes=attributes,
        zarr_format=3,
        config=EXACT,
    )
    if written:
        array[...] = fill
    return describe(array)


def _write(store: Store, name: str, variable: xr.Variable) -> Document:
    values = variable.values
    if values.dtype.kind in "UO":
        values = values.astype(np.dtypes.StringDType())
    array = zarr.create_array(
        store,
        name=name,
        data=values,
        compressors=COMPRESSED,
        dimension_names=tuple(map(str, variable.dims)),
        attributes=variable.attrs,
        zarr_format=3,
        config=EXACT,
    )
    return describe(array)


def check_sweep_target(location: Location, *, overwrite: bool) -> None:
    """Make sure that a sweep can be created there.

    Raises
    ------
    StoreError
        If something else is there.
    """
    with saying_what_is_safe(location, what="sweep"):
        if location.is_file():
            raise StoreError(
                f"expected a free path for a sweep, found a file: {location}; name another path, or remove it"
            )
        location.check_writable()
        if location.is_free():
            return
        attributes = attributes_of(location.read(KEY))
        if not SWEEP.is_of(attributes):
            raise StoreError(
                f"expected a free path for a sweep, found something else: {location}; name another path, or remove it "
                "yourself"
            )
        if not overwrite and not SWEEP.is_unfinished(attributes):
            raise StoreError(
                f"expected a free path for a sweep, found a sweep: {location}; replace it with overwrite=True "
                "(--overwrite), go on with it by resuming, or name another path"
            )
