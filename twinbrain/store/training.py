"""The store of a training: learning curves, the state to go on from, and what was learned; committed epoch by epoch.

As with runs, replacing the root document commits: what is written beside it counts from then on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from twinbrain.errors import StoreError
from twinbrain.store.create import write_dataset
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.growing import EXACT
from twinbrain.store.layout import SLOTS
from twinbrain.store.location import Location
from twinbrain.store.root import KEY, Document, Root, describe, read_document

FORMAT = 1
CURVES, CONNECTOME = "curves", "connectome"
_KIND = "twinbrain_training"
Arrays = Mapping[str, NDArray[Any]]


class TrainingStore:
    """The store of a training.

    Parameters
    ----------
    location : Location
        Where it lies.
    root : Root
        Its root document.
    """

    def __init__(self, location: Location, root: Root) -> None:
        self.location, self._root = location, root

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the training."""
        return self._root.attributes

    @property
    def epochs_done(self) -> int:
        """Epochs that are committed."""
        return int(self._root.attributes["epochs_done"])

    def commit(self, curves: Arrays, state: Arrays, **attributes: Any) -> None:
        """Add an epoch: its place of the learning curves, and the state to go on from.

        Parameters
        ----------
        curves : mapping of str to ndarray
            For each curve its values in this epoch.
        state : mapping of str to ndarray
            What training goes on from.
        **attributes
            Attributes that change.
        """
        done = self.epochs_done
        slot = SLOTS[1] if self._root.attributes["checkpoint"] == SLOTS[0] else SLOTS[0]
        with self._saying_what_is_safe():
            store = self.location.store()
            for name, values in curves.items():
                # One object an array: what was there of earlier epochs stays whatever happens.
                zarr.open_array(store, path=f"{CURVES}/{name}", mode="r+", zarr_format=3)[..., done] = values
            nodes = _without(self._root.nodes, f"checkpoint/{slot}")
            nodes |= self._write_arrays(f"checkpoint/{slot}", state)
            self._replace(nodes, checkpoint=slot, epochs_done=done + 1, **attributes)

    def finish(self, groups: Mapping[str, xr.Dataset], trained: Arrays, **attributes: Any) -> None:
        """Write what was learned, and mark the training as complete."""
        with self._saying_what_is_safe():
            nodes = _without(self._root.nodes, "trained", *groups)
            nodes |= self._write_arrays("trained", trained)
            for name, dataset in groups.items():
                nodes |= write_dataset(self.location.store(), name, _with_texts(dataset))
            self._replace(nodes, status="complete", **attributes)

    def mark(self, **attributes: Any) -> None:
        """Change attributes."""
        with self._saying_what_is_safe():
            self._replace(self._root.nodes, **attributes)

    def state(self) -> dict[str, NDArray[Any]] | None:
        """Return the state to go on from, or None if nothing was committed."""
        slot = self._root.attributes["checkpoint"]
        return self._read_arrays(f"checkpoint/{slot}") if slot else None

    def trained(self) -> dict[str, NDArray[Any]]:
        """Return what was learned.

        Raises
        ------
        StoreError
            If the training is not complete.
        """
        if self._root.attributes["status"] != "complete":
            raise StoreError(f"expected a complete training, found one that is not: {self.location}; resume it first")
        return self._read_arrays("trained")

    def curves(self) -> xr.Dataset:
        """Return the learning curves of the epochs that are done."""
        return self.group(CURVES).isel(epoch=slice(0, self.epochs_done))

    def group(self, name: str) -> xr.Dataset:
        """Return a group as a dataset, in memory."""
        with xr.open_zarr(self.location.store(read_only=True), group=name, consolidated=False, zarr_format=3) as found:
            loaded: xr.Dataset = found.load()
        texts = {name: array for name, array in loaded.variables.items() if array.dtype.kind == "T"}
        return loaded.assign(
            {name: (array.dims, np.array(array.values.tolist(), "U")) for name, array in texts.items()}
        )

    def _saying_what_is_safe(self) -> AbstractContextManager[None]:
        done = f"all that was committed, up to epoch {self.epochs_done},"
        return saying_what_is_safe(self.location, done, "training")

    def _write_arrays(self, path: str, arrays: Arrays) -> dict[str, Document]:
        store = self.location.store()
        group = zarr.create_group(store, path=path, overwrite=True, zarr_format=3)
        nodes = {path: describe(group)}
        if "/" in path:
            parent = path.split("/")[0]
            nodes[parent] = describe(zarr.open_group(store, path=parent, mode="a", zarr_format=3))
        for name, values in arrays.items():
            array = zarr.create_array(
                store,
                name=f"{path}/{name}",
                data=np.asarray(values, order="C"),
                # In one group a dimension has one length, in one array no dimension comes twice.
                dimension_names=tuple(f"axis_{i}_of_{n}" for i, n in enumerate(values.shape)),
                zarr_format=3,
                config=EXACT,
            )
            nodes[f"{path}/{name}"] = describe(array)
        return nodes

    def _read_arrays(self, path: str) -> dict[str, NDArray[Any]]:
        group = zarr.open_group(self.location.store(read_only=True), path=path, mode="r", use_consolidated=False)
        return {name: np.asarray(array[...]) for name, array in group.arrays()}

    def _replace(self, nodes: Mapping[str, Document], **attributes: Any) -> None:
        root = Root(self._root.attributes | attributes, dict(nodes))
        self.location.write(KEY, root.encode())
        self._root = root


def create_training(
    location: Location,
    attributes: dict[str, Any],
    curves: xr.Dataset,
    connectome: xr.Dataset,
    *,
    overwrite: bool = False,
) -> TrainingStore:
    """Create the store of a training.

    Parameters
    ----------
    location : Location
        Where.
    attributes : dict
        Attributes of the training.
    curves : Dataset
        The learning curves, all of them NaN, with the dimension ``epoch`` as the last.
    connectome : Dataset
        The connectome of the model.
    overwrite : bool
        Whether a training that is there may be replaced; anything else never is.

    Raises
    ------
    StoreError
        If something is there, or nothing can be written.
    """
    check_training_target(location, overwrite=overwrite)
    attributes = attributes | {_KIND: FORMAT, "status": "running", "checkpoint": "", "epochs_done": 0}
    with saying_what_is_safe(location, what="training"):
        if not location.is_free():
            location.remove()
        nodes = write_dataset(location.store(), CONNECTOME, connectome)
        nodes |= write_dataset(location.store(), CURVES, _with_texts(curves))
        root = Root(attributes, nodes)
        location.write(KEY, root.encode())
    return TrainingStore(location, root)


def open_training_store(location: Location) -> TrainingStore:
    """Return the store of a training that is there.

    Raises
    ------
    StoreError
        If there is none of this format.
    """
    fields = json.loads(read_document(location) or b"{}")
    attributes = dict(fields.get("attributes") or {})
    if attributes.get(_KIND) != FORMAT:
        found = f"format {attributes[_KIND]}" if _KIND in attributes else "something else"
        raise StoreError(f"expected a training of format {FORMAT}, found {found}: {location}; name a training's folder")
    nodes = (fields.get("consolidated_metadata") or {}).get("metadata") or {}
    return TrainingStore(location, Root(attributes, dict(nodes)))


def is_training(location: Location) -> bool:
    """Return whether the store of a training is there."""
    document = location.read(KEY)
    return document is not None and _KIND in (json.loads(document).get("attributes") or {})


def check_training_target(location: Location, *, overwrite: bool) -> None:
    """Make sure that a training can be created there.

    Raises
    ------
    StoreError
        If something is there that may not be replaced, or nothing can be written.
    """
    with saying_what_is_safe(location, what="training"):
        if location.is_file():
            raise StoreError(f"expected a free path for a training, found a file: {location}; name another path")
        location.check_writable()
        if location.is_free():
            return
        if not is_training(location):
            raise StoreError(
                f"expected a free path for a training, found something else: {location}; name another path, or remove "
                "it yourself"
            )
        if not overwrite:
            raise StoreError(
                f"expected a free path for a training, found a training: {location}; replace it with overwrite=True "
                "(--overwrite), go on with it by resuming, or name another path"
            )


def _with_texts(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose texts are of the type that Zarr has a specification for."""
    texts = {name: array for name, array in dataset.variables.items() if array.dtype.kind == "U"}
    return dataset.assign({name: array.astype(np.dtypes.StringDType()) for name, array in texts.items()})


def _without(nodes: Mapping[str, Document], *paths: str) -> dict[str, Document]:
    return {name: node for name, node in nodes.items() if not any(f"{name}/".startswith(f"{p}/") for p in paths)}
