"""The configuration of a SONATA circuit: which files it has, and what of them is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinbrain.exchange.files import failure
from twinbrain.exchange.sonata_files import read_json
from twinbrain.exchange.sonata_unread import Unread
from twinbrain.spec.suggest import suggestion

_LONGEST_PATH = 4096
_FOLDERS = ("point_neuron_models_dir", "synaptic_models_dir")
# Types of populations that are read.
_TYPES = {"nodes": ("point_neuron", "point_process", "virtual"), "edges": ("chemical",)}

UNITS = "ms, mV, pA, nS, pF; syn_weight in the unit of the receptor"
"""What we say of units in a configuration, and the only ones that are read."""
_SECTIONS = ("manifest", "components", "networks", "run", "twinbrain")
_OURS = ("dt", "units", "seed", "ordered", "models", "receptors", "drives")


@dataclass(frozen=True)
class Source:
    """A file of nodes or edges.

    Parameters
    ----------
    path : Path
        The HDF5 file.
    table : Path or None
        Its table of types.
    used : dict of str to str or None
        The populations in it that are used, and the type that the configuration gives each, or ``""``; None for all.
    """

    path: Path
    table: Path | None
    used: dict[str, str] | None


@dataclass(frozen=True)
class Config:
    """A circuit configuration, with its paths resolved.

    Parameters
    ----------
    path : Path
        The file.
    nodes, edges : tuple of Source
        The files.
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
    nodes: tuple[Source, ...]
    edges: tuple[Source, ...]
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

    def files(kind: str) -> Iterator[Source]:
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
            yield Source(found[0], found[1], _used(path, kind, i, entry, unread))

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


def _used(path: Path, kind: str, number: int, entry: dict[str, Any], unread: Unread) -> dict[str, str] | None:
    """Return the populations of a file that are used, and their types, where a configuration says so."""
    if "populations" not in entry:
        return None
    where, populations = f"networks.{kind}[{number}].populations", entry["populations"]
    if not isinstance(populations, dict) or not populations:
        raise failure(path, f"{where}: expected a table with a population at least, found {populations!r}")
    used = {}
    for name, given in populations.items():
        if not isinstance(given, dict):
            raise failure(path, f"{where}.{name}: expected a table, found a {type(given).__name__}")
        unread.note(path, f"{where}.{name}", given, ("type",))
        if (found := given.get("type", "")) and found not in _TYPES[kind]:
            raise failure(path, f"{where}.{name}.type: expected {' or '.join(_TYPES[kind])}, found {found!r}")
        used[name] = found
    return used


def _table(path: Path, data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a table of a configuration; an empty one where there is none."""
    found = data.get(key, {})
    if not isinstance(found, dict):
        raise failure(path, f"expected {key} as a table, found a {type(found).__name__}")
    return found
