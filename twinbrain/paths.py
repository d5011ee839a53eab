"""Paths as users give them: text or a path object, relative or absolute, ``~`` for the home folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

# A path object leaves one "/" of two, and a person may forget one.
_URL = re.compile(r"(?:.*/)?((?:s3a?|gs|gcs|az|abfss?|https?|ftp|memory|file|local):/.*)", re.DOTALL | re.IGNORECASE)


def url_in(path: str | os.PathLike[str]) -> str:
    """Return the URL that somebody has most likely meant by a path, whole or mistyped (``"s3:/bucket/x"``); else "".

    Parameters
    ----------
    path : str or path
        Also one that was put behind a folder.
    """
    found = _URL.fullmatch(os.fspath(path))
    return found[1] if found else ""


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
