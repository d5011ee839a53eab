"""The files of a SONATA circuit: configuration, tables, groups of HDF5; every fault with its file and place."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.exchange.files import failure
from twinbrain.exchange.sonata_unread import Unread
from twinbrain.files import FileError, damaged, opened_hdf5, parse_json, read_text
from twinbrain.files.text import LARGEST_JSON
from twinbrain.spec.base import suggestion

_LONGEST_PATH = 4096
_DIGITS = re.compile("[0-9]{1,18}")
_FOLDERS = ("point_neuron_models_dir", "synaptic_models_dir")
Row = dict[str, str]

UNITS = "ms, mV, pA, nS, pF; syn_weight in the unit of the receptor"
"""What we say of units in a configuration, and the only ones that are read."""
_SECTIONS = ("manifest", "components", "networks", "run", "twinbrain")
_OURS = ("dt", "units", "seed", "ordered", "models", "receptors", "drives")


@dataclass(frozen=True)
class Config:
    """A circuit configuration, with its paths resolved.

    Parameters
    ----------
    path : Path
        The file.
    nodes, edges : tuple of (Path, Path or None)
        An HDF5 file and its table of types each.
    components, synapses : Path or None
        Where the JSON files of parameters are, of neurons and of edges.
    ours : dict
        What we keep besides.
    dt : float or None (ms)
        Time step, where the file gives one.
    unread : Unread
        Names that nobody reads, from here on.
    """

    path: Path
    nodes: tuple[tuple[Path, Path | None], ...]
    edges: tuple[tuple[Path, Path | None], ...]
    components: Path | None
    synapses: Path | None
    ours: dict[str, Any]
    dt: float | None
    unread: Unread = field(default_factory=Unread)


def read_config(path: Path) -> Config:
    """Return the configuration at ``path``, a file or the folder of one.

    Raises
    ------
    ExchangeError
        If it, or a file that it names, is missing or wrong.
    """
    if path.is_dir():
        path = path / "circuit_config.json"
    data = read_json(path)
    networks = data.get("networks")
    if not isinstance(networks, dict) or not networks.get("nodes"):
        raise failure(path, "expected networks.nodes, found none; give the configuration of a circuit")
    unread = Unread()
    unread.note(path, "sections", data, _SECTIONS)
    unread.note(path, "networks", networks, ("nodes", "edges"))
    manifest = {name: str(value) for name, value in _table(path, data, "manifest").items() if name.strip("$")}

    def resolved(text: str) -> Path:
        for _ in range(len(manifest) + 1):
            for name in sorted(manifest, key=len, reverse=True):
                text = text.replace(f"${{{name.lstrip('$')}}}", manifest[name]).replace(name, manifest[name])
                if len(text) > _LONGEST_PATH:  # of parts that name each other
                    raise failure(path, f"expected paths of at most {_LONGEST_PATH} letters, found {text[:40]!r}…")
        if "$" in text:
            raise failure(path, f"expected a path whose parts stand in the manifest, found {text!r}")
        return path.parent / text

    def files(kind: str) -> Iterator[tuple[Path, Path | None]]:
        entries = networks.get(kind, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise failure(path, f"expected networks.{kind} as a list of tables, found another value")
        for i, entry in enumerate(entries):
            unread.note(path, f"networks.{kind}", entry, (f"{kind}_file", f"{kind[:-1]}_types_file", "populations"))
            found: list[Path | None] = []
            for key in (f"{kind}_file", f"{kind[:-1]}_types_file"):
                text = entry.get(key)
                if not text and key.endswith("types_file"):
                    found.append(None)
                    continue
                if not text:
                    raise failure(path, f"expected networks.{kind}[{i}].{key}, found none; give the file")
                if not isinstance(text, str) or not os.path.exists(resolved(text)):
                    raise failure(
                        path, f"expected networks.{kind}[{i}].{key} to be a file, found none at {resolved(str(text))}"
                    )
                found.append(resolved(text))
            assert found[0] is not None
            yield found[0], found[1]

    components = _table(path, data, "components")
    unread.note(path, "components", components, _FOLDERS)
    folders = {key: resolved(str(components[key])) for key in _FOLDERS if components.get(key)}
    ours = _table(path, data, "twinbrain")
    if unknown := [key for key in ours if key not in _OURS]:
        raise failure(path, f"twinbrain: unknown key {unknown[0]!r}; {suggestion(unknown[0], _OURS)}")
    if ours.get("units", UNITS) != UNITS:
        raise failure(path, f"twinbrain.units: expected {UNITS!r}, found {ours['units']!r}; convert the values")
    if not isinstance(ours.get("ordered", True), bool):
        raise failure(path, f"twinbrain.ordered: expected true or false, found {ours['ordered']!r}")
    dt = ours.get("dt", _table(path, data, "run").get("dt"))
    if dt is not None and (isinstance(dt, bool) or not isinstance(dt, int | float) or not 0 < dt < float("inf")):
        raise failure(path, f"expected dt as a positive number of ms, found {dt!r}")
    return Config(
        path,
        tuple(files("nodes")),
        tuple(files("edges")),
        folders.get("point_neuron_models_dir"),
        folders.get("synaptic_models_dir"),
        ours,
        None if dt is None else float(dt),
        unread,
    )


def _table(path: Path, data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a table of a configuration; an empty one where there is none."""
    found = data.get(key, {})
    if not isinstance(found, dict):
        raise failure(path, f"expected {key} as a table, found a {type(found).__name__}")
    return found


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
        types[int(row[key])] = {name: value for name, value in row.items() if value != "NULL"}
    return types


@contextmanager
def populations(path: Path, kind: str) -> Iterator[Any]:
    """Open an HDF5 file and give the group ``/nodes`` or ``/edges``.

    Raises
    ------
    ExchangeError
        If there is none.
    """
    try:
        with opened_hdf5(path, "exchange") as file:
            if not is_group(file.get(kind)):
                raise failure(path, f"expected a group /{kind}, found {', '.join(file) or 'none'}")
            for name, group in file[kind].items():
                if not is_group(group):
                    raise failure(path, f"{group.name}: expected a population, found a dataset; take {name} out")
            yield file[kind]
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


def check_unread(
    config: Config, path: Path, group: Any, own: Any, kind: str, known: tuple[str, ...], of_types: tuple[str, ...]
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
    config.unread.note(path, group.name, (name for name in group if not name.isdecimal()), ids + ends)
    config.unread.note(path, f"{group.name}/0", own, known)


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
