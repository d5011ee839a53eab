"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_whole(files: Mapping[Path, bytes]) -> None:
    """Write files beside their names, and give them these once all are whole.

    What has a name before is replaced. So is a symbolic link: what it points to stays as it is, since who sends a
    folder with a link in it says nothing about files elsewhere.

    Parameters
    ----------
    files : mapping of Path to bytes
        What each holds.

    Raises
    ------
    OSError
        If one cannot be written; none has changed then, unless one name of several cannot be replaced.
    ValueError
        If a name has a NUL in it.
    """
    temporary = {target: target.with_name(f".{target.name}.{uuid.uuid4().hex}") for target in files}
    try:
        for target, data in files.items():
            temporary[target].write_bytes(data)
        for target in files:
            os.replace(temporary[target], target)
    finally:
        for leftover in temporary.values():
            with suppress(OSError, ValueError):
                leftover.unlink(missing_ok=True)
