"""The variables of a MATLAB file, of any version, as arrays, texts, lists and tables, each read when asked for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.files import FileError, check_size, damaged, opened_hdf5, read_bytes
from twinbrain.files.archive import LARGEST_ARCHIVE, unpacked_limit

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_DEEPEST = 16
_MOST_CELLS = 1_000_000
# Classes whose elements are arrays in turn.
_CELL, _STRUCT, _OBJECT = 1, 2, 3

Variable = Any
"""A numeric array; a list of texts (rows of characters) or of variables (cells); or a dict of a struct's fields."""


@contextmanager
def opened_mat(path: Path) -> Iterator[dict[str, Callable[[], Variable]]]:
    """Give the names of a file's variables, with a function that reads each.

    Parameters
    ----------
    path : Path
        Of version 4, 5 to 7, or 7.3, which needs h5py.

    Raises
    ------
    ConnectomeError, FileError
        If the file is none, damaged or too large, or a variable is of a kind that cannot be read.
    """
    data = read_bytes(path, LARGEST_ARCHIVE)
    if data.startswith(_HDF5) or data[512:520] == _HDF5:
        with opened_hdf5(path, "exchange") as file:
            names = [name for name in file if not name.startswith("#")]
            yield {name: _later(_of_hdf5, file, file[name]) for name in names}
    elif data.startswith(b"MATLAB 7.3"):
        raise FileError("expected a .mat file, found the beginning of one of version 7.3 and no more; copy it again")
    else:
        yield read_mat(data)


def read_mat(data: bytes) -> dict[str, Callable[[], Variable]]:
    """Return the names of the variables of a file of version 4 to 7, with a function that reads each."""
    from scipy.io import loadmat, whosmat

    plain = _unpacked(data)

    def read(name: str) -> Variable:
        with damaged(f"a variable {name!r} of a .mat file"):
            found = loadmat(io.BytesIO(plain), variable_names=[name], chars_as_strings=True)[name]
        return _of_scipy(found, name)

    with damaged("a .mat file"):
        names = [name for name, _, _ in whosmat(io.BytesIO(plain)) if not name.startswith("__")]
    return {name: _later(read, name) for name in names}


def _later(function: Callable[..., Variable], *given: Any) -> Callable[[], Variable]:
    return lambda: function(*given)


def _of_scipy(value: Any, name: str) -> Variable:
    if hasattr(value, "tocsc"):
        return _dense(value.shape, lambda: value.toarray(), name)
    array = np.asarray(value)
    if array.dtype.names is not None:
        rows = [{key: _of_scipy(item[key], f"{name}.{key}") for key in array.dtype.names} for item in array.ravel()]
        return rows[0] if len(rows) == 1 else rows
    if array.dtype.kind == "O":
        return [_of_scipy(item, name) for item in array.ravel()]
    if array.dtype.kind == "U":
        return [str(row).rstrip() for row in array.ravel()]
    return _real(array, name)


def _dense(shape: tuple[int, int], read: Callable[[], NDArray[Any]], name: str) -> NDArray[Any]:
    check_size(8 * shape[0] * shape[1], unpacked_limit(0), f"a filled matrix {name!r}")
    with damaged(f"a sparse matrix {name!r}"):
        return _real(read(), name)


def _real(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.dtype.kind == "c":
        if np.any(array.imag):
            raise ConnectomeError(f"{name}: expected real numbers, found complex ones; take their size: abs({name})")
        array = array.real
    if array.dtype.kind not in "biuf":
        raise ConnectomeError(f"{name}: expected numbers, texts, cells or a struct, found another kind of variable")
    return array


def _of_hdf5(file: Any, item: Any, depth: int = 0) -> Variable:
    """Return a variable of version 7.3: matrices lie there transposed, cells are references, structs are groups."""
    name = item.name
    if depth > _DEEPEST:
        raise FileError(f"{name}: expected cells at most {_DEEPEST} deep, found deeper ones")
    with damaged(f"a variable {name!r} of a .mat file"):
        kind = item.attrs.get("MATLAB_class", b"double")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        if not hasattr(item, "dtype"):
            if "MATLAB_sparse" in item.attrs:
                return _sparse(item, name)
            return {key: _of_hdf5(file, item[key], depth + 1) for key in item}
        if item.attrs.get("MATLAB_empty", 0):
            return [] if kind in ("char", "cell") else np.zeros((0, 0))
        values = np.asarray(item[()])
        if values.dtype.hasobject:  # cells, or the elements of an array of structs
            check_size(8 * values.size, 8 * _MOST_CELLS, f"cells of {name!r}")
            return [_of_hdf5(file, file[reference], depth + 1) for reference in values.T.ravel()]
        if values.dtype.names == ("real", "imag"):
            values = values["real"] + 1j * values["imag"]
        if kind == "char":
            rows = np.atleast_2d(values.T)
            return ["".join(map(chr, row)).rstrip("\0 ") for row in rows]
        return _real(values.T, name)


def _sparse(group: Any, name: str) -> NDArray[Any]:
    from scipy.sparse import csc_matrix

    starts = group["jc"][()].astype(np.int64)
    shape = int(group.attrs["MATLAB_sparse"]), len(starts) - 1
    parts = (group[key][()] if key in group else np.zeros(0) for key in ("data", "ir"))
    data, rows = parts
    check_size(8 * shape[0] * shape[1], unpacked_limit(0), f"a filled matrix {name!r}")
    return _real(csc_matrix((data.astype(np.float64), rows.astype(np.int64), starts), shape=shape).toarray(), name)


def _unpacked(data: bytes) -> bytes:
    """Return a file of version 5 to 7 with its variables unpacked, once all that they declare is found to be there.

    SciPy allocates what a header declares; after this, no more is declared than there is.
    """
    version = data[124:126], data[126:128]
    order = {b"IM": "<", b"MI": ">"}.get(version[1])
    if order is None:
        return data  # version 4, of which no more is read than there is, or no such file at all
    limit = unpacked_limit(len(data))
    parts = [data[:_HEADER]]
    place, total = _HEADER, 0
    while place + 8 <= len(data):
        kind, n = struct.unpack_from(f"{order}II", data, place)
        body = data[place + 8 : place + 8 + n]
        if len(body) < n:
            raise FileError(f"expected a .mat file, found one cut short: {n:,} bytes are declared, {len(body):,} there")
        place += 8 + n + (-n % 8 if kind != _COMPRESSED else 0)
        if kind == _COMPRESSED:
            with damaged("a .mat file"):
                body = zlib.decompressobj().decompress(body, limit - total + 1)
        else:
            body = struct.pack(f"{order}II", kind, n) + body + bytes(-n % 8)
        total += len(body)
        check_size(total, limit, "unpacked variables")
        _check_element(body, 0, len(body), order, 0)
        parts.append(body)
    return b"".join(parts)


def _check_element(data: bytes, place: int, stop: int, order: str, depth: int) -> int:
    """Check that an element lies within what holds it, and so do those in it; return where the next begins."""
    with damaged("a .mat file"):
        kind, n = struct.unpack_from(f"{order}II", data, place)
    if kind >> 16:  # a small element, in four bytes
        return place + 8
    start, end = place + 8, place + 8 + n
    if end > stop:
        raise FileError(f"expected a .mat file, found one whose parts disagree: {n:,} bytes within {stop - start:,}")
    if kind == _MATRIX and n:
        if depth > _DEEPEST:
            raise FileError(f"expected cells and structs at most {_DEEPEST} deep, found deeper ones; make it flatter")
        _check_matrix(data, start, end, order, depth)
    return min(end + -n % 8, stop)


def _check_matrix(data: bytes, start: int, end: int, order: str, depth: int) -> None:
    with damaged("a .mat file"):
        _, n_flags, flags = struct.unpack_from(f"{order}III", data, start)
        place = start + 8 + n_flags + -n_flags % 8
        _, n_bytes = struct.unpack_from(f"{order}II", data, place)
        dims = struct.unpack_from(f"{order}{min(n_bytes, end - place - 8) // 4}i", data, place + 8)
    n = 1
    for size in dims:
        n *= max(size, 0)
    if flags & 0xFF in (_CELL, _STRUCT, _OBJECT):
        check_size(n, (end - start) // 8 + 1, f"cells of shape {dims} in {end - start:,} bytes")
    while place + 8 <= end:
        place = _check_element(data, place, end, order, depth + 1)
