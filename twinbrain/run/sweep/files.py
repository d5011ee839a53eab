"""Files that the values of a sweep name: what they hold when it is begun, and that they still do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinbrain.connectome.load import load_connectome
from twinbrain.errors import SpecError
from twinbrain.files import FileError, read_bytes
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.network.given import with_pinned_drives
from twinbrain.spec.load import load_region
from twinbrain.spec.named_files import place_in, renamed, swept_names, with_files, with_folder
from twinbrain.spec.sweep import FileKind, NamedFile, Sweep


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
        if kind != "folder":  # a training keeps the digest of what its task made of it
            known = files.setdefault(kind, {}).get(name, NamedFile())
            files[kind][name] = known.replace(sha256=_opened(known.path or name, kind)[1])
    return with_files(sweep, files)


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
        if known.sha256 is None:
            return path
        found, digest = _opened(path, kind)
        if digest != known.sha256:
            raise SpecError(
                f"{path}: expected the contents with which the sweep was begun, of digest {known.sha256[:12]}…, found "
                f"{digest[:12]}…: it has changed; bring back what it was, or start the sweep anew"
            )
        return found

    return {key: renamed(value, place_in(("sweep", "parameters"), key), new) for key, value in values.items()}


def _opened(path: str, kind: FileKind) -> tuple[Any, str]:
    """Return what takes the place of a name, and the digest of what it holds."""
    if kind == "connectome":
        connectome = load_connectome(path)
        return connectome, connectome.digest
    if kind == "region":
        region = with_pinned_drives(load_region(path))
        return region, region.digest
    try:
        return path, hashlib.sha256(read_bytes(path, LARGEST_ARCHIVE)).hexdigest()
    except FileError as error:
        raise SpecError(f"{path}: {error}") from None
