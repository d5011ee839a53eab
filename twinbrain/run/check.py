"""Read all of a store, and of a sweep what it keeps of its points; say what is not as it was written."""

from __future__ import annotations

import os
from importlib.metadata import version

import numpy as np

from twinbrain.errors import StoreError, TwinbrainError
from twinbrain.run.simulate import stored_workflow
from twinbrain.run.sweep.kept import keeps_runs, kept_digest, kept_workflows
from twinbrain.run.sweep.task import run_location, stored_sweep_workflow
from twinbrain.store import Location, open_run, open_training_store
from twinbrain.store.check import Damage, StoreCheck, check_objects
from twinbrain.store.declared import check_declared, declared
from twinbrain.store.root import KEY, RUN, SWEEP, TRAINING, attributes_of, kind_in, read_document
from twinbrain.store.sweep import DONE, STATUS, SweepStore
from twinbrain.store.training import CONNECTOME


def check_store(path: str | os.PathLike[str] | Location) -> StoreCheck:
    """Read all of a run, a sweep or a training, and compare it with its checksums and its declaration.

    Parameters
    ----------
    path : str, path or Location
        Folder or URL of the store; the runs and trainings that a sweep keeps are read too, and have to be those of
        its points.

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
    found = check_objects(location)
    document = read_document(location)
    attributes, kind = attributes_of(document), kind_in(document)
    if not found.damaged:
        try:
            _check_declared(location, kind.name if kind else RUN.name)
        except TwinbrainError as error:
            # Another version may fill in what a declaration leaves out, and so come to another digest.
            if attributes.get("twinbrain_version") == version("twinbrain"):
                return found + _damage(location, error)
            return found
    if kind is SWEEP and not any(damage.place == f"{location}/{KEY}" for damage in found.damaged):
        found += _check_kept(SweepStore(location))
    return found


def _check_declared(location: Location, kind: str) -> None:
    """Make sure that the workflow that a store holds is the one that its digest names."""
    if kind == SWEEP.name:
        stored_sweep_workflow(SweepStore(location))
    elif kind == TRAINING.name:
        kept = open_training_store(location)
        kept.curves()
        check_declared(declared(kept.attributes["spec"], kept.group(CONNECTOME), kind), kept.attributes, location, kind)
    else:
        tree = open_run(location)
        check_declared(stored_workflow(tree), tree.attrs, location, kind)


def _check_kept(store: SweepStore) -> StoreCheck:
    """Check what a sweep keeps of each point that is done, if it does."""
    found = StoreCheck(0, 0, ())
    if not keeps_runs(store):
        return found
    try:
        workflows = kept_workflows(store, np.flatnonzero(store.read(STATUS) == DONE))
    except TwinbrainError as error:  # of the status it is told already
        return found if isinstance(error, StoreError) else _damage(store.location, error)
    for point, workflow in workflows.items():
        kept = run_location(store.location, point)
        try:
            found += check_store(kept)
            attributes = attributes_of(read_document(kept))
        except StoreError as error:
            found += _damage(kept, error)
            continue
        if (status := attributes.get("status")) != "complete":
            message = f"expected what was kept of point {point}, which is done, to be complete, found it {status}"
            found += _told(kept, f"{message}; restore it from a copy, or resume the sweep")
            continue
        try:
            expected = None if workflow is None else kept_digest(workflow)
        except TwinbrainError:  # what it names, such as a file of a connectome, need not be here
            continue
        if expected is not None and attributes.get("digest") != expected:
            message = f"expected what was kept of point {point}, of the workflow {expected[:12]}, found another"
            found += _told(kept, f"{message}; restore it from a copy")
    return found


def _told(kept: Location, message: str) -> StoreCheck:
    return StoreCheck(1, 0, (Damage(f"{kept}/{KEY}", f"{kept}: {message}"),))


def _damage(location: Location, error: TwinbrainError) -> StoreCheck:
    return StoreCheck(1, 0, (Damage(f"{location}/{KEY}", str(error)),))
