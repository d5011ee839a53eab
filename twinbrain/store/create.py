"""Creation of a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.abc.store import Store
from zarr.core.buffer import Buffer
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from twinbrain.errors import StoreError
from twinbrain.store.arrays import COMPRESSED, EXACT
from twinbrain.store.claim import check_held, held
from twinbrain.store.creation import CREATED, new_creation
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.growing import GrowingArray
from twinbrain.store.layout import FORMAT, GROUPS, ProbeLayout
from twinbrain.store.location import Location
from twinbrain.store.root import CREATING, KEY, RUN, Document, Root, attributes_of, describe, write_bytes
from twinbrain.store.schema import NEURON, RunSchema, run_schema
from twinbrain.store.together import together
from twinbrain.store.verified import VerifiedStore
from twinbrain.store.writer import RunWriter

REQUIRED = ("twinbrain_version", "workflow", "seed", "duration", "window", "engine", "spec", "digest", "versions")


def create_run(
    path: str | os.PathLike[str] | Location,
    *,
    attrs: dict[str, Any],
    network: xr.Dataset,
    connectome: xr.Dataset,
    spikes: bool,
    rate_bin_steps: int,
    dt: float,
    probes: Sequence[ProbeLayout] = (),
    overwrite: bool = False,
) -> RunWriter:
    """Create a run without windows.

    Until all of it is there, the root document says that it is being created; such a run is replaced without asking.
    The claim that is held on the location, if one is, is that of the writer.

    Parameters
    ----------
    path : str, path or Location
        Folder of the run, whose parents are made, or its URL.
    attrs : dict
        Attributes of the run: twinbrain_version, workflow, seed, duration (ms), window (ms), engine, spec, digest,
        versions.
    network : Dataset
        Populations (dimension ``population``) and synapse tables (dimension ``table``).
    connectome : Dataset
        The connectome.
    spikes : bool
        Whether spikes are recorded.
    rate_bin_steps : int
        Steps of a bin of the rates.
    dt : float (ms)
        Time step.
    probes : sequence of ProbeLayout
        State variables that are recorded.
    overwrite : bool
        Replace a run that is there. Anything else that is there is never replaced.

    Raises
    ------
    StoreError
        If something is there already, or nothing can be written there.
    """
    location = Location.of(path)
    check_target(location, overwrite=overwrite)
    missing = [key for key in REQUIRED if key not in attrs]
    if missing:
        raise StoreError(f"expected the attributes {', '.join(REQUIRED)}, found no {', '.join(missing)}; give them all")
    schema = run_schema(
        spikes=spikes, rate_bin_steps=rate_bin_steps, n_populations=network.sizes["population"], probes=probes, dt=dt
    )
    attributes = attrs | {"twinbrain_format": FORMAT, CREATED: new_creation(), "status": CREATING}
    attributes |= {"dt": dt, "committed": 0.0, "checkpoint": ""}
    # Composed in memory, since zarr would ask the store for the parents of each group and array, one by one.
    objects: dict[str, Buffer] = {}
    nodes = _compose(MemoryStore(objects), schema, network, connectome, probes)
    objects.pop(KEY, None)  # which zarr puts above the groups
    with saying_what_is_safe(location):
        store = location.store()
        present = location.names()
        check_held(location)
        sync(write_bytes(store, Root(attributes, {}).encode()))
        for group in GROUPS:
            if group in present:
                sync(store.delete_dir(group))
        sync(together(store.set(key, value) for key, value in objects.items()))
        document = Root(attributes | {"status": "running"}, nodes).encode()
        check_held(location)
        sync(write_bytes(store, document))
        created = VerifiedStore(store, location, document)
        arrays = {name: GrowingArray.reopen(store, name, created) for name in schema.arrays}
    return RunWriter(location, store, document, arrays, held(location))


def check_target(path: str | os.PathLike[str] | Location, *, overwrite: bool = False) -> None:
    """Raise a `StoreError` if `create_run` would find something at ``path`` that it does not replace.

    A URL is tried too: whether it can be reached, read and written.

    Parameters
    ----------
    path : str, path or Location
        Folder or URL of the run.
    overwrite : bool
        Whether a run may be replaced; anything else never is.
    """
    location = Location.of(path)
    with saying_what_is_safe(location):
        if location.is_file():
            raise StoreError(
                f"expected a free path for a run, found a file: {location}; name another path, or remove it"
            )
        if not location.is_free():
            _check_replaceable(location, overwrite)
        location.check_writable()


def _check_replaceable(location: Location, overwrite: bool) -> None:
    attributes = attributes_of(location.read(KEY))
    if not RUN.is_of(attributes):
        raise StoreError(
            f"expected a free path for a run, found a folder that is no twinbrain run: {location}; name another path, "
            f"or remove it yourself"
        )
    if not overwrite and not RUN.is_unfinished(attributes):
        raise StoreError(
            f"expected a free path for a run, found a run: {location}; replace it with overwrite=True (--overwrite), "
            f"go on with it by resuming, or name another path"
        )


def is_resumable(location: Location) -> bool:
    """Return whether a run lies there that can be gone on with."""
    attributes = attributes_of(location.read(KEY))
    return RUN.is_of(attributes) and not RUN.is_unfinished(attributes)


def _compose(
    store: Store, schema: RunSchema, network: xr.Dataset, connectome: xr.Dataset, probes: Sequence[ProbeLayout]
) -> dict[str, Document]:
    """Write all that a run without windows holds but the root document, and return the metadata."""
    nodes = write_dataset(store, "network", network) | write_dataset(store, "connectome", connectome)
    nodes |= _create_groups(store, schema) | _write_neurons(store, probes)
    return nodes | {name: GrowingArray.create(store, name, array).document for name, array in schema.arrays.items()}


def _create_groups(store: Store, schema: RunSchema) -> dict[str, Document]:
    return {
        group: describe(zarr.create_group(store, path=group, zarr_format=3, attributes=attributes))
        for group, attributes in schema.groups.items()
    }


def _write_neurons(store: Store, probes: Sequence[ProbeLayout]) -> dict[str, Document]:
    nodes = {}
    for probe in probes:
        name = f"state/{probe.name}/neuron"
        array = zarr.create_array(
            store,
            name=name,
            data=np.asarray(probe.neuron, np.int32),
            compressors=COMPRESSED,
            dimension_names=("neuron",),
            attributes=NEURON,
            zarr_format=3,
            config=EXACT,
        )
        nodes[name] = describe(array)
    return nodes


def write_dataset(store: Store, path: str, dataset: xr.Dataset) -> dict[str, Document]:
    """Write a dataset as a group, and return the metadata of the group and its arrays."""
    encoding = {name: {"compressors": COMPRESSED} for name in dataset.variables}
    plain = dataset.drop_encoding()
    plain.to_zarr(
        store, group=path, mode="w", consolidated=False, zarr_format=3, encoding=encoding, write_empty_chunks=True
    )
    group = zarr.open_group(store, path=path, mode="r", use_consolidated=False)
    return {path: describe(group)} | {f"{path}/{name}": describe(array) for name, array in group.arrays()}
