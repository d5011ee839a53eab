"""Read the edges of a SONATA circuit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.exchange.circuit import CircuitPopulation, CircuitProjection
from twinbrain.exchange.files import failure
from twinbrain.exchange.sonata_cells import Arrays
from twinbrain.exchange.sonata_files import Config, Row, attributes, column, only_group, populations, read_types
from twinbrain.spec.base import suggestion

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nodes:
    """A node population: for each node, our population and its place there."""

    population: Numbers
    index: Numbers


def read_edges(
    config: Config, found: list[CircuitPopulation], nodes: dict[str, Nodes], dt: float
) -> list[CircuitProjection]:
    """Return the projections that the edge files of a circuit hold.

    Parameters
    ----------
    config : Config
        The circuit.
    found : list of CircuitPopulation
        Our populations.
    nodes : dict of str to Nodes
        The node populations.
    dt : float (ms)
        Time step.

    Raises
    ------
    ExchangeError
        If an edge cannot be, with its population and its index.
    """
    projections: list[CircuitProjection] = []
    for path, table in config.edges:
        types = read_types(table, "edge_type_id")
        with populations(path, "edges") as groups:
            for group in groups.values():
                projections += _read_edge_population(path, group, types, found, nodes, dt)
    return projections


def _read_edge_population(
    path: Path, group: Any, types: dict[int, Row], found: list[CircuitPopulation], nodes: dict[str, Nodes], dt: float
) -> list[CircuitProjection]:
    ends = []
    for end in ("source", "target"):
        ids = np.asarray(column(group, f"{end}_node_id", path), np.int64)
        name = group[f"{end}_node_id"].attrs.get("node_population", "")
        name = name.decode() if isinstance(name, bytes) else str(name)
        where = f"{group.name}/{end}_node_id"
        if name not in nodes:
            raise failure(path, f"{where}: unknown node population {name!r}; {suggestion(name, nodes)}")
        size = len(nodes[name].index)
        if (wrong := np.flatnonzero((ids < 0) | (ids >= size))).size:
            first = int(wrong[0])
            raise failure(
                path, f"{where}: expected nodes 0 to {size - 1} of {name!r}, found {ids[first]} at edge {first}"
            )
        ends.append((nodes[name].population[ids], nodes[name].index[ids]))
    (from_, source), (to, target) = ends
    kind = np.asarray(column(group, "edge_type_id", path), np.int64)
    if not len(from_) == len(to) == len(kind):
        raise failure(
            path, f"{group.name}: expected datasets of one length, found {len(from_)}, {len(to)}, {len(kind)}"
        )
    own, place = only_group(group, "edge", path)
    values = attributes(own, place, path)
    key = (from_ * len(found) + to) * (int(kind.max(initial=0)) + 1) + kind
    order = np.argsort(key, kind="stable")
    projections = []
    for kept in np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(order) else ():
        first, number = int(kept[0]), int(kind[kept[0]])
        if number not in types:
            hint = suggestion(str(number), types)
            raise failure(path, f"{group.name}: edge {first}: unknown edge_type_id {number}; {hint}")
        row, cell = types[number], found[int(to[first])]
        receptor = row.get("receptor") or (next(iter(cell.receptors)) if len(cell.receptors) == 1 else "")
        if receptor not in cell.receptors:
            hint = suggestion(receptor, cell.receptors)
            raise failure(path, f"{group.name}: edge {first}: unknown receptor {receptor!r} of {cell.name!r}; {hint}")
        weight, delay = (_values(path, group, name, values, row, kept, number) for name in ("syn_weight", "delay"))
        projections.append(
            CircuitProjection(
                source=int(from_[first]),
                target=int(to[first]),
                receptor=receptor,
                origin=row.get("origin", "local"),
                source_index=source[kept].astype(np.int32),
                target_index=target[kept].astype(np.int32),
                weight=weight,
                delay=np.maximum(np.floor(delay / dt + 0.5).astype(np.int64), 1),
            )
        )
    return projections


def _values(path: Path, group: Any, name: str, values: Arrays, row: Row, kept: Numbers, number: int) -> Any:
    """Return an attribute of edges: each one's own, or that of their type."""
    if name in values:
        found = values[name][kept]
    elif name in row:
        try:
            found = np.full(len(kept), float(row[name]))
        except ValueError:
            raise failure(path, f"edge type {number}: expected a number as {name}, found {row[name]!r}") from None
    else:
        raise failure(path, f"{group.name}: expected {name} of every edge, or of edge type {number}, found neither")
    if (wrong := np.flatnonzero(~np.isfinite(found) | (found < 0 if name == "delay" else False))).size:
        raise failure(path, f"{group.name}/0/{name}: edge {kept[wrong[0]]}: expected a number, found {found[wrong[0]]}")
    return found
