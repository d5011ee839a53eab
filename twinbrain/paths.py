"""Paths as users give them: text or a path object, relative or absolute, ``~`` for the home folder."""

from __future__ import annotations

import os
from pathlib import Path


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return the path that a user means; a ``~`` without a known home folder stays as it is.

    Parameters
    ----------
    path : str or path
        Such as ``"runs/rest.zarr"`` or ``"~/rest.zarr"``.
    """
    return Path(os.path.expanduser(path))


def whole_path(path: str, folder: Path) -> str:
    """Return the whole path that a user means by one that starts from a folder."""
    return str((folder / user_path(path)).absolute())
