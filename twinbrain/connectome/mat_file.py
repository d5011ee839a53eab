"""The variables of a MATLAB file, of any version, as arrays, texts, lists and tables, each read when asked for."""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.files import FileError, check_size, damaged, largest, opened_hdf5, read_bytes
from twinbrain.files.archive import LARGEST_ARCHIVE, unpacked_limit

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_DEEPEST = 16
# Bytes that a part of a cell or field counts for beside its numbers, and a whole one in HDF5, for the time they take.
_EACH, _EACH_HDF5 = 1_000, 80_000
_MATRICES = 2  # weights and lengths, of which each may be as large as an unpacked file
_LETTER = 64  # and a letter, since a text may be of one
# Classes whose elements are arrays in turn.
_TYPES = frozenset((*range(1, 8), 9, *range(12, 19)))  # of numbers, texts and matrices, packed or not
_CELL, _STRUCT, _OBJECT, _CHAR = 1, 2, 3, 4

Variable = Any
"""A numeric array; a list of texts (rows of characters) or of variables (cells); or a dict of a struct's fields, each
`Stored`."""


Spend = Callable[[int, str], None]


class Stored(NamedTuple):
    """A variable, or a field of a struct, that is not read yet."""

    is_struct: bool
    read: Callable[[], Variable]


@contextmanager
def opened_mat(path: Path) -> Iterator[dict[str, Stored]]:
    """Give the names of a file's variables, with what reads each.

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
            spend = _spending(_MATRICES * unpacked_limit(len(data)))
            yield {name: _in_hdf5(file, file[name], spend, 0) for name in file if not name.startswith("#")}
    elif data.startswith(b"MATLAB 7.3"):
        raise FileError("expected a .mat file, found the beginning of one of version 7.3 and no more; copy it again")
    else:
        yield read_mat(data)


def read_mat(data: bytes) -> dict[str, Stored]:
    """Return the names of the variables of a file of version 4 to 7, with what reads each."""
    from scipy.io import loadmat, whosmat

    spend = _spending(_MATRICES * unpacked_limit(len(data)))

    def read(part: bytes, name: str) -> Variable:
        with damaged(f"a variable {name!r} of a .mat file"):
            found = loadmat(io.BytesIO(part), variable_names=[name], chars_as_strings=True)[name]
        return _of_scipy(found, name, spend)

    variables: dict[str, Stored] = {}
    for part in _parts(data):
        with damaged("a .mat file"):
            found = [about for about in whosmat(io.BytesIO(part)) if not about[0].startswith("__")]
        for name, shape, kind in found:
            if name in variables:
                raise ConnectomeError(f"expected variables of different names, found {name!r} twice; take one out")
            variables[name] = Stored(kind == "struct" and math.prod(shape) == 1, partial(read, part, name))
    return variables


def _spending(limit: int) -> Spend:
    """Return a function that counts what is read, and refuses more than a limit in all."""
    total = 0

    def spend(n_bytes: int, what: str) -> None:
        nonlocal total
        total += n_bytes
        check_size(total, limit, what)

    return spend


def _of_scipy(value: Any, name: str, spend: Spend, depth: int = 0) -> Variable:
    if depth > _DEEPEST:
        raise FileError(f"{name}: expected cells at most {_DEEPEST} deep, found deeper ones")
    if hasattr(value, "tocsc"):
        return _dense(value.shape, value.toarray, name, spend)
    array = np.asarray(value)
    if array.dtype.names is not None:
        rows = [
            {key: _in_scipy(item[key], f"{name}.{key}", spend, depth + 1) for key in array.dtype.names}
            for item in array.ravel()
        ]
        return rows[0] if len(rows) == 1 else rows
    if array.dtype.kind == "O" and isinstance(value, np.ndarray):
        return [_of_scipy(item, name, spend, depth + 1) for item in array.ravel()]
    if array.dtype.kind == "U":
        return [str(row).rstrip() for row in array.ravel()]
    return _real(array, name)


def _in_scipy(value: Any, name: str, spend: Spend, depth: int) -> Stored:
    is_struct = isinstance(value, np.ndarray) and value.dtype.names is not None and value.size == 1
    return Stored(is_struct, partial(_of_scipy, value, name, spend, depth))


def _dense(shape: tuple[int, int], read: Callable[[], NDArray[Any]], name: str, spend: Spend) -> NDArray[Any]:
    check_size(8 * shape[0] * shape[1], unpacked_limit(0), f"a filled matrix {name!r}")
    spend(8 * shape[0] * shape[1], f"filled matrices up to {name!r}")
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


def _in_hdf5(file: Any, item: Any, spend: Spend, depth: int) -> Stored:
    is_struct = not hasattr(item, "dtype") and "MATLAB_sparse" not in item.attrs
    return Stored(is_struct, partial(_of_hdf5, file, item, spend, depth))


def _of_hdf5(file: Any, item: Any, spend: Spend, depth: int) -> Variable:
    """Return a variable of version 7.3: matrices lie there transposed, cells are references, structs are groups."""
    name = item.name
    if depth > _DEEPEST:
        raise FileError(f"{name}: expected cells at most {_DEEPEST} deep, found deeper ones")
    with damaged(f"a variable {name!r} of a .mat file"):
        kind = item.attrs.get("MATLAB_class", b"double")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        if not hasattr(item, "dtype"):
            spend(_EACH_HDF5 * (1 + len(item)), f"variables up to {name!r}")
            if "MATLAB_sparse" in item.attrs:
                return _sparse(item, name, spend)
            return {key: _in_hdf5(file, item[key], spend, depth + 1) for key in item}
        # Many references may lead to one dataset, so that all that is read counts, not all that is there.
        each = _LETTER if kind == "char" else max(item.dtype.itemsize, 8)
        spend(_EACH_HDF5 + each * int(item.size or 0), f"variables up to {name!r}")
        if item.attrs.get("MATLAB_empty", 0):
            return [] if kind in ("char", "cell") else np.zeros((0, 0))
        values = np.asarray(item[()])
        if values.dtype.hasobject:  # cells, or the elements of an array of structs
            return [_of_hdf5(file, file[reference], spend, depth + 1) for reference in values.T.ravel()]
        if values.dtype.names == ("real", "imag"):
            values = values["real"] + 1j * values["imag"]
        if kind == "char":
            rows = np.atleast_2d(values.T)
            return ["".join(map(chr, row)).rstrip("\0 ") for row in rows]
        return _real(values.T, name)


def _sparse(group: Any, name: str, spend: Spend) -> NDArray[Any]:
    from scipy.sparse import csc_matrix

    starts = group["jc"][()].astype(np.int64)
    shape = int(group.attrs["MATLAB_sparse"]), len(starts) - 1
    data, rows = (group[key][()] if key in group else np.zeros(0) for key in ("data", "ir"))
    matrix = csc_matrix((data.astype(np.float64), rows.astype(np.int64), starts), shape=shape)
    return _dense(shape, matrix.toarray, name, spend)


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield each variable of a file of version 5 to 7 as a file, unpacked, once all that it declares is found there.

    SciPy allocates what a header declares; after this, no more is declared than there is.
    """
    version = data[124:126], data[126:128]
    order = {b"IM": "<", b"MI": ">"}.get(version[1])
    if order is None:
        yield data  # version 4, of which no more is read than there is, or no such file at all
        return
    limit = unpacked_limit(len(data))
    spend_bytes, spend = _spending(limit), _spending(limit)
    place, total = _HEADER, 0
    while place + 8 <= len(data):
        kind, n = struct.unpack_from(f"{order}II", data, place)
        body = data[place + 8 : place + 8 + n]
        if len(body) < n:
            raise FileError(f"expected a .mat file, found one cut short: {n:,} bytes are declared, {len(body):,} there")
        place += 8 + n + (-n % 8 if kind != _COMPRESSED else 0)
        if kind == _COMPRESSED:
            with damaged("a .mat file"):
                body = zlib.decompressobj().decompress(body, largest(limit) - total + 1)
        else:
            body = struct.pack(f"{order}II", kind, n) + body + bytes(-n % 8)
        total += len(body)
        spend_bytes(len(body), "unpacked variables")
        inner = 0
        while inner + 8 <= len(body):
            inner = _check_element(body, inner, len(body), order, spend, 0)
        yield data[:_HEADER] + body


def _check_element(data: bytes, place: int, stop: int, order: str, spend: Spend, depth: int) -> int:
    """Check that an element lies within what holds it, and so do those in it; return where the next begins."""
    spend(_EACH, "cells and fields in all")
    with damaged("a .mat file"):
        kind, n = struct.unpack_from(f"{order}II", data, place)
    is_small = bool(kind >> 16)  # in four bytes
    if (kind & 0xFFFF if is_small else kind) not in _TYPES and (kind, n) != (0, 0):  # which would end the process
        raise FileError(f"expected a .mat file, found data of an unknown type in it, {kind & 0xFFFF}; copy it again")
    if is_small:
        return place + 8
    start, end = place + 8, place + 8 + n
    if end > stop:
        raise FileError(f"expected a .mat file, found one whose parts disagree: {n:,} bytes within {stop - start:,}")
    if kind == _MATRIX and n:
        if depth > _DEEPEST:
            raise FileError(f"expected cells and structs at most {_DEEPEST} deep, found deeper ones; make it flatter")
        _check_matrix(data, start, end, order, spend, depth)
    return min(end + -n % 8, stop)


def _check_matrix(data: bytes, start: int, end: int, order: str, spend: Spend, depth: int) -> None:
    with damaged("a .mat file"):
        _, n_flags, flags = struct.unpack_from(f"{order}III", data, start)
        place = start + 8 + n_flags + -n_flags % 8
        _, n_bytes = struct.unpack_from(f"{order}II", data, place)
        dims = struct.unpack_from(f"{order}{min(n_bytes, end - place - 8) // 4}i", data, place + 8)
    n = math.prod(max(size, 0) for size in dims)
    if (kind := flags & 0xFF) in (_CELL, _STRUCT, _OBJECT):
        check_size(n, (end - start) // 8 + 1, f"cells of shape {dims} in {end - start:,} bytes")
        spend(_EACH * n, f"cells of shape {dims}")
    elif kind == _CHAR:
        spend(_LETTER * n, f"texts of shape {dims}")
    while place + 8 <= end:
        place = _check_element(data, place, end, order, spend, depth + 1)
