"""A folder in which what was written survives a loss of power."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from uuid import uuid4

from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from twinbrain.store.location import Location


def durable(path: str | os.PathLike[str] | Location) -> Location:
    """Name a place such that what is committed there survives a loss of power, or a crash of the operating system.

    Each file is flushed to the disk before it takes its name, and its folder after that; the root document, which
    commits, comes last as always. Without it a commit survives whatever ends the process, but lies in the memory of the
    operating system for some seconds.

    Parameters
    ----------
    path : str, path or Location
        A path of this machine. At a URL it changes nothing, since services keep what they have acknowledged.

    Returns
    -------
    Location
        To be given wherever a path is: as ``out`` of `simulate`, `train` and `sweep`, or to `resume`.

    Examples
    --------
    >>> tb.simulate("single_region", out=tb.durable("runs/region.zarr"))  # doctest: +SKIP
    """
    location = Location.of(path)
    return Location(location.place, durable=True)


class DurableStore(LocalStore):
    """A `LocalStore` whose every write has reached the disk when it returns."""

    async def _set(self, key: str, value: Buffer, exclusive: bool = False) -> None:
        if exclusive:
            await super()._set(key, value, exclusive)
            return
        self._check_writable()
        await asyncio.to_thread(_put, self.root / key, value)


def _put(path: Path, value: Buffer) -> None:
    for folder in reversed([folder for folder in path.parents if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        _flush(folder.parent)
    temporary = path.with_suffix(f".{uuid4().hex}.partial")
    try:
        with temporary.open("wb") as file:
            file.write(value.as_buffer_like())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush(path.parent)


def _flush(folder: Path) -> None:
    """Make names in a folder survive; where folders cannot be opened, the system needs nothing of the kind."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
