"""HDF5 files: walked through before anything is read, so that what is read is bounded and lies in the file itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.files.archive import unpacked_limit
from twinbrain.files.regular import MB, FileError, check_regular, check_size, damaged

LARGEST_HDF5 = 16_000 * MB
_DEEPEST = 32
_MOST_OBJECTS = 100_000
_MOST_TEXTS = 20_000
_LONGEST_TEXTS = 64 * MB
_BYTES_OF_A_PLACE = 16
# deflate, shuffle, fletcher32, szip, nbit, scale-offset and lzf; others would load a plug-in.
_FILTERS = {1, 2, 3, 4, 5, 6, 32000}


@contextmanager
def opened_hdf5(path: str | Path, extra: str, *, ragged: bool = False) -> Iterator[Any]:
    """Open an HDF5 file of which nothing is a surprise.

    Parameters
    ----------
    path : str or Path
        The file.
    extra : str
        The extra of this package that installs h5py, for the message where it is missing.
    ragged : bool
        Let datasets hold arrays and texts of any length, of which their places alone are counted: the reader takes them
        row by row, and counts for itself.

    Yields
    ------
    h5py.File
        All of whose links are to objects within it that no other link reaches, and whose datasets may be read whole.

    Raises
    ------
    FileError
        If h5py is missing; if the file is no HDF5 file, or damaged; if it has links to other files, symbolic links,
        loops, data in other files, filters that need a plug-in, or datasets that are too large.
    """
    try:
        h5py = import_module("h5py")
    except ModuleNotFoundError:
        raise FileError(
            f'expected the package h5py, found none; install it: pip install "twinbrain[{extra}]"'
        ) from None
    path = check_regular(path, LARGEST_HDF5)
    with damaged("an HDF5 file"):
        file = h5py.File(path, "r")
    with file:
        with damaged("an HDF5 file"):
            _check(h5py, file, unpacked_limit(path.stat().st_size), ragged)
        yield file


def _check(h5py: Any, file: Any, limit: int, ragged: bool) -> None:
    """Walk through a file, level by level."""
    seen = {_address(h5py, file)}
    level, total = [file], 0
    for _ in range(_DEEPEST):
        groups = []
        for name, link, owner in _links(level):
            if type(link) is not h5py.HardLink:
                raise FileError(f"{name}: expected data within the file, found a link; copy the data in its place")
            item = owner[name.rpartition("/")[2]]
            if (address := _address(h5py, item)) in seen:
                raise FileError(f"{name}: expected one name of each group and dataset, found a second; copy the data")
            seen.add(address)
            if len(seen) > _MOST_OBJECTS:
                raise FileError(f"expected at most {_MOST_OBJECTS:,} groups and datasets, found more")
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif isinstance(item, h5py.Dataset):
                total += _size(h5py, item, ragged)
                check_size(total, limit, f"unpacked datasets up to {name}")
                check_size(_size_of_chunk(item), limit, f"a chunk of {name}")
        if not groups:
            return
        level = groups
    raise FileError(f"expected groups at most {_DEEPEST} deep, found deeper ones; make it flatter")


def _links(groups: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    for group in groups:
        for key in group:
            yield f"{group.name.rstrip('/')}/{key}", group.get(key, getlink=True), group


def _address(h5py: Any, item: Any) -> int:
    return int(h5py.h5o.get_info(item.id).addr)


def _size_of_chunk(dataset: Any) -> int:
    """Return what is unpacked at once, which may be more than the dataset has."""
    return math.prod(map(int, dataset.chunks or (0,))) * int(dataset.dtype.itemsize)


def _size(h5py: Any, dataset: Any, ragged: bool) -> int:
    """Return what a dataset takes once it is read, after checking where its data lie."""
    plist = dataset.id.get_create_plist()
    if dataset.is_virtual or plist.get_external_count():
        raise FileError(f"{dataset.name}: expected data within the file, found those of another; copy them into it")
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    if unknown := filters - _FILTERS:
        raise FileError(f"{dataset.name}: expected a common filter such as gzip, found number {min(unknown)}")
    n = int(dataset.size or 0)
    if ragged and (h5py.check_vlen_dtype(dataset.dtype) or h5py.check_string_dtype(dataset.dtype)):
        return n * max(int(dataset.dtype.itemsize), _BYTES_OF_A_PLACE)
    if h5py.check_string_dtype(dataset.dtype) is not None and dataset.dtype.hasobject:
        return _size_of_texts(dataset, n)
    if dataset.dtype.hasobject and h5py.check_ref_dtype(dataset.dtype) is None:
        raise FileError(f"{dataset.name}: expected numbers or texts, found arrays within an array; write them apart")
    itemsize: int = dataset.dtype.itemsize
    return n * max(itemsize, 8)


def _size_of_texts(dataset: Any, n: int) -> int:
    """Return what texts of any length take; many may share one long text, so they are read one by one."""
    if n > _MOST_TEXTS:
        raise FileError(f"{dataset.name}: expected at most {_MOST_TEXTS:,} texts, found {n:,}")
    total = 0
    for place in np.ndindex(dataset.shape) if n else ():
        total += len(dataset[place])
        if total > _LONGEST_TEXTS:
            raise FileError(f"{dataset.name}: expected texts of at most {_LONGEST_TEXTS // MB} MB, found more")
    return total
