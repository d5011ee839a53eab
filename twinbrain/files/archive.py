"""Zip archives and NumPy's files: what an entry unpacks to is checked before it is unpacked, and while it is."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from twinbrain.files.regular import MB, FileError, check_size, damaged, read_bytes

LARGEST_ARCHIVE = 1000 * MB
LARGEST_UNPACKED = 256 * MB
LARGEST_RATIO = 20
"""How much more than the archive its contents may be, where that is above `LARGEST_UNPACKED`."""
_MOST_ENTRIES = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 1 << 20
_VERSIONS = ((1, 0), (2, 0), (3, 0))


def unpacked_limit(n_bytes: int) -> int:
    """Return how much a file of ``n_bytes`` may hold once unpacked."""
    return max(LARGEST_UNPACKED, LARGEST_RATIO * n_bytes)


class Archive:
    """A zip, of which each entry is read only when it is asked for; what was read counts against one limit.

    Parameters
    ----------
    data : bytes
        The zip.
    what : str, optional
        What it is called where it is none.

    Raises
    ------
    FileError
        If it is damaged, or has too many entries.
    """

    def __init__(self, data: bytes, what: str = "a zip") -> None:
        with damaged(what):
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        entries = self._zip.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise FileError(f"expected a zip of at most {_MOST_ENTRIES:,} entries, found {len(entries):,}")
        names = [entry.filename for entry in entries]
        if len(set(names)) < len(names):
            twice = next(name for name, n in Counter(names).items() if n > 1)
            raise FileError(f"expected entries of different names, found {twice!r} twice; take one out")
        self._entries = {entry.filename: entry for entry in entries}
        self._limit = unpacked_limit(len(data))
        self._n_read = 0

    @property
    def names(self) -> list[str]:
        """Names of the entries."""
        return list(self._entries)

    def read(self, name: str) -> bytes:
        """Return the contents of an entry.

        Raises
        ------
        FileError
            If it is damaged, encrypted or packed in an uncommon way, or unpacks to more than is allowed or declared.
        """
        entry = self._entries[name]
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            what = "encrypted" if entry.flag_bits & 1 else f"packed by method {entry.compress_type}"
            raise FileError(f"{name}: expected an entry stored or deflated, found one {what}; pack it anew")
        self._count(name, entry.file_size)
        pieces: list[bytes] = []
        with damaged(f"the entry {name!r} of a zip"), self._zip.open(entry) as file:
            while piece := file.read(_PIECE):
                pieces.append(piece)
        return b"".join(pieces)

    def _count(self, name: str, n_bytes: int) -> None:
        # Python's zipfile gives no more than the size that an entry declares, so this bounds what is unpacked.
        self._n_read += n_bytes
        check_size(self._n_read, self._limit, f"unpacked entries up to {name!r}")


def read_npy(data: bytes) -> NDArray[Any]:
    """Return the array in a ``.npy`` file's contents.

    Raises
    ------
    FileError
        If it is damaged, holds Python objects, or its header tells of more numbers than there are.
    """
    with damaged("a .npy array"):
        file = io.BytesIO(data)
        version = npy.read_magic(file)  # type: ignore[no-untyped-call]
        if version not in _VERSIONS:
            raise FileError(f"expected a .npy array of version 1 to 3, found {version}")
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        # The header is read as a literal, of bounded length; nothing in it is evaluated.
        shape, fortran, dtype = reader(file)  # type: ignore[no-untyped-call]
    if dtype.hasobject:
        raise FileError("expected numbers or texts, found Python objects, which are not read; save them as numbers")
    start = file.tell()
    n = math.prod(shape)
    if min(shape, default=0) < 0 or n * dtype.itemsize != len(data) - start:
        raise FileError(
            f"expected {n * dtype.itemsize:,} bytes of an array of shape {shape}, found {max(len(data) - start, 0):,}; "
            "copy the file again"
        )
    # Numbers become float64, whatever they are kept as.
    check_size(n * max(dtype.itemsize, 8), unpacked_limit(len(data)), "an array")
    with damaged("a .npy array"):
        array = np.frombuffer(data, dtype, n, start) if n * dtype.itemsize else np.empty(n, dtype)
        return array.reshape(shape, order="F" if fortran else "C").copy()


class NpzArrays(Mapping[str, NDArray[Any]]):
    """The arrays of an ``.npz``, each read when it is asked for."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._entries = {name.removesuffix(".npy"): name for name in archive.names}
        if twice := sorted(set(archive.names) - set(self._entries.values())):
            raise FileError(f"expected one array of each name, found {twice[0]!r} beside another; rename one")

    def __contains__(self, name: object) -> bool:
        return name in self._entries  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return read_npy(self._archive.read(self._entries[name]))
        except FileError as error:
            raise FileError(f"array {name!r}: {error}") from None


def read_npz(source: str | Path | bytes) -> NpzArrays:
    """Return the arrays of an ``.npz``: a file, or what was read of one.

    Raises
    ------
    FileError
        If it is none, or damaged.
    """
    data = source if isinstance(source, bytes) else read_bytes(source, LARGEST_ARCHIVE)
    if data.startswith(npy.MAGIC_PREFIX):
        raise FileError("expected an .npz file, found a single array; write it with numpy.savez")
    return NpzArrays(Archive(data, "an .npz"))
