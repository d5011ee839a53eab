"""The files of a SONATA circuit: configuration, tables, groups of HDF5; every fault with its file and place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.exchange.files import failure, optional
from twinbrain.spec.base import suggestion

Row = dict[str, str]


@dataclass(frozen=True)
class Config:
    """A circuit configuration, with its paths resolved.

    Parameters
    ----------
    path : Path
        The file.
    nodes, edges : tuple of (Path, Path or None)
        An HDF5 file and its table of types each.
    components : Path or None
        Where the JSON files of parameters are.
    ours : dict
        What we keep besides.
    dt : float or None (ms)
        Time step, where the file gives one.
    """

    path: Path
    nodes: tuple[tuple[Path, Path | None], ...]
    edges: tuple[tuple[Path, Path | None], ...]
    components: Path | None
    ours: dict[str, Any]
    dt: float | None


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
    manifest = {name: str(value) for name, value in data.get("manifest", {}).items()}

    def resolved(text: str) -> Path:
        for _ in range(len(manifest) + 1):
            for name in sorted(manifest, key=len, reverse=True):
                text = text.replace(f"${{{name.lstrip('$')}}}", manifest[name]).replace(name, manifest[name])
        if "$" in text:
            raise failure(path, f"expected a path whose parts stand in the manifest, found {text!r}")
        return path.parent / text

    def files(kind: str) -> Iterator[tuple[Path, Path | None]]:
        for i, entry in enumerate(networks.get(kind, ())):
            found: list[Path | None] = []
            for key in (f"{kind}_file", f"{kind[:-1]}_types_file"):
                text = entry.get(key)
                if not text and key.endswith("types_file"):
                    found.append(None)
                    continue
                if not text:
                    raise failure(path, f"expected networks.{kind}[{i}].{key}, found none; give the file")
                if not resolved(text).is_file():
                    raise failure(
                        path, f"expected networks.{kind}[{i}].{key} to be a file, found none at {resolved(text)}"
                    )
                found.append(resolved(text))
            assert found[0] is not None
            yield found[0], found[1]

    components = data.get("components", {}).get("point_neuron_models_dir")
    ours = data.get("twinbrain", {})
    dt = ours.get("dt", data.get("run", {}).get("dt"))
    return Config(
        path,
        tuple(files("nodes")),
        tuple(files("edges")),
        resolved(components) if components else None,
        ours,
        None if dt is None else float(dt),
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the table of a JSON file.

    Raises
    ------
    ExchangeError
        If there is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise failure(path, f"expected a JSON file, found none that can be read: {error.strerror}") from None
    except ValueError as error:
        raise failure(path, f"expected a JSON file, found a fault in it: {error}") from None
    if not isinstance(data, dict):
        raise failure(path, f"expected a table, found a {type(data).__name__}")
    return data


def read_types(path: Path | None, key: str) -> dict[int, Row]:
    """Return the rows of a table of types by their number; what is ``NULL`` is left out.

    Raises
    ------
    ExchangeError
        If it has no such column, or a row whose number is none.
    """
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=" ", skipinitialspace=True))
    columns, *body = [[cell for cell in row if cell] for row in rows if any(row)] or [[]]
    if key not in columns:
        raise failure(path, f"expected a column {key}, found {', '.join(columns) or 'none'}")
    types: dict[int, Row] = {}
    for i, cells in enumerate(body, start=2):
        row = dict(zip(columns, cells, strict=False))
        if len(cells) != len(columns) or not row.get(key, "").isdecimal():
            raise failure(
                path, f"line {i}: expected {len(columns)} values with a number as {key}, found {' '.join(cells)}"
            )
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
    h5py = optional("h5py")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise failure(path, f"expected an HDF5 file, found one that cannot be read: {error}") from None
    with file:
        if kind not in file:
            raise failure(path, f"expected a group /{kind}, found {', '.join(file) or 'none'}")
        yield file[kind]


def column(group: Any, name: str, path: Path) -> Any:
    """Return a dataset.

    Raises
    ------
    ExchangeError
        If it is not there.
    """
    if name not in group:
        raise failure(path, f"{group.name}: expected a dataset {name}; {suggestion(name, group)}")
    return group[name][()]


def attributes(group: Any, index: Any, path: Path) -> dict[str, Any]:
    """Return the numeric attributes of a group, one value for each of ``index``.

    Raises
    ------
    ExchangeError
        If one is too short.
    """
    found = {}
    for name, values in group.items():
        if hasattr(values, "dtype") and values.dtype.kind in "fiu":
            if len(values) <= int(index.max(initial=-1)):
                raise failure(path, f"{group.name}/{name}: expected {int(index.max()) + 1} values, found {len(values)}")
            found[name] = values[()].astype(np.float64)[index]
    return found


def only_group(group: Any, kind: str, path: Path) -> Any:
    """Return the group ``0`` of a population and each element's place in it.

    Raises
    ------
    ExchangeError
        If elements are in other groups.
    """
    n = len(column(group, f"{kind}_type_id", path))
    number = group[f"{kind}_group_id"][()] if f"{kind}_group_id" in group else np.zeros(n, np.int64)
    if len(number) and number.any():
        first = int(np.flatnonzero(number)[0])
        raise failure(path, f"{group.name}: expected all in group 0, found {kind} {first} in group {number[first]}")
    index = group[f"{kind}_group_index"][()] if f"{kind}_group_index" in group else np.arange(n)
    return group.get("0", {}), index.astype(np.int64)
