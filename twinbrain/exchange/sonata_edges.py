"""Read the edges of a SONATA circuit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.exchange.circuit import CircuitPopulation, CircuitProjection
from twinbrain.exchange.delays import Delays
from twinbrain.exchange.files import failure
from twinbrain.exchange.sonata_cells import Arrays
from twinbrain.exchange.sonata_config import Config
from twinbrain.exchange.sonata_files import (
    Row,
    attributes,
    check_units,
    check_unread,
    column,
    only_group,
    populations,
    read_json,
    read_types,
    text_beside,
    unit_beside,
)
from twinbrain.files import number as in_text
from twinbrain.models.step import step_program
from twinbrain.spec.suggest import suggestion

Numbers = NDArray[np.int64]

_STATIC = "expected static synapses of a weight and a delay"
_READ = ("syn_weight", "delay", "nsyns")
_OF_TYPES = ("model_template", "weight_function", "weight_sigma", "receptor", "origin")
_COLUMNS = (*_READ, *_OF_TYPES, "edge_type_id", "population", "dynamics_params")


@dataclass(frozen=True, eq=False)
class Nodes:
    """A node population: for each node, our population and its place there."""

    population: Numbers
    index: Numbers


def read_edges(
    config: Config, found: list[CircuitPopulation], nodes: dict[str, Nodes], delays: Delays
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
    delays : Delays
        Count them in steps.

    Raises
    ------
    ExchangeError
        If an edge cannot be, with its population and its index.
    """
    projections: list[CircuitProjection] = []
    seen: set[str] = set()
    for file in config.edges:
        path, table = file.path, file.table
        types = read_types(table, "edge_type_id")
        config.unread.note(table or path, "columns", (name for row in types.values() for name in row), _COLUMNS)
        with populations(path, "edges", file.used) as groups:
            for name, group in groups.items():
                if name in seen:
                    raise failure(path, f"expected edge populations of different names, found {name!r} twice")
                seen.add(name)
                projections += _read_edge_population(config, path, table, group, types, found, nodes, delays)
    return projections


def _check_static(config: Config, table: Path, number: int, row: Row) -> None:
    """Refuse, by its name, what a type says of its edges that would change what they do."""
    allowed = {"model_template": ("static_synapse", "nest:static_synapse"), "weight_function": (), "weight_sigma": ()}
    for name, known in allowed.items():
        if (value := row.get(name, "")) and value not in known:
            raise failure(table, f"edge type {number}: {name}: {_STATIC}, found {value!r}; take it out")
    if file := row.get("dynamics_params", ""):
        parameters = read_json((config.synapses or config.path.parent) / file)
        if parameters:
            raise failure(table, f"edge type {number}: dynamics_params: {_STATIC}, found {min(parameters)!r} in {file}")


def _read_edge_population(
    config: Config,
    path: Path,
    table: Path | None,
    group: Any,
    types: dict[int, Row],
    found: list[CircuitPopulation],
    nodes: dict[str, Nodes],
    delays: Delays,
) -> list[CircuitProjection]:
    checked: set[int] = set()
    ends = []
    for end in ("source", "target"):
        ids = column(group, f"{end}_node_id", path)
        name = text_beside(group[f"{end}_node_id"], "node_population", "")
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
    kind = column(group, "edge_type_id", path)
    if not len(from_) == len(to) == len(kind):
        raise failure(
            path, f"{group.name}: expected datasets of one length, found {len(from_)}, {len(to)}, {len(kind)}"
        )
    own, place = only_group(group, "edge", path)
    check_unread(config.unread, path, group, own, "edge", (*_READ, "dynamics_params"), _OF_TYPES)
    values = attributes(own, place, path, _READ)
    for name, unit in (("delay", "ms"), ("nsyns", "1")):
        if name in values:
            check_units(own[name], unit, path)
    if "dynamics_params" in own:
        raise failure(path, f"{group.name}/0/dynamics_params: {_STATIC}; take it out")
    has_unit = "syn_weight" in values and unit_beside(own["syn_weight"], path) is not None
    numbers, which = np.unique(kind, return_inverse=True)
    key = (from_ * len(found) + to) * len(numbers) + which
    order = np.argsort(key, kind="stable")
    projections = []
    for kept in np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(order) else ():
        first, number = int(kept[0]), int(kind[kept[0]])
        if number not in types:
            hint = suggestion(str(number), types)
            raise failure(path, f"{group.name}: edge {first}: unknown edge_type_id {number}; {hint}")
        row, cell = types[number], found[int(to[first])]
        if number not in checked:
            _check_static(config, table or path, number, row)
            checked.add(number)
        receptor = row.get("receptor") or (next(iter(cell.receptors)) if len(cell.receptors) == 1 else "")
        if receptor not in cell.receptors:
            hint = suggestion(receptor, cell.receptors)
            raise failure(path, f"{group.name}: edge {first}: unknown receptor {receptor!r} of {cell.name!r}; {hint}")
        if has_unit:
            program = step_program(cell.model, cell.receptors)
            check_units(own["syn_weight"], program.units[program.jumps[receptor]], path)
        weight, delay, n_synapses = (_values(path, group, name, values, row, kept, number) for name in _READ)
        projections.append(
            CircuitProjection(
                source=int(from_[first]),
                target=int(to[first]),
                receptor=receptor,
                origin=row.get("origin", "local"),
                source_index=source[kept].astype(np.int32),
                target_index=target[kept].astype(np.int32),
                weight=weight * n_synapses,
                delay=delays.steps(delay),
            )
        )
    return projections


def _values(path: Path, group: Any, name: str, values: Arrays, row: Row, kept: Numbers, number: int) -> Any:
    """Return an attribute of edges: each one's own, or that of their type; an edge is one synapse if none says else."""
    if name in values:
        found = values[name][kept]
    elif name in row:
        try:
            found = np.full(len(kept), in_text(row[name]))
        except ValueError:
            raise failure(path, f"edge type {number}: expected a number as {name}, found {row[name]!r}") from None
    elif name == "nsyns":
        return np.ones(len(kept))
    else:
        raise failure(path, f"{group.name}: expected {name} of every edge, or of edge type {number}, found neither")
    faults = ~np.isfinite(found) | (found < 0 if name != "syn_weight" else False)
    if name == "nsyns":
        faults |= found != np.floor(found)
    if (wrong := np.flatnonzero(faults)).size:
        raise failure(path, f"{group.name}/0/{name}: edge {kept[wrong[0]]}: expected a number, found {found[wrong[0]]}")
    return found
