"""Where Dask keeps files of its own: a folder that only the user can reach.

By itself it takes one folder for all users of a machine, puts it on Python's path, and opens locks there: whoever was
there first decides what is imported, and which file a lock empties.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dask

_VARIABLE = "twinbrain_scratch"
IN_JOBS = f'"${_VARIABLE}"'
"""What names the folder of a job, in the words of its shell."""
# The setup of a person comes between: it may name another place for temporary files, and have a trap of its own.
BEFORE_SETUP = f"{_VARIABLE}=; trap 'rm -rf -- {IN_JOBS}' EXIT"


def after_setup() -> str:
    """Return the line of a job that makes its folder, below the one that Dask's configuration may name."""
    below = dask.config.get("jobqueue.slurm.local-directory", None)
    made = f"mkdir -p {below} && " if below else ""
    return f"{made}{_VARIABLE}=$(mktemp -d{f' -p {below}' if below else ''}) || exit 1"


@contextmanager
def private_scratch() -> Iterator[None]:
    """Give schedulers and workers that this process starts in the context a folder, and remove it afterwards."""
    if below := dask.config.get("temporary-directory", None):
        Path(below).mkdir(parents=True, exist_ok=True)  # as Dask does
    with (
        TemporaryDirectory(prefix="twinbrain-dask-", dir=below, ignore_cleanup_errors=True) as folder,
        dask.config.set({"temporary-directory": folder}),
    ):
        yield
