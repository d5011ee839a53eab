"""The files of a SONATA circuit: JSON, tables, groups of HDF5; every fault with its file and place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.exchange.files import failure
from twinbrain.exchange.sonata_unread import Unread
from twinbrain.files import FileError, damaged, opened_hdf5, parse_json, read_text
from twinbrain.files.text import LARGEST_JSON
from twinbrain.spec.plain_array import told_unit
from twinbrain.spec.suggest import suggestion

_DIGITS = re.compile("[0-9]{1,18}")
Row = dict[str, str]

NULL = "NULL"
"""What stands for no value in a table of types."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the table of a JSON file.

    Raises
    ------
    ExchangeError
        If there is none.
    """
    try:
        data = parse_json(read_text(path, LARGEST_JSON))
    except FileError as error:
        raise failure(path, str(error)) from None
    if not isinstance(data, dict):
        raise failure(path, f"expected a table, found a {type(data).__name__}")
    return data


def read_types(path: Path | None, key: str) -> dict[int, Row]:
    """Return the rows of a table of types by their number; what is ``NULL`` is left out.

    Raises
    ------
    ExchangeError
        If it has no such column, a row whose number is none, or a column or a number twice.
    """
    if path is None:
        return {}
    try:
        text = io.StringIO(read_text(path, LARGEST_JSON), newline="")
        rows = list(csv.reader(text, delimiter=" ", skipinitialspace=True))
    except (FileError, csv.Error) as error:
        raise failure(path, f"expected a table as text: {error}") from None
    columns, *body = [[cell for cell in row if cell] for row in rows if any(row)] or [[]]
    if key not in columns:
        raise failure(path, f"expected a column {key}, found {', '.join(columns) or 'none'}")
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise failure(path, f"expected columns of different names, found {twice[0]!r} twice; take one out")
    types: dict[int, Row] = {}
    for i, cells in enumerate(body, start=2):
        row = dict(zip(columns, cells, strict=False))
        if len(cells) != len(columns) or not _DIGITS.fullmatch(row.get(key, "")):
            raise failure(
                path, f"line {i}: expected {len(columns)} values with a number as {key}, found {' '.join(cells)}"
            )
        if int(row[key]) in types:
            raise failure(path, f"line {i}: expected one line a type, found {key} {row[key]} again; take one out")
        types[int(row[key])] = {name: value for name, value in row.items() if value != NULL}
    return types


@contextmanager
def populations(path: Path, kind: str, used: Collection[str] | None) -> Iterator[dict[str, Any]]:
    """Open an HDF5 file and give the groups in ``/nodes`` or ``/edges``, by their names.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"nodes", "edges"}
        What is wanted.
    used : collection of str or None
        Those that the configuration names; None for all.

    Raises
    ------
    ExchangeError
        If there is no such group, or none of a name.
    """
    try:
        with opened_hdf5(path, "exchange") as file:
            if not is_group(file.get(kind)):
                raise failure(path, f"expected a group /{kind}, found {', '.join(file) or 'none'}")
            for name, group in file[kind].items():
                if not is_group(group):
                    raise failure(path, f"{group.name}: expected a population, found a dataset; take {name} out")
            groups = dict(file[kind].items())
            if unknown := [name for name in used or () if name not in groups]:
                hint = suggestion(unknown[0], groups)
                raise failure(path, f"/{kind}: unknown population {unknown[0]!r} in the configuration; {hint}")
            yield {name: group for name, group in groups.items() if used is None or name in used}
    except FileError as error:
        raise failure(path, str(error)) from None
    except (OSError, RuntimeError) as error:  # of HDF5, which finds some damage only when it reads
        raise failure(path, f"expected an HDF5 file, found one that cannot be read: {error}") from None


def is_group(item: Any) -> bool:
    """Return whether an object of an HDF5 file is a group."""
    return hasattr(item, "items") and not hasattr(item, "dtype")


def column(group: Any, name: str, path: Path) -> NDArray[np.int64]:
    """Return a dataset of whole numbers.

    Raises
    ------
    ExchangeError
        If it is not there, or of another kind.
    """
    if name not in group:
        raise failure(path, f"{group.name}: expected a dataset {name}; {suggestion(name, group)}")
    item = group[name]
    if is_group(item) or item.dtype.kind not in "iu" or item.ndim != 1:
        raise failure(path, f"{group.name}/{name}: expected one whole number after the other, found something else")
    with damaged(f"numbers in {item.name}"):
        return np.asarray(item[()]).astype(np.int64)


def attributes(
    group: Any, index: NDArray[np.int64], path: Path, wanted: tuple[str, ...] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the numeric attributes of a group, one value for each of ``index``; those wanted, or all.

    Raises
    ------
    ExchangeError
        If one is too short, of another shape or no numbers.
    """
    found = {}
    for name, values in group.items():
        if wanted is not None and name not in wanted:
            continue
        if is_group(values) or values.dtype.kind not in "fiu" or values.ndim != 1:
            kind = "a group" if is_group(values) else f"{values.dtype.name} of shape {values.shape}"
            raise failure(path, f"{group.name}/{name}: expected one number after the other, found {kind}")
        if len(values) <= int(index.max(initial=-1)):
            raise failure(path, f"{group.name}/{name}: expected {int(index.max()) + 1} values, found {len(values)}")
        with damaged(f"numbers in {values.name}"):
            found[name] = np.asarray(values[()]).astype(np.float64)[index]
    return found


def text_beside(item: Any, key: str, default: str) -> str:
    """Return the text that an object of an HDF5 file has as an attribute, alone or as an array of one.

    Raises
    ------
    FileError
        If it is something else.
    """
    with damaged(f"a text as {key} of {item.name}"):
        found = np.asarray(item.attrs.get(key, default)).item()
        return found.decode() if isinstance(found, bytes) else str(found)


def unit_beside(values: Any, path: Path) -> str | None:
    """Return the unit that a dataset says it is in, if it says one.

    Parameters
    ----------
    values : dataset
        Its attribute ``units``, or ``unit``, is what it says.
    path : Path
        Of the file, for the message.

    Raises
    ------
    ExchangeError
        If it says two that differ.
    """
    try:
        with damaged(f"a text as units of {values.name}"):
            return told_unit(values.attrs)
    except SpecError as error:
        raise failure(path, f"{values.name}: {error}") from None


def check_units(values: Any, unit: str, path: Path) -> None:
    """Check that a dataset which says in what unit it is says that of the coherent set, in which it is read.

    Parameters
    ----------
    values : dataset
        As `unit_beside` takes it.
    unit : str
        Any unit of the dimension that is expected.
    path : Path
        Of the file, for the message.

    Raises
    ------
    ExchangeError
        If it says another.
    """
    expected = units.coherent_unit(unit)
    told = unit_beside(values, path)
    text = expected if told is None else told
    try:
        same = text == expected or units.coherent(f"1 {text}", expected) == 1
    except UnitError:
        same = False
    if not same:
        raise failure(path, f"{values.name}: expected units {expected!r}, found {text!r}; convert the values")


def check_unread(
    unread: Unread, path: Path, group: Any, own: Any, kind: str, known: tuple[str, ...], of_types: tuple[str, ...]
) -> None:
    """Keep what a population and its group ``0`` hold besides, and refuse what is read in the table of types alone.

    Raises
    ------
    ExchangeError
        If they hold such a thing, which would count before the table, or one whose name is misspelt.
    """
    if wrong := sorted(set(of_types) & set(own)):
        raise failure(
            path, f"{group.name}/0: expected {wrong[0]} in the table of {kind} types, found it here; move it there"
        )
    ids = tuple(f"{kind}_{name}" for name in ("id", "type_id", "group_id", "group_index"))
    ends = ("source_node_id", "target_node_id") if kind == "edge" else ()
    unread.note(path, group.name, (name for name in group if not name.isdecimal()), ids + ends)
    unread.note(path, f"{group.name}/0", own, known)


def only_group(group: Any, kind: str, path: Path) -> Any:
    """Return the group ``0`` of a population and each element's place in it.

    Raises
    ------
    ExchangeError
        If elements are in other groups.
    """
    n = len(column(group, f"{kind}_type_id", path))
    number, index = (
        column(group, f"{kind}_{name}", path) if f"{kind}_{name}" in group else default
        for name, default in (("group_id", np.zeros(n, np.int64)), ("group_index", np.arange(n)))
    )
    if not len(number) == len(index) == n:
        raise failure(path, f"{group.name}: expected {n} group ids and indices, found {len(number)} and {len(index)}")
    if len(number) and number.any():
        first = int(np.flatnonzero(number)[0])
        raise failure(path, f"{group.name}: expected all in group 0, found {kind} {first} in group {number[first]}")
    if (index < 0).any():
        raise failure(path, f"{group.name}/{kind}_group_index: expected indices from 0 up, found {index.min()}")
    own = group.get("0", {})
    if not isinstance(own, dict) and not is_group(own):
        raise failure(path, f"{group.name}/0: expected a group of attributes, found a dataset")
    return own, index
