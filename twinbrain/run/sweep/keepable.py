"""Whether what a reduction returns can be kept, and read again as it was."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.store.nodes import is_name
from twinbrain.store.root import KEY

# Of a name as of a file; names of coordinates stand in a list with spaces between them besides.
_LONGEST = 255
_OF_STORES = re.compile(rf"{re.escape(KEY)}|.*\.(claim|partial)")


def keepable(template: xr.Dataset) -> xr.Dataset:
    """Return results with attributes that JSON has, numbers and arrays of NumPy as its own.

    Raises
    ------
    SpecError
        If a name, a type or an attribute would make something else of a value when it is read.
    """
    found = template.copy()
    for name, variable in template.variables.items():
        where = f"sweep.reduce: {name!r}"
        if fault := _unfit(name, is_coordinate=name in template.coords):
            raise SpecError(f"{where}: expected a name that an array can be kept by, found {fault}; rename it")
        if not _is_plain(variable):
            raise SpecError(
                f"{where}: expected numbers or texts, found {variable.dtype}; make numbers with a unit of times"
            )
        attributes = {str(key): _plain(value, f"{where}, attribute {key!r}") for key, value in variable.attrs.items()}
        found[name].attrs = attributes
        if meant := _decoded(attributes):
            raise SpecError(
                f"{where}: expected attributes that describe a value, found {meant}, by which xarray would make "
                "another of it when it is read; leave it out, or call it something else"
            )
    return found


def _unfit(name: Any, is_coordinate: bool) -> str:
    """Return what a name is or holds by which no array of a store can be called (``""``: nothing)."""
    if not isinstance(name, str):
        return f"a {type(name).__name__}"
    if "/" in name or (is_coordinate and re.search(r"\s", name)):
        return "one with what separates names"
    if _OF_STORES.fullmatch(name):
        return "one that files of a store itself have"
    if len(name.encode(errors="replace")) > _LONGEST:
        return f"one of more than {_LONGEST} bytes"
    return "" if is_name(name) else "one with characters, or dots, that no file is named by"


def _is_plain(variable: xr.Variable) -> bool:
    if variable.dtype.kind == "O":
        return all(isinstance(value, str) for value in variable.values.flat)
    return variable.dtype.kind in "UT" or (variable.dtype.kind in "fiub" and variable.dtype.itemsize <= 8)


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(inner, where) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, where) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise SpecError(
        f"{where}: expected texts, numbers and lists of them, found {type(value).__name__}; write it as text"
    )


def _decoded(attributes: dict[str, Any]) -> str:
    """Return the attributes that xarray takes for instructions (``""``: none)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            left = xr.decode_cf(xr.Dataset({"x": xr.Variable((), 0.0, attributes)}))["x"].attrs
        except (ValueError, TypeError):
            left = {}
    return ", ".join(map(repr, sorted({*attributes} - {*left})))
