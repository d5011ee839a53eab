"""Resumption of a run that was interrupted."""

from __future__ import annotations

import os

from twinbrain.store.checkpoint import read_checkpoint
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.growing import GrowingArray
from twinbrain.store.info import RunInfo, run_info
from twinbrain.store.location import Location
from twinbrain.store.root import Root, parse, read_document
from twinbrain.store.window import StateData
from twinbrain.store.writer import RunWriter


def resume_run(path: str | os.PathLike[str] | Location) -> tuple[RunWriter, RunInfo, StateData | None]:
    """Open a run to go on with it: what was written but not committed is dropped.

    Parameters
    ----------
    path : str, path or Location
        Folder or URL of the run; nobody else may be writing it.

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
        If there is no run of this format, or it cannot be written.
    """
    location = Location.of(path)
    info = run_info(location)
    store = location.store()
    document = read_document(location)
    root = parse(location, document)
    with saying_what_is_safe(location, info.committed):
        location.clean()
        arrays = {name: GrowingArray.reopen(store, name, n_rows) for name, n_rows in _growing(root).items()}
        state = read_checkpoint(store, root)
    return RunWriter(location, store, document, arrays), info, state


def _growing(root: Root) -> dict[str, int]:
    """Return the number of committed rows of each array that grows."""
    return {
        path: node["shape"][0]
        for path, node in root.nodes.items()
        if node["node_type"] == "array"
        and path.split("/")[0] in ("spikes", "rate", "state")
        and node["dimension_names"][0] in ("time", "spike", "window")
    }
