"""Where a run is kept that nobody has named a place for: a folder that lasts as long as the process."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from itertools import count
from multiprocessing.util import Finalize
from pathlib import Path

from twinbrain.store.location import Location

_number = count(1)


def place_for(out: str | os.PathLike[str] | Location | None, name: str) -> Location:
    """Return the location that a user gives, or one of its own in the temporary folder of this process.

    Parameters
    ----------
    out : str, path, Location or None
        What the user gives.
    name : str
        Of the workflow.
    """
    return Location(_folder(os.getpid()) / f"{name}-{next(_number)}.zarr") if out is None else Location.of(out)


@cache
def _folder(process: int) -> Path:
    """Return the folder of a process: one that was forked from another has its own."""
    folder = Path(tempfile.mkdtemp(prefix="twinbrain-runs-"))
    # Unlike what atexit is given, not called where a fork of this process ends, but where a worker of a pool does.
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, exitpriority=-1)
    return folder
