"""Files that the values of a sweep name: what they hold when it is begun, and that they still do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinbrain.connectome.load import load_connectome
from twinbrain.errors import SpecError
from twinbrain.files import FileError
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.files.regular import sha256_of
from twinbrain.network.given import with_pinned_drives
from twinbrain.spec.load import load_region
from twinbrain.spec.named_files import place_in, renamed, swept_names, with_files, with_folder
from twinbrain.spec.sweep import FileKind, NamedFile, Sweep
from twinbrain.spec.workflow import Workflow


def pinned_sweep(sweep: Sweep) -> Sweep:
    """Return a sweep that knows what the files hold that its values name, so that it goes on with no others.

    Raises
    ------
    SpecError, ConnectomeError
        If one cannot be read.
    """
    sweep = with_folder(sweep, Path())
    files: dict[FileKind, dict[str, NamedFile]] = {kind: dict(named) for kind, named in sweep.files.items()}
    for name, kind in swept_names(sweep):
        known = files.setdefault(kind, {}).get(name, NamedFile())
        files[kind][name] = known.replace(sha256=_opened(known.path or name, kind)[1])
    return with_files(sweep, files)


def pinned_training(workflow: Workflow, sweep: Sweep) -> Workflow:
    """Return a workflow that trains with a sweep as `pinned_sweep` returns it, which knows its own data set, too.

    Raises
    ------
    SpecError, ConnectomeError
        If a file cannot be read.
    """
    sweep = pinned_sweep(sweep)
    if (folder := _data_folder(workflow)) is not None:
        known = NamedFile(path=folder, sha256=_opened(folder, "folder")[1])
        sweep = with_files(sweep, {**sweep.files, "folder": {**sweep.files.get("folder", {}), folder: known}})
    return workflow.model_copy(update={"sweep": sweep})


def check_data(sweep: Sweep | None, point: Workflow) -> None:
    """Check that the data set of a point is the one with which the sweep was begun.

    Raises
    ------
    SpecError
        If it has changed, or cannot be read.
    """
    folder = _data_folder(point)
    for known in () if sweep is None or folder is None else sweep.files.get("folder", {}).values():
        if known.path == folder:
            _check_digest(f"the data set in {folder}", _opened(folder, "folder")[1], known.sha256)
            return


def _data_folder(workflow: Workflow) -> str | None:
    """Return the folder that the task of a workflow names, if it names one."""
    folder = None if workflow.train is None else workflow.train.task.options.get("folder")
    return folder if isinstance(folder, str) else None


def _check_digest(what: str, found: str | None, known: str | None) -> None:
    if found != known:
        shown = [f"of digest {digest[:12]}…" if digest else "none" for digest in (known, found)]
        raise SpecError(
            f"{what}: expected the contents with which the sweep was begun, {shown[0]}, found {shown[1]}: "
            "it has changed; bring back what it was, or start the sweep anew"
        )


def opened(sweep: Sweep | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a point with what they name: connectomes, regions, and whole paths of other files.

    Raises
    ------
    SpecError, ConnectomeError
        If a file cannot be read, or has changed since the sweep was begun.
    """
    if sweep is None or not sweep.files:
        return values

    def new(name: str, kind: FileKind) -> Any:
        known = sweep.files.get(kind, {}).get(name)
        if known is None:
            return name
        path = known.path or name
        if known.sha256 is None or kind == "folder":  # a data set is checked with its task, see `check_data`
            return path
        found, digest = _opened(path, kind)
        _check_digest(path, digest, known.sha256)
        return found

    return {key: renamed(value, place_in(("sweep", "parameters"), key), new) for key, value in values.items()}


def _opened(path: str, kind: FileKind) -> tuple[Any, str | None]:
    """Return what takes the place of a name, and the digest of what it holds; None of a folder without a data set."""
    if kind == "connectome":
        connectome = load_connectome(path)
        return connectome, connectome.digest
    if kind == "region":
        region = with_pinned_drives(load_region(path))
        return region, region.digest
    try:
        if kind == "folder":
            from twinbrain.learn.tasks.data_files import data_digest

            return path, data_digest(path)
        return path, sha256_of(path, LARGEST_ARCHIVE)
    except FileError as error:
        raise SpecError(f"{path}: {error}") from None
