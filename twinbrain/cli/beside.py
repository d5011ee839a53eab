"""What commands put beside a store, each with a mark that tells whose it is: a file without it is somebody else's."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twinbrain.cli.console import Console
from twinbrain.errors import ExchangeError, StoreError

if TYPE_CHECKING:
    from twinbrain.store import Location

_LOOKED_AT = 4096  # bytes at both ends of a file; a mark is in one of these


def beside(location: Location) -> Path:
    """Return the path beside which results are put: that of a store, or one here if it lies at a URL."""
    if not location.is_local:
        return Path(location.name)
    return location.path if location.path.name not in ("", "..") else location.resolved().path


def check_beside(location: Location, *, figure: bool, table: bool = False) -> None:
    """Refuse a folder where a figure or a table is to be put beside a store, before anything is computed."""
    for suffix in [".png"] * figure + [".md"] * table:
        if (path := beside(location).with_suffix(suffix)).is_dir():
            raise StoreError(f"expected {path} free for a file beside {location}, found a folder; move it away")


@contextmanager
def writing(path: Path, location: Location, what: str) -> Iterator[None]:
    """Name the file beside a store that cannot be written."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the {what} {location} is kept, but {path} beside it cannot be written: {error.strerror or error}; make "
            f"room, then: twinbrain resume {shlex.quote(str(location))}"
        ) from error


def mark_of(location: Location) -> str:
    """Return what is written into files that are put beside a store; a store that is moved keeps its own."""
    return f"written by twinbrain for {beside(location).name if location.is_local else str(location)!a}"


def may_write(path: Path, location: Location, console: Console) -> bool:
    """Return whether a file may be written beside a store: none stands there, or one that was written for this store.

    Otherwise it is told that it stays as it is. What is no file is left to whoever writes; a link gives way as ever.
    """
    if path.is_symlink() or not path.is_file() or _is_marked(path, mark_of(location)):
        return True
    return _stays(path, location, console)


def may_write_region(path: Path, location: Location, console: Console) -> bool:
    """Return the same of a region and of the arrays beside it, which must be its own."""
    from twinbrain.spec.replaced import held_besides

    arrays = path.with_suffix(".npz")
    if arrays.is_file() and held_besides(arrays, path):
        return _stays(arrays, location, console)
    return may_write(path, location, console)


def may_write_brain(folder: Path, location: Location, console: Console) -> bool:
    """Return the same of the folder of a brain, whose workflow holds the mark: all in it is as it was written."""
    from twinbrain.exchange.brain_write import WORKFLOW
    from twinbrain.exchange.written import others_in

    if folder.is_symlink() or not folder.is_dir():
        return may_write(folder, location, console)
    with suppress(ExchangeError):  # of a folder that cannot be read
        if _is_marked(folder / WORKFLOW, mark_of(location)) and not others_in(folder):
            return True
    return _stays(folder, location, console)


def _is_marked(path: Path, mark: str) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOOKED_AT))
            return mark.encode() in head + b"\n" + file.read()
    except OSError:
        return False


def _stays(path: Path, location: Location, console: Console) -> bool:
    again = f"twinbrain resume {shlex.quote(str(location))}"
    console.print(
        f"{path} was not written for {location} and stays as it is; move it away, then: {again}", highlight=False
    )
    return False
