"""Read a SONATA circuit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.exchange.circuit import Circuit, CircuitDrive, CircuitPopulation
from twinbrain.exchange.delays import Delays
from twinbrain.exchange.files import failure, is_count, time_step
from twinbrain.exchange.lower import lower_circuit
from twinbrain.exchange.silent import silent_population
from twinbrain.exchange.sonata_cells import (
    INITIAL,
    NEST,
    NEST_PARAMETERS,
    NEST_UNITS,
    NODE_COLUMNS,
    OURS,
    Arrays,
    from_nest,
)
from twinbrain.exchange.sonata_config import Config, read_config
from twinbrain.exchange.sonata_edges import Nodes, read_edges
from twinbrain.exchange.sonata_files import (
    Row,
    attributes,
    check_units,
    check_unread,
    column,
    is_group,
    only_group,
    populations,
    read_json,
    read_types,
    unit_beside,
)
from twinbrain.models.neurons import LIF_CURRENT, NEURON_MODELS
from twinbrain.models.receptors import EXPONENTIAL_CURRENT, RECEPTOR_MODELS
from twinbrain.models.step import step_program
from twinbrain.network.network import Network
from twinbrain.network.random import Key
from twinbrain.paths import user_path
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.suggest import suggestion


def read_sonata(path: str | Path, *, dt: str | None = None) -> Network:
    """Return the network of a SONATA circuit, ours or another program's.

    It is built as arrays, without a declaration, so that millions of edges are read in seconds. Nodes of one type
    become one population. Models are those of the library (``twinbrain:lif_current``), those that the configuration
    brings along, and NEST's ``nest:iaf_psc_exp``; virtual nodes become silent neurons, whose spikes are given to a
    simulation with ``inject``. A delay is rounded to whole steps, and is one step at least.

    Parameters
    ----------
    path : str or Path
        ``circuit_config.json``, or its folder.
    dt : str (ms), optional
        Time step; else that of the file, or 0.1 ms. A circuit that holds drives is read with its own alone.

    Returns
    -------
    Network
        For any engine: ``tb.get_engine("brian2")(network)``.

    Raises
    ------
    ExchangeError
        If a file is missing or wrong; named with the population and the index where the fault is.
    SpecError
        If its numbers make no network.

    Warns
    -----
    ExchangeWarning
        If it has columns, attributes or sections that are not known here, by their names; and if delays that round to
        no step became one.
    """
    config = read_config(user_path(path))
    step = time_step(dt, config.dt or 0.1, config.path)
    found, kinds, nodes = _read_nodes(config, step)
    delays = Delays(step)
    projections = read_edges(config, found, nodes, delays)
    drives = tuple(_read_drives(config, found, kinds, step))
    seed = config.ours.get("seed", 0)
    if not is_count(seed):
        raise failure(config.path, f"twinbrain.seed: expected a whole number from 0 up, found {seed!r}")
    network = lower_circuit(Circuit(step, seed, tuple(found), tuple(projections), drives))
    config.unread.warn(config.path)
    delays.warn(config.path)
    return network


# What is read of a node type; of a node itself, only what follows.
_OF_TYPES = ("model_type", "model_template", "transmitter", "receptors")
_OF_NODES = ("g_L", "dynamics_params")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


# What our own part of a configuration holds of a drive, and what may stand there.
_OF_A_DRIVE: dict[str, Callable[[Any], bool]] = {
    "kind": lambda value: isinstance(value, str),
    "population": is_count,
    "receptor": lambda value: isinstance(value, str),
    "name": lambda value: isinstance(value, str),
    "key": lambda value: isinstance(value, list) and len(value) == 2 and all(is_count(v) and v < 2**32 for v in value),
    "mean": lambda value: _is_number(value) and value >= 0,
    "weight": _is_number,
    "first_step": is_count,
    "last_step": is_count,
}


def _read_drives(config: Config, found: list[CircuitPopulation], kinds: list[int], dt: float) -> Iterator[CircuitDrive]:
    drives = config.ours.get("drives", [])
    if not isinstance(drives, list) or not all(isinstance(data, dict) for data in drives):
        raise failure(config.path, "twinbrain.drives: expected a list of tables, found another value")
    if drives and not math.isclose(dt, config.dt or 0.0):  # their means and windows are counted in its steps
        own = "none in the file" if config.dt is None else f"{config.dt:g} ms in the file"
        raise failure(
            config.path,
            f"twinbrain.drives: expected the dt that they were written with, found {dt:g} ms and {own}; read it "
            "without dt, or write the circuit anew with the other",
        )
    for i, data in enumerate(drives):
        where = f"twinbrain.drives[{i}]"
        if expected := set(_OF_A_DRIVE) ^ set(data):
            raise failure(config.path, f"{where}: expected the keys of a drive, found {min(expected)} amiss")
        if wrong := [name for name, fits in _OF_A_DRIVE.items() if not fits(data[name])]:
            raise failure(config.path, f"{where}: expected {wrong[0]} of a drive, found {str(data[wrong[0]])[:80]!r}")
        number, receptor, kind = data["population"], data["receptor"], data["kind"]
        if number not in kinds:
            raise failure(config.path, f"{where}: unknown node type {number}; {suggestion(str(number), kinds)}")
        population = kinds.index(number)
        for what, name, known in (
            ("receptor", receptor, found[population].receptors),
            ("kind", kind, ("rate", "noise")),
        ):
            if name not in known:
                raise failure(config.path, f"{where}: unknown {what} {name!r}; {suggestion(name, known)}")
        yield CircuitDrive(**(data | {"population": population, "key": Key(*data["key"])}))


def _table(config: Config, key: str) -> dict[str, Any]:
    found = config.ours.get(key, {})
    if not isinstance(found, dict):
        raise failure(config.path, f"twinbrain.{key}: expected a table, found a {type(found).__name__}")
    return found


def _read_nodes(config: Config, dt: float) -> tuple[list[CircuitPopulation], list[int], dict[str, Nodes]]:
    """Return our populations, the node type of each, and the node populations."""
    found: list[CircuitPopulation] = []
    kinds: list[int] = []
    nodes: dict[str, Nodes] = {}
    for file in config.nodes:
        path, table = file.path, file.table
        types = read_types(table, "node_type_id")
        config.unread.note(table or path, "columns", (name for row in types.values() for name in row), NODE_COLUMNS)
        with populations(path, "nodes", file.used) as groups:
            for name, group in groups.items():
                if name in nodes:
                    raise failure(path, f"expected node populations of different names, found {name!r} twice")
                given = (file.used or {}).get(name, "")
                nodes[name] = _read_population(config, path, group, name, given, types, found, kinds, dt)
    if not found:
        raise failure(config.path, "expected nodes, found none")
    if config.ours.get("ordered"):  # our node types number the populations
        order = np.argsort(kinds, kind="stable")
        rank = np.argsort(order)
        found, kinds = [found[i] for i in order], [kinds[i] for i in order]
        nodes = {name: Nodes(rank[own.population], own.index) for name, own in nodes.items()}
    return found, kinds, nodes


def _read_population(
    config: Config,
    path: Path,
    group: Any,
    name: str,
    given_type: str,
    types: dict[int, Row],
    found: list[CircuitPopulation],
    kinds: list[int],
    dt: float,
) -> Nodes:
    """Add the populations, one a node type, that a node population holds."""
    kind = column(group, "node_type_id", path)
    ids = column(group, "node_id", path) if "node_id" in group else np.arange(len(kind))
    if not np.array_equal(ids, np.arange(len(kind))):
        raise failure(
            path, f"{group.name}/node_id: expected 0 to {len(kind) - 1} in order, found others; number them so"
        )
    own, place = only_group(group, "node", path)
    check_unread(config.unread, path, group, own, "node", _OF_NODES, _OF_TYPES)
    values = attributes(own, place, path, ("g_L",))
    if "g_L" in values:
        check_units(own["g_L"], "nS", path)
    given = own.get("dynamics_params", {})
    if not isinstance(given, dict) and not is_group(given):
        raise failure(path, f"{group.name}/0/dynamics_params: expected a group of parameters, found a dataset")
    dynamics = attributes(given, place, path)
    nodes = Nodes(np.zeros(len(kind), np.int64), np.zeros(len(kind), np.int64))
    distinct = list(dict.fromkeys(kind.tolist()))
    for number in distinct:
        here = np.flatnonzero(kind == number)
        if number not in types:
            raise failure(
                path, f"{group.name}: node {here[0]}: unknown node_type_id {number}; {suggestion(str(number), types)}"
            )
        row = {
            "population": name if len(distinct) == 1 else f"{name}_{number}",
            "label": config.path.parent.name,
        } | types[number]
        there = row.setdefault("model_type", given_type or "point_neuron")
        if given_type and (given_type == "virtual") != (there == "virtual"):
            found_both = f"found {given_type} in the configuration and {there} in the table of node types"
            raise failure(path, f"{group.name}: expected one kind of neurons, {found_both}; correct one")
        kinds.append(number)
        nodes.population[here], nodes.index[here] = len(found), np.arange(len(here))
        of_these = [{key: array[here] for key, array in part.items()} for part in (dynamics, values)]
        where = f"{path}: {group.name}"
        found.append(_population(config, where, row, of_these[0], of_these[1], len(here), dt))
        _check_places(where, number, row, set(own), found[-1])
        units = _units_of(row, found[-1]) if any(unit_beside(item, path) is not None for item in given.values()) else {}
        for key in units.keys() & given.keys():
            check_units(given[key], units[key], path)
    return nodes


def _units_of(row: Row, population: CircuitPopulation) -> dict[str, str]:
    """Return the units in which dynamics parameters are read."""
    if row.get("model_template") == NEST:
        return NEST_UNITS
    program = step_program(population.model, population.receptors)
    return program.parameters | {INITIAL + name: unit for name, unit in program.units.items()}


def _check_places(where: str, number: int, row: Row, beside: set[str], population: CircuitPopulation) -> None:
    """Refuse a parameter that stands where no one would read it."""
    parameters = {*NEST_PARAMETERS, *population.model.parameters}
    parameters |= {name for receptor in population.receptors.values() for name in receptor.parameters}
    kept = {"g_L"} if row.get("model_template") == NEST else set()  # as we write it
    for place, names in ((f"node type {number}", set(row)), ("group 0", beside - kept)):
        if wrong := sorted(parameters & names):
            raise failure(where, f"{place}: expected {wrong[0]} in dynamics_params, found it beside; move it there")


def _population(
    config: Config, where: str, row: Row, dynamics: Arrays, beside: Arrays, size: int, dt: float
) -> CircuitPopulation:
    template = row.get("model_template", "")
    if (kind := row["model_type"]) not in ("point_neuron", "point_process", "virtual"):
        raise failure(where, f"expected a model_type point_neuron, point_process or virtual, found {kind!r}")
    if kind == "virtual":
        return silent_population(row["population"], size)
    if "dynamics_params" in row:
        folder = config.components or config.path.parent
        shared = read_json(folder / row["dynamics_params"])
        if wrong := [
            key for key, value in shared.items() if isinstance(value, bool) or not isinstance(value, int | float)
        ]:
            raise failure(folder / row["dynamics_params"], f"{wrong[0]}: expected a number, found {shared[wrong[0]]!r}")
        dynamics = {key: np.full(size, float(value)) for key, value in shared.items()} | dynamics
    for key, array in dynamics.items():
        if not np.isfinite(array).all():
            raise failure(where, f"{key}: expected finite numbers, found {array[~np.isfinite(array)][0]}")
    receptors: dict[str, ReceptorModel] = {}
    if template == NEST:
        try:
            parameters, initial = from_nest(dynamics, beside, size, dt)
        except ValueError as error:
            raise failure(where, str(error)) from None
        model_name, model = "lif_current", LIF_CURRENT
        receptors["exponential_current"] = EXPONENTIAL_CURRENT
    elif template.startswith(OURS):
        model_name = template.removeprefix(OURS)
        own = {name: NeuronModel.parse(data, where) for name, data in _table(config, "models").items()}
        known = NEURON_MODELS | own
        if model_name not in known:
            raise failure(where, f"unknown model_template {template!r}; {suggestion(model_name, known)}")
        model = known[model_name]
        own_receptors = {n: ReceptorModel.parse(data, where) for n, data in _table(config, "receptors").items()}
        known_receptors = RECEPTOR_MODELS | own_receptors
        for receptor in filter(None, row.get("receptors", "").split(",")):
            if receptor not in known_receptors:
                raise failure(where, f"unknown receptor {receptor!r}; {suggestion(receptor, known_receptors)}")
            receptors[receptor] = known_receptors[receptor]
        parameters = {key: value for key, value in dynamics.items() if not key.startswith(INITIAL)}
        initial = {key.removeprefix(INITIAL): v for key, v in dynamics.items() if key.startswith(INITIAL)}
    else:
        raise failure(where, f"expected a model_template {NEST} or {OURS}<model>, found {template!r}")
    return CircuitPopulation(
        label=row["label"],
        region=row.get("region", row["label"]),
        name=row["population"],
        transmitter=row.get("transmitter", "glutamate"),
        size=size,
        model_name=model_name,
        model=model,
        receptors=receptors,
        parameters=parameters,
        initial=initial,
    )
