"""The store of a training: learning curves, the state to go on from, and what was learned; committed epoch by epoch.

As with runs, replacing the root document commits: what is written beside it counts from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.core.buffer import Buffer
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from twinbrain.errors import StoreError
from twinbrain.store.arrays import COMPRESSED, EXACT, array_at, encoded, fingerprint
from twinbrain.store.checkpoint import FINGERPRINT
from twinbrain.store.claim import check_held
from twinbrain.store.create import write_dataset
from twinbrain.store.creation import CREATED, new_creation
from twinbrain.store.damage import DamageError, reading
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.layout import FORMAT, SLOTS
from twinbrain.store.location import Location
from twinbrain.store.root import CREATING, KEY, TRAINING, Document, Root, attributes_of, describe, read_document
from twinbrain.store.together import put_groups, replace_groups
from twinbrain.store.verified import VerifiedStore

CURVES, CONNECTOME = "curves", "connectome"
GROUPS = (CONNECTOME, CURVES, "checkpoint", "trained", "responses")
Arrays = Mapping[str, NDArray[Any]]


class TrainingStore:
    """The store of a training; what is written to it is under the claim that is held then, if one is.

    Parameters
    ----------
    location : Location
        Where it lies.
    document : bytes
        Its root document.

    Raises
    ------
    StoreError
        If it is none of a training of this format, or damaged.
    """

    def __init__(self, location: Location, document: bytes) -> None:
        self.location = location
        self._curves: dict[str, NDArray[Any]] = {}  # as they were committed from here
        self._take(document)

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
            # All of it is composed before any of it is written, which then takes moments: who is suspended on the way,
            # and wakes when another process has taken over, finds that out before it writes over what that one wrote.
            path = f"checkpoint/{slot}"
            objects: dict[str, Buffer] = {}
            if done and not self._curves:
                self.curves()  # which are held against what was committed
            whole = {name: self._with_epoch(f"{CURVES}/{name}", done, values) for name, values in curves.items()}
            nodes = _without(self._root.nodes, path) | _compose(MemoryStore(objects), path, state)
            nodes[path] |= {
                "attributes": {FINGERPRINT: fingerprint({name: np.asarray(values) for name, values in state.items()})}
            }
            for name, curve in whole.items():
                objects |= self._encoded(f"{CURVES}/{name}", curve)
            # A copy that is made between two commits may have curves of another.
            told = nodes[CURVES]["attributes"] | {FINGERPRINT: _of_epochs(whole, done + 1)}
            nodes[CURVES] = nodes[CURVES] | {"attributes": told}
            self._check_unchanged()
            sync(put_groups(self.location.store(), [path, CURVES], objects))
            self._replace(nodes, checkpoint=slot, epochs_done=done + 1, **attributes)
            self._curves |= {f"{CURVES}/{name}": curve for name, curve in whole.items()}

    def finish(self, groups: Mapping[str, xr.Dataset], trained: Arrays, **attributes: Any) -> None:
        """Write what was learned, and mark the training as complete."""
        with self._saying_what_is_safe():
            objects: dict[str, Buffer] = {}
            memory = MemoryStore(objects)
            nodes = _without(self._root.nodes, "trained", *groups) | _compose(memory, "trained", trained)
            for name, dataset in groups.items():
                nodes |= write_dataset(memory, name, _with_texts(dataset))
            # Once more, lest one that was suspended has written over them.
            for path, curve in self._curves.items():
                objects |= self._encoded(path, curve)
            self._check_unchanged()
            sync(put_groups(self.location.store(), ["trained", *groups, CURVES], objects))
            self._replace(nodes, status="complete", **attributes)

    def mark(self, **attributes: Any) -> None:
        """Change attributes."""
        with self._saying_what_is_safe():
            self._replace(self._root.nodes, **attributes)

    def state(self) -> dict[str, NDArray[Any]] | None:
        """Return the state to go on from, or None if nothing was committed.

        Raises
        ------
        DamageError
            If it is not as it was written, or another one.
        """
        slot = self._root.attributes["checkpoint"]
        if not slot:
            return None
        path = f"checkpoint/{slot}"
        state = self._read_arrays(path)
        if self._root.nodes[path]["attributes"].get(FINGERPRINT, found := fingerprint(state)) != found:
            raise DamageError(self.location, path, "the state that was committed with the rest", "another", "training")
        return state

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
        curves = self.group(CURVES)
        with reading(self.location, CURVES, TRAINING.name):
            self._check_curves({str(name): array.values for name, array in curves.data_vars.items()})
            curves.attrs.pop(FINGERPRINT, None)  # of wall times, too: equal trainings have different ones
            return curves.isel(epoch=slice(0, self.epochs_done))

    def _check_curves(self, curves: Arrays) -> None:
        expected = self._root.nodes[CURVES]["attributes"].get(FINGERPRINT)
        if expected is not None and _of_epochs(curves, self.epochs_done) != expected:
            raise DamageError(
                self.location, CURVES, "the curves that were committed with the rest", "others", "training"
            )

    def group(self, name: str) -> xr.Dataset:
        """Return a group as a dataset, in memory."""
        with (
            reading(self.location, name, TRAINING.name),
            xr.open_zarr(self._committed, group=name, consolidated=True, zarr_format=3) as found,
        ):
            loaded: xr.Dataset = found.load()
        texts = {name: array for name, array in loaded.variables.items() if array.dtype.kind == "T"}
        return loaded.assign(
            {name: (array.dims, np.array(array.values.tolist(), "U")) for name, array in texts.items()}
        )

    @property
    def safe(self) -> str:
        """What is said to be safe if a write fails."""
        return f"all that was committed, up to epoch {self.epochs_done},"

    def _saying_what_is_safe(self) -> AbstractContextManager[None]:
        return saying_what_is_safe(self.location, self.safe, "training")

    def _with_epoch(self, path: str, done: int, values: NDArray[Any]) -> NDArray[Any]:
        """Return a curve with the values of an epoch; what was committed here is not read again."""
        known = self._curves.get(path)
        curve = self._read_array(path) if known is None else known.copy()
        curve[..., done] = values
        return curve

    def _encoded(self, path: str, curve: NDArray[Any]) -> dict[str, Buffer]:
        """Return the objects of a curve, by their keys."""
        array = array_at(self.location.store(), path, self._committed.arrays[path])
        return {f"{path}/{key}": value for key, value in sync(encoded(array, 0, curve)).items()}

    def _check_unchanged(self) -> None:
        check_held(self.location)
        if self.location.read(KEY) != self._document:
            raise StoreError(
                f"expected the training as it was left, up to epoch {self.epochs_done}, found it changed or gone: "
                f"{self.location}; see whether another process writes it, and resume it once none does"
            )

    def _read_arrays(self, path: str) -> dict[str, NDArray[Any]]:
        found = sorted(name for name in self._committed.arrays if name.startswith(f"{path}/"))
        return {name.removeprefix(f"{path}/"): self._read_array(name) for name in found}

    def _read_array(self, path: str) -> NDArray[Any]:
        with reading(self.location, path, TRAINING.name):
            array = array_at(self._committed, path, self._committed.arrays[path])
            return np.array(sync(array.getitem(...)))

    def _replace(self, nodes: Mapping[str, Document], **attributes: Any) -> None:
        document = Root(self._root.attributes | attributes, dict(nodes)).encode()
        self._check_unchanged()
        self.location.write(KEY, document)
        self._take(document)

    def _take(self, document: bytes) -> None:
        self._committed = VerifiedStore(self.location.store(read_only=True), self.location, document, TRAINING)
        self._root, self._document = self._committed.root, document


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
    attributes = attributes | {TRAINING.mark: FORMAT, CREATED: new_creation(), "checkpoint": "", "epochs_done": 0}
    with saying_what_is_safe(location, what="training"):
        # Until all of it is there, it says that it is being created, and is replaced without asking.
        check_held(location)
        location.write(KEY, Root(attributes | {"status": CREATING}, {}).encode())
        location.clear(GROUPS)
        objects: dict[str, Buffer] = {}
        memory = MemoryStore(objects)
        nodes = write_dataset(memory, CONNECTOME, connectome)
        nodes |= write_dataset(memory, CURVES, _with_texts(curves))
        check_held(location)
        sync(replace_groups(location.store(), [CONNECTOME, CURVES], objects))
        document = Root(attributes | {"status": "running"}, nodes).encode()
        check_held(location)
        location.write(KEY, document)
    return TrainingStore(location, document)


def _compose(store: Store, path: str, arrays: Arrays) -> dict[str, Document]:
    """Write arrays as a group, and return the metadata of the group, of the one that it is in, and of the arrays."""
    group = zarr.create_group(store, path=path, zarr_format=3)
    nodes = {path: describe(group)}
    if "/" in path:
        parent = path.split("/")[0]
        nodes[parent] = describe(zarr.open_group(store, path=parent, mode="a", zarr_format=3))
    for name, values in arrays.items():
        array = zarr.create_array(
            store,
            name=f"{path}/{name}",
            data=np.asarray(values, order="C"),
            compressors=COMPRESSED,
            # In one group a dimension has one length, in one array no dimension comes twice.
            dimension_names=tuple(f"axis_{i}_of_{n}" for i, n in enumerate(values.shape)),
            zarr_format=3,
            config=EXACT,
        )
        nodes[f"{path}/{name}"] = describe(array)
    return nodes


def open_training_store(location: Location) -> TrainingStore:
    """Return the store of a training that is there.

    Raises
    ------
    StoreError
        If there is none of this format.
    """
    return TrainingStore(location, read_document(location, TRAINING))


def is_training(location: Location) -> bool:
    """Return whether the store of a training lies there whose creation was not interrupted."""
    attributes = attributes_of(location.read(KEY))
    return TRAINING.is_of(attributes) and not TRAINING.is_unfinished(attributes)


def check_training_target(location: Location, *, overwrite: bool, changes: str = "") -> None:
    """Make sure that a training can be created there.

    Parameters
    ----------
    location : Location
        Where.
    overwrite : bool
        Whether a training that is there may be replaced; anything else never is.
    changes : str, optional
        What is another in it than in one that is there, for the message.

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
        attributes = attributes_of(location.read(KEY))
        if not TRAINING.is_of(attributes):
            raise StoreError(
                f"expected a free path for a training, found something else: {location}; name another path, or remove "
                "it yourself"
            )
        if not overwrite and not TRAINING.is_unfinished(attributes):
            of_another = f", of another workflow ({changes})" if changes else ""
            raise StoreError(
                f"expected a free path for a training, found a training: {location}{of_another}; replace it with "
                "overwrite=True (--overwrite), go on with it by resuming, or name another path"
            )


def _with_texts(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose texts are of the type that Zarr has a specification for."""
    texts = {name: array for name, array in dataset.variables.items() if array.dtype.kind == "U"}
    return dataset.assign({name: array.astype(np.dtypes.StringDType()) for name, array in texts.items()})


def _without(nodes: Mapping[str, Document], *paths: str) -> dict[str, Document]:
    return {name: node for name, node in nodes.items() if not any(f"{name}/".startswith(f"{p}/") for p in paths)}


def _of_epochs(curves: Arrays, n_epochs: int) -> str:
    """Return what tells the curves of some epochs from others."""
    return fingerprint({name: curve[..., :n_epochs] for name, curve in curves.items()})
