"""The files of data sets that lie in a folder: which they are, and a digest of what they hold."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from twinbrain.files import FileError
from twinbrain.files.hdf5 import LARGEST_HDF5
from twinbrain.files.regular import sha256_of
from twinbrain.paths import user_path

FILES = {
    "nmnist": tuple(f"{base}{part}/[0-9]/*.bin" for base in ("", "NMNIST/") for part in ("Train", "Test")),
    "shd": ("shd_train.h5", "shd_test.h5"),
    "ssc": ("ssc_train.h5", "ssc_valid.h5", "ssc_test.h5"),
}
"""Files that each task reads within its folder; others in it may change."""


def data_digest(folder: str) -> str | None:
    """Return the SHA-256 of all files of data sets in a folder, their names among it; None where there are none.

    A file is read once a process, for as long as its size and times stay.

    Raises
    ------
    FileError
        If one cannot be read.
    """
    root = user_path(folder)
    found = hashlib.sha256()
    paths = sorted(path for patterns in FILES.values() for pattern in patterns for path in root.glob(pattern))
    for path in paths:
        try:
            status = path.stat()
            digest = _digest(path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        except (FileError, OSError) as error:
            raise FileError(f"{path.relative_to(root)}: {error}") from None
        found.update(f"{path.relative_to(root)}\0{digest}\n".encode(errors="surrogateescape"))
    return found.hexdigest() if paths else None


@lru_cache(maxsize=1 << 18)  # N-MNIST has 70,000 files
def _digest(path: Path, inode: int, size: int, modified: int, changed: int) -> str:
    return sha256_of(path, LARGEST_HDF5)
