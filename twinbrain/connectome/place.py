"""Put the name of a file before what is wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinbrain.errors import ConnectomeError
from twinbrain.files import FileError


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Raise each fault of a file as a `ConnectomeError` that names the file, or the part of one."""
    try:
        yield
    except (ConnectomeError, FileError) as error:
        raise ConnectomeError(f"{path}: {error}") from None
