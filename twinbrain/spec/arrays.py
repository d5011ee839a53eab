"""Arrays in declarations: read-only, written as a list where they are short, else packed as text or kept in a file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import zlib
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, SerializationInfo, ValidationInfo, WithJsonSchema

from twinbrain.errors import Problem, SpecError
from twinbrain.files import NpzArrays, read_bytes, read_npz
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.paths import user_path
from twinbrain.spec.base import IN_DIGEST
from twinbrain.spec.labelled import refuse_disorder, with_dims
from twinbrain.spec.numbered_neurons import refuse_other_neurons
from twinbrain.spec.plain_array import plain_array
from twinbrain.spec.plain_numbers import numbers_alone
from twinbrain.spec.problems import reject
from twinbrain.spec.suggest import suggestion

SHORT = 16
"""Arrays up to this length are written as lists."""
_LARGEST_RATIO = 256  # of zlib at level 1
_FILE_KEYS = {"file", "array", "sha256"}


def _numbers(value: Any, info: ValidationInfo) -> NDArray[np.float64]:
    array = _flat(value, np.dtype("<f8"), "iuf", "numbers", info.data.get("unit", "1"))
    array = array.astype(np.float64) + 0.0  # a copy, without negative zeros, which would read otherwise
    if not (finite := np.isfinite(array)).all():
        place = int(finite.argmin())
        raise ValueError(f"expected finite numbers, found {array[place]} at index {place}")
    array.flags.writeable = False
    return array


def _indices(value: Any) -> NDArray[np.int32]:
    array = _flat(value, np.dtype("<i4"), "iu", "whole numbers")
    for wrong in (array < 0, array > np.iinfo(np.int32).max):
        if wrong.any():
            place = int(wrong.argmax())
            raise ValueError(f"expected indices from 0 up to 2**31 - 1, found {array[place]} at index {place}")
    array = array.astype(np.int32)
    array.flags.writeable = False
    return array


def _flat(value: Any, packed: np.dtype[Any], kinds: str, what: str, unit: str = "1") -> NDArray[Any]:
    if isinstance(value, str):
        try:
            return np.frombuffer(_unpacked(value), packed)
        except (binascii.Error, zlib.error, ValueError) as error:
            raise ValueError(f"expected a list of {what}, or one packed as text, found a text ({error})") from None
    dims = getattr(value, "dims", ("value",))  # one dimension may have any name
    refuse_other_neurons(value, f"a list of {what}")
    refuse_disorder(with_dims(value, dims, f"a list of {what}"), dims, f"a list of {what}")
    array = plain_array(value, unit, f"a list of {what}")
    if array.ndim != 1:
        raise ValueError(f"expected a list of {what}, found an array of shape {array.shape}")
    if array.dtype.kind not in kinds and len(array):
        raise ValueError(f"expected a list of {what}, found one of {_kind(array)}")
    if isinstance(value, list | tuple) or getattr(value, "dtype", None) == np.dtype(object):
        numbers_alone(value)  # NumPy takes true for 1
    return array if len(array) else array.astype(packed)


def _unpacked(text: str) -> bytes:
    """Return what is packed in a text; more than such arrays ever take is none."""
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(text, validate=True), _LARGEST_RATIO * len(text))
    if not unpacker.eof:
        raise ValueError("it is cut short, or unpacks to far more than it should")
    return data


def _kind(array: NDArray[Any]) -> str:
    return {"U": "texts", "b": "truth values", "f": "numbers with a fraction"}.get(array.dtype.kind, str(array.dtype))


def _written(array: NDArray[Any], info: SerializationInfo) -> list[Any] | str:
    data = array.astype(array.dtype.newbyteorder("<"))
    if info.context is IN_DIGEST:
        return hashlib.sha256(data.tobytes()).hexdigest()
    if len(array) <= SHORT:
        return list(array.tolist())
    return base64.b64encode(zlib.compress(data.tobytes(), 1)).decode()


_in_json = PlainSerializer(_written, when_used="json")


def _schema_of(items: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": items}}, {"type": "string"}]})


Numbers = Annotated[NDArray[np.float64], BeforeValidator(_numbers), _in_json, _schema_of("number")]
"""Finite numbers, in a list; long ones stand in JSON as text: base64 of zlib of little-endian float64.

What carries a unit is converted to that of the field ``unit``, which stands before it; without such a field it is
refused.
"""
Indices = Annotated[NDArray[np.int32], BeforeValidator(_indices), _in_json, _schema_of("integer")]
"""Numbers of neurons, from 0; long lists stand in JSON as `Numbers` do, as int32."""


class Folder:
    """Where the files lie that a declaration names; each is read once.

    Parameters
    ----------
    path : Path
        Folder that the names start from.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[str, tuple[str, NpzArrays]] = {}

    def read(self, table: dict[str, Any]) -> NDArray[Any]:
        """Return the array that ``{ file = …, array = …, sha256 = … }`` stands for.

        Raises
        ------
        ValueError
            If there is none, or the file has changed.
        """
        file, name, expected = (table.get(key) for key in ("file", "array", "sha256"))
        if not isinstance(file, str | os.PathLike):
            raise reject(Problem("file", f"expected the name of an .npz file, found {file!r}"))
        try:
            digest, arrays = self._opened(os.fspath(file))
            if expected is not None and str(expected).lower() != digest:
                raise ValueError(
                    f"expected the contents with sha256 {str(expected)[:12]}…, found {digest[:12]}…: the file has "
                    "changed; bring back the one that was written with this declaration, or correct sha256"
                )
            if name not in arrays:
                raise reject(Problem("array", f"{file}: no array is called {name!r}; {suggestion(str(name), arrays)}"))
            return arrays[str(name)]
        except ValueError as error:  # those of the file among them
            message = str(error)
        raise reject(Problem("file", f"{self.path / file}: {message}"))

    def _opened(self, file: str) -> tuple[str, NpzArrays]:
        if file not in self._files:
            data = read_bytes(self.path / user_path(file), LARGEST_ARCHIVE)
            self._files[file] = hashlib.sha256(data).hexdigest(), read_npz(data)
        return self._files[file]


def from_file(table: dict[str, Any], info: ValidationInfo, beside: set[str]) -> NDArray[Any]:
    """Return the array of a table that names a file.

    Parameters
    ----------
    table : dict
        With the keys ``file``, ``array`` and, optionally, ``sha256``.
    info : ValidationInfo
        Its context is the `Folder`; without one, names start from the working folder.
    beside : set of str
        Further keys that are allowed.

    Raises
    ------
    ValueError
        If a key is unknown, or there is no such array.
    """
    if unknown := sorted(set(table) - _FILE_KEYS - beside):
        known = _FILE_KEYS | beside
        raise reject(Problem(unknown[0], f"unknown key {unknown[0]!r}; {suggestion(unknown[0], known)}"))
    folder = info.context if isinstance(info.context, Folder) else Folder(Path())
    return folder.read(table)


def nested(error: SpecError) -> Exception:
    """Return the error for a validator to raise when a declaration within another has faults."""
    return reject(*error.problems)
