"""The folder of all that is derived, compiled or written for a model, once for all processes."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """Return the folder: ``TWINBRAIN_CACHE_DIR``, or the user's."""
    return Path(os.environ.get("TWINBRAIN_CACHE_DIR") or platformdirs.user_cache_dir("twinbrain"))


def write_whole(path: Path, text: str) -> None:
    """Write a file that others may be writing too: each writes its own, and the last takes the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.replace(file.name, path)
        except OSError:
            with suppress(OSError):
                os.unlink(file.name)
            raise
