"""Read a model from the Neuromorphic Intermediate Representation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.exchange.circuit import Circuit, CircuitPopulation, CircuitProjection
from twinbrain.exchange.delays import Delays
from twinbrain.exchange.files import failure, is_count, time_step
from twinbrain.exchange.lower import lower_circuit
from twinbrain.exchange.nir_graph import NEURONS, Graph, Route, read_graph, routes_to
from twinbrain.exchange.nir_neurons import FURTHER_STEPS, RECEPTOR, RECEPTORS_KEPT, SPIKES, Arrays, Spikes, from_nir
from twinbrain.exchange.silent import silent_population
from twinbrain.files import FileError, damaged
from twinbrain.models.neurons import LIF_CURRENT
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.network.network import Network
from twinbrain.network.random import Floats
from twinbrain.paths import user_path

_MOST_CHANNELS = 4_000_000


def read_nir(path: str | Path, *, dt: str | None = None, spikes: Spikes | None = None) -> Network:
    """Return the network of a NIR file, ours or another program's.

    Time is read in seconds, potentials as mV. A LIF becomes a population of ``lif_current`` with the receptor
    ``delta``, a CubaLIF one with ``exponential_current``; neurons begin at rest, unless the file says where. A delay is
    rounded to whole steps, and is one step at least, also where the file has none. A bias becomes a current, and may
    not pass a delay. An Input that reaches neurons through weights becomes a population of silent neurons, whose spikes
    are given to a simulation with ``inject``; an Input that is wired to neurons is current from outside, and left out.

    Parameters
    ----------
    path : str or Path
        The file.
    dt : str (ms), optional
        Time step; else that of the file, or 0.1 ms.
    spikes : {"impulse", "step"}, optional
        What a spike is in the file: a Dirac impulse, or the value 1 for one step (so snnTorch, for one, counts); else
        what the file says, or ``"impulse"``, which is NIR's definition. A step is that of the file, if it counts spikes
        so itself, and else ``dt``.

    Returns
    -------
    Network
        For any engine: ``tb.get_engine("brian2")(network)``.

    Raises
    ------
    ExchangeError
        If the file cannot be read, with every node that is not known.
    SpecError
        If its numbers make no network.

    Warns
    -----
    ExchangeWarning
        If delays that round to no step became one; those that the file does not have are not counted.
    """
    path = user_path(path)
    try:
        return _network(path, dt, spikes)
    except FileError as error:
        raise failure(path, str(error)) from None


def _network(path: Path, dt: str | None, spikes: Spikes | None) -> Network:
    graph = read_graph(path)
    metadata = graph.metadata if "dt" in graph.metadata and "spikes" in graph.metadata else {}
    if np.asarray(found := metadata.get("dt", 1e-4)).dtype.kind not in "iuf":  # of text, Python takes more than numbers
        raise failure(path, f"metadata.dt: expected a number, found {found!r}")
    with damaged("numbers of a NIR file"):
        kept = _shown(float(found) * 1e3)
    if not is_count(seed := metadata.get("seed", 0)):
        raise failure(path, f"metadata.seed: expected a whole number from 0 up, found {seed!r}")
    step = time_step(dt, kept, path)
    kind_of_spikes = spikes or metadata.get("spikes", "impulse")
    if kind_of_spikes not in SPIKES:
        raise failure(path, f"expected spikes to be one of {', '.join(SPIKES)}, found {kind_of_spikes!r}")
    # For how long a spike is 1: what the weights are worth does not change with the step in which they are read.
    lasts = time_step(None, kept, path) if metadata.get("spikes") == "step" else step
    delays = Delays(step)
    network = lower_circuit(_circuit(graph, path, delays, kind_of_spikes, lasts, int(seed)))
    delays.warn(path, stacklevel=3)
    return network


def _shown(value: float) -> float:
    """Return a time as it was written: what conversion added in the last digits is taken off."""
    return float(f"{value:.12g}")


def _circuit(graph: Graph, path: Path, delays: Delays, spikes: Spikes, lasts: float, seed: int) -> Circuit:
    neurons = [name for name in graph.nodes if graph.kind(name) in NEURONS]
    if not neurons:
        raise failure(path, "expected neurons, found none; a network needs a LIF or a CubaLIF")
    numbers = [graph.nodes[name].metadata.get("number") for name in neurons]
    if None not in numbers:
        neurons = [name for _, name in sorted(zip(numbers, neurons, strict=True))]
    sizes = _sizes(graph, neurons, path)
    routes = {name: routes_to(graph, name, sizes, path) for name in neurons}
    weighted = {r.source for found in routes.values() for r in found if r.weighted and r.source is not None}
    inputs = sorted(weighted - set(neurons))
    order = [*neurons, *inputs]
    populations, projections = [], []
    for target, name in enumerate(neurons):
        population, weight, current = _population(graph, name, sizes[name], path, spikes, lasts)
        for route in routes[name]:
            if route.channels != sizes[name]:
                raise failure(path, f"expected {sizes[name]} channels to reach {name!r}, found {route.channels}")
            if route.source is None:
                if len(late := route.delay[(route.delay > 0) & (route.weight != 0)]):
                    expected = f"expected a bias that reaches {name!r} from the beginning on"
                    remedy = "put it behind the Delay, where it does"
                    raise failure(path, f"{expected}, found one that passes a Delay of {late[0]:g} s; {remedy}")
                _add_bias(graph.kind(name), population, route, current)
            elif route.source in order:
                further = FURTHER_STEPS[graph.kind(name)]
                projections.append(
                    _projection(order.index(route.source), target, graph.kind(name), route, weight, delays, further)
                )
        populations.append(population)
    populations += [silent_population(name, sizes[name]) for name in inputs]
    return Circuit(delays.dt, seed, tuple(populations), tuple(p for p in projections if len(p.weight)))


def _sizes(graph: Graph, neurons: list[str], path: Path) -> dict[str, int]:
    """Return the number of channels of neurons and inputs; a node with one value for all has as many as reach it."""
    sizes: dict[str, int] = {}
    for name, node in graph.nodes.items():
        if graph.kind(name) == "Input":
            with damaged(f"the shape of {name!r}"):
                found = np.ravel(node.input_type["input"])
                shape = [int(size) for size in found]
            if not np.array_equal(shape, found):
                raise failure(path, f"expected whole numbers as the shape of {name!r}, found {found}")
            sizes[name] = math.prod(shape)
            if min(shape, default=0) < 0 or sizes[name] > _MOST_CHANNELS:
                raise failure(path, f"expected at most {_MOST_CHANNELS:,} channels of {name!r}, found shape {shape}")
    for name in neurons:
        most = max(np.asarray(values).size for values in _fields(graph, name).values())
        sizes[name] = most if most > 1 else _size_before(graph, name, sizes)
    return sizes


def _size_before(graph: Graph, name: str, sizes: dict[str, int]) -> int:
    """Return the most channels that reach a node, from the nearest nodes that say how many there are."""
    found, seen, waiting = 1, {name}, [name]
    while waiting:
        for before in graph.before[waiting.pop()]:
            if graph.kind(before) in ("Linear", "Affine"):
                found = max(found, *np.shape(graph.nodes[before].weight)[:1])
            elif before in sizes and not graph.before[before]:
                found = max(found, sizes[before])
            elif before not in seen:
                seen.add(before)
                waiting.append(before)
    return found


def _fields(graph: Graph, name: str) -> dict[str, Any]:
    keys = ("tau", "tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset")
    return {key: getattr(graph.nodes[name], key) for key in keys if hasattr(graph.nodes[name], key)}


def _population(
    graph: Graph, name: str, size: int, path: Path, spikes: Spikes, lasts: float
) -> tuple[CircuitPopulation, Floats, Floats]:
    kind, metadata = graph.kind(name), graph.nodes[name].metadata
    fields: Arrays = {}
    for key, value in _fields(graph, name).items():
        flat = np.asarray(value, np.float64).ravel()
        if flat.size not in (1, size):
            raise failure(path, f"expected {size} values of {key} of {name!r}, found {flat.size}")
        fields[key] = np.broadcast_to(flat, (size,))
    for key in ("tau", "tau_mem", "tau_syn", "r"):
        if key in fields and (lowest := float(fields[key].min())) <= 0:
            raise failure(path, f"expected positive values of {key} of {name!r}, found {lowest:g}")
    parameters, weight, current = from_nir(kind, fields, metadata.get("parameters", {}), spikes, lasts)
    kept = str(metadata.get("receptors", "")).split()
    receptors = dict.fromkeys([RECEPTOR[kind], *(r for r in kept if r in RECEPTORS_KEPT)])
    # NIR does not say where neurons begin; at rest, unless the file does.
    kept_initial = metadata.get("initial", {"v": fields["v_leak"]})
    with damaged(f"numbers as the initial state of {name!r}"):
        initial = {key: np.broadcast_to(np.asarray(v, np.float64), (size,)) for key, v in kept_initial.items()}
    own = ["v", "I_exponential_current"] if kind == "CubaLIF" else ["v"]
    if foreign := sorted(key for key, values in initial.items() if key not in own and values.any()):
        raise failure(
            path,
            f"metadata.initial of {name!r}: expected {' and '.join(own)}, which a {kind} has, found {foreign[0]!r}",
        )
    initial = {key: values for key, values in initial.items() if key in own}
    population = CircuitPopulation(
        label=str(metadata.get("label", path.stem)),
        region=str(metadata.get("region", path.stem)),
        name=str(metadata.get("population", name)),
        transmitter=str(metadata.get("transmitter", "glutamate")),
        size=size,
        model_name="lif_current",
        model=LIF_CURRENT,
        receptors={receptor: RECEPTOR_MODELS[receptor] for receptor in receptors},
        parameters=parameters,
        initial=initial,
    )
    return population, weight, current


def _add_bias(kind: str, population: CircuitPopulation, route: Route, current: Floats) -> None:
    """Turn a constant input into a constant current."""
    bias = np.zeros(population.size)
    np.add.at(bias, route.row, route.weight)
    bias *= current
    population.parameters["I_e"] = population.parameters["I_e"] + bias
    if kind == "CubaLIF":
        # A constant input fills the synaptic current from 0; beside a constant current, what is missing decays.
        before = population.initial.get("I_exponential_current", np.zeros(population.size))
        population.initial["I_exponential_current"] = before - bias


def _projection(
    source: int, target: int, kind: str, route: Route, weight: Floats, delays: Delays, further: int
) -> CircuitProjection:
    return CircuitProjection(
        source=source,
        target=target,
        receptor=RECEPTOR[kind],
        origin=route.origin,
        source_index=route.column.astype(np.int32),
        target_index=route.row.astype(np.int32),
        weight=route.weight * weight[route.row],
        delay=delays.steps(route.delay * 1e3, further, even_none=False),
    )
