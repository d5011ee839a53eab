"""Write a region to a file, whole or not at all: TOML to read, and its long arrays beside it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.files import FileError, check_size, write_whole
from twinbrain.files.regular import check_no_url
from twinbrain.files.text import LARGEST_TOML
from twinbrain.paths import user_path
from twinbrain.spec.arrays import SHORT
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Pairs, Projection
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.region import Region
from twinbrain.spec.replaced import held_besides
from twinbrain.spec.toml import comment, toml_text

_ORDER = (
    "name",
    "summary",
    "references",
    "cells",
    "populations",
    "projections",
    "drives",
    "ports",
    "quanta",
    "expected",
)
_APART = frozenset({"cells", "models", "receptors", "plasticity"})
# Keys of a projection in the order in which one reads them.
_OF_PROJECTION = ("name", "source", "target", "receptor", "connect", "weight", "delay", "plasticity")

Arrays = dict[str, NDArray[Any]]


def write_region(region: Region, path: str | Path, *, overwrite: bool = False, note: str = "") -> list[Path]:
    """Write a region; `load_region` reads an equal one.

    Parameters
    ----------
    region : Region
        What is written. Explicit values and pairs above 16 go to an ``.npz`` of the same name beside the file, which
        must stay as it is: the file holds its digest. Files of drives stay where they are, named by whole paths.
    path : str or Path
        A ``.toml`` file.
    overwrite : bool, optional
        Whether to replace files that exist; an ``.npz`` only if it is the one that was written with the file, by the
        digest there, and nothing else near names it, such as a copy: no ``.toml``, or backup of one, in the folder, one
        within it or the one around it. Where the region has no long arrays any more, an ``.npz`` that is there stays.
    note : str, optional
        What the file begins with, as a comment of one line or several.

    Returns
    -------
    list of Path
        The files written: arrays, if there are any, then the region.

    Raises
    ------
    SpecError
        If the suffix is another, the path is a URL, the folder is missing, a file exists, the ``.npz`` holds anything
        else, or the region is too long to be read again.
    """
    try:
        check_no_url(path)
    except FileError as error:
        raise SpecError([Problem(str(path), str(error))]) from None
    path = user_path(path)
    if path.suffix != ".toml":
        raise SpecError([Problem(str(path), f"expected a file .toml, found {path.suffix or 'no suffix'!r}; rename it")])
    if not path.parent.is_dir():
        raise SpecError([Problem(str(path), f"expected the folder {path.parent}, found none; make it first")])
    beside = path.with_suffix(".npz")
    arrays: Arrays = {}
    data = _plain(region, beside.name, arrays)
    files: dict[Path, bytes] = {}
    if arrays:
        packed = files[beside] = _npz(arrays)
        _pin(data, hashlib.sha256(packed).hexdigest())
    # Last: a region is there once its arrays are.
    text = comment(note) + toml_text(data, _APART)
    files[path] = encoded(text, f"region {region.name}", "give long drives as a file of their own")
    for target in files:
        if target.exists() and not overwrite:
            message = "expected no such file, found one; write elsewhere, or overwrite=True"
            raise SpecError([Problem(str(target), message)])
    if arrays and beside.exists() and (others := held_besides(beside, path, files[beside])):
        message = f"expected nothing but the arrays that {path.name} names, which are replaced with it, found {others}"
        message += "; move it away, or write the region under another name"
        raise SpecError([Problem(str(beside), message)])
    try:
        write_whole(files)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        found = getattr(error, "strerror", None) or error
        raise SpecError([Problem(str(next(iter(files))), f"expected to write it, found {found}")]) from None
    return list(files)


def encoded(text: str, where: str, advice: str) -> bytes:
    """Return TOML as bytes, as long as it can be read again.

    Parameters
    ----------
    text : str
        What is written.
    where, advice : str
        What it is of, and what makes it shorter, for the message.

    Raises
    ------
    SpecError
        If it is too long.
    """
    data = text.encode()
    try:
        check_size(len(data), LARGEST_TOML, "TOML")
    except FileError as error:
        raise SpecError([Problem(where, f"{error}; or {advice}")]) from None
    return data


def _plain(region: Region, file: str, arrays: Arrays) -> dict[str, Any]:
    """Return a region as it is written, and put its long arrays into ``arrays``."""
    data = region.to_dict()
    for name, cell in region.cells.items():
        for kind in ("parameters", "initial"):
            _fill(data["cells"][name], kind, getattr(cell, kind), f"{name} ", file, arrays)
    data["projections"] = [_projection(projection, file, arrays) for projection in region.projections]
    for port in data.get("ports", {}).get("inputs", {}).values():
        port |= {kind: _single(port[kind]) for kind in ("glutamate", "gaba") if kind in port}
    if "inputs" in data.get("ports", {}):
        data["ports"]["inputs"] = {name: _short(port, "share") for name, port in data["ports"]["inputs"].items()}
    for kind in ("models", "receptors", "plasticity"):
        for name, model in getattr(region, kind).items():
            for key in ("parameters", "initial"):
                _fill(data[kind][name], key, getattr(model, key, {}), "", file, arrays)
    order = [*_ORDER, *(key for key in data if key not in _ORDER)]
    return {key: data[key] for key in order if key in data and data[key] != []}


def plain_projections(projections: Iterable[Projection], file: str) -> tuple[list[dict[str, Any]], bytes | None]:
    """Return projections as tables of TOML.

    Parameters
    ----------
    projections : iterable of Projection
        What is written.
    file : str
        Name of the file beside the TOML to which their long arrays go.

    Returns
    -------
    tables : list of dict
        They hold the digest of that file.
    packed : bytes or None
        Its contents; None where no array is long.
    """
    arrays: Arrays = {}
    tables = [_projection(projection, file, arrays) for projection in projections]
    if not arrays:
        return tables, None
    packed = _npz(arrays)
    _pin(tables, hashlib.sha256(packed).hexdigest())
    return tables, packed


def _projection(projection: Projection, file: str, arrays: Arrays) -> dict[str, Any]:
    written = projection.to_dict()
    called = f"{projection.key} "
    values = {"weight": projection.weight, "delay": projection.delay}
    written |= {key: _value(value, f"{called}{key}", file, arrays) for key, value in values.items()}
    if (pairs := projection.connect.pairs) is not None:
        written["connect"]["pairs"] = _pairs(pairs, f"{called}pairs", file, arrays)
    if projection.plasticity is not None:
        for kind in ("parameters", "initial"):
            _fill(written["plasticity"], kind, getattr(projection.plasticity, kind), called, file, arrays)
        written["plasticity"] = _short(written["plasticity"], "model")
    written["receptor"] = _single(projection.receptor)
    return {key: written[key] for key in _OF_PROJECTION if key in written}


def _fill(written: dict[str, Any], kind: str, values: dict[str, Any], called: str, file: str, arrays: Arrays) -> None:
    if values:
        written[kind] = {key: _value(value, f"{called}{key}", file, arrays) for key, value in values.items()}


def _value(value: Any, called: str, file: str, arrays: Arrays) -> Any:
    match value:
        case Explicit():
            unit = {} if value.unit == "1" else {"unit": value.unit}
            if len(value) <= SHORT:
                return {"values": value.values.tolist()} | unit
            return {"file": file, "array": _kept(value.values, called, arrays)} | unit
        case Distribution():
            bounds = {"min": value.minimum, "max": value.maximum}
            given = {key: bound for key, bound in bounds.items() if bound is not None}
            return {value.kind: [value.first, value.second]} | given
        case _:
            return value


def _pairs(pairs: Pairs, called: str, file: str, arrays: Arrays) -> dict[str, Any]:
    if len(pairs) <= SHORT:
        return {"source": pairs.source.tolist(), "target": pairs.target.tolist()}
    return {"file": file, "array": _kept(np.stack([pairs.source, pairs.target]), called, arrays)}


def _kept(array: NDArray[Any], called: str, arrays: Arrays) -> str:
    """Put an array among the others, under a name that no other has, and return the name."""
    called = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in called)
    name, number = called, 2
    while name in arrays:
        name, number = f"{called} {number}", number + 1
    arrays[name] = array
    return name


def _single(receptors: dict[str, float]) -> Any:
    return next(iter(receptors)) if list(receptors.values()) == [1.0] else receptors


def _short(table: dict[str, Any], key: str) -> Any:
    return table[key] if set(table) == {key} else table


def _pin(data: Any, digest: str) -> None:
    """Give every table that names the arrays their digest."""
    if isinstance(data, dict):
        if {"file", "array"} <= set(data):
            data["sha256"] = digest
        for value in data.values():
            _pin(value, digest)
    elif isinstance(data, list):
        for value in data:
            _pin(value, digest)


def _npz(arrays: Arrays) -> bytes:
    """Return an archive that ``numpy.load`` reads; unlike NumPy's own, equal arrays make equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
