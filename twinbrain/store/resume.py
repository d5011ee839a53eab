"""Resumption of a run that was interrupted."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from twinbrain.store.checkpoint import read_checkpoint
from twinbrain.store.claim import held
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.grown import grown_arrays
from twinbrain.store.info import RunInfo, run_info
from twinbrain.store.location import Location
from twinbrain.store.root import read_document
from twinbrain.store.verified import VerifiedStore
from twinbrain.store.window import StateData
from twinbrain.store.writer import RunWriter


def resume_run(
    path: str | os.PathLike[str] | Location, *, resumed_with: Mapping[str, str] | None = None
) -> tuple[RunWriter, RunInfo, StateData | None]:
    """Open a run to go on with it: what was written but not committed is dropped.

    Parameters
    ----------
    path : str, path or Location
        Folder or URL of the run; nobody else may be writing it. The claim that is held on it, if one is, is the
        writer's.
    resumed_with : mapping of str to str, optional
        Versions of packages that go on with it; those that it was not begun with are added to its attribute
        ``resumed_with``, to those of earlier resumptions.

    Returns
    -------
    writer : RunWriter
        Goes on after the last committed window.
    info : RunInfo
        What the run is.
    state : StateData or None
        The state at the end of that window; None if no window was committed.

    Raises
    ------
    StoreError
        If there is no run of this format, what it goes on from is damaged, or it cannot be written.
    """
    location = Location.of(path)
    info = run_info(location)
    store = location.store()
    document = read_document(location)
    committed = VerifiedStore(store, location, document)
    with saying_what_is_safe(location, info.committed):
        location.clean()
        arrays = grown_arrays(store, committed)
        state = read_checkpoint(committed)
    earlier: dict[str, str] = json.loads(committed.root.attributes.get("resumed_with", "{}"))
    other = {name: own for name, own in (resumed_with or {}).items() if info.versions.get(name) != own}
    notes = {"resumed_with": json.dumps(_joined(earlier, other))} if other else {}
    return RunWriter(location, store, document, arrays, held(location), notes), info, state


def _joined(earlier: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Return all versions of each package, in the order in which they went on with a run."""
    joined = dict(earlier)
    for name, own in other.items():
        known = joined[name].split(", ") if name in joined else []
        joined[name] = ", ".join([*known, *({own} - {*known})])
    return joined
