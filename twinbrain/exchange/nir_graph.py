"""A NIR file as a flat graph, and what reaches its neurons through nodes that are linear."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ExchangeError, Problem
from twinbrain.exchange.files import failure, optional
from twinbrain.files import FileError, damaged, opened_hdf5
from twinbrain.network.random import Floats

NEURONS = ("LIF", "CubaLIF")
_LINEAR = ("Linear", "Affine", "Scale", "Delay", "Flatten")
_MOST_NODES, _LONGEST, _MOST_STEPS = 10_000, 200, 20_000
_FIELDS = (
    "tau",
    "tau_mem",
    "tau_syn",
    "r",
    "w_in",
    "v_leak",
    "v_threshold",
    "v_reset",
    "delay",
    "scale",
    "weight",
    "bias",
)
_KNOWN = ("Input", "Output", *NEURONS, *_LINEAR, "NIRGraph")


@dataclass
class Graph:
    """Nodes by name, graphs within the graph unfolded, and for each the names of those before it."""

    nodes: dict[str, Any] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    n_steps: int = 0  # taken on routes, of which a graph may have far more than nodes

    def kind(self, name: str) -> str:
        """Return the type of a node."""
        return type(self.nodes[name]).__name__


@dataclass(frozen=True, eq=False)
class Route:
    """What one node sends to another, or a constant.

    Parameters
    ----------
    source : str or None
        The node; None for a constant.
    channels : int
        Number of channels that are reached, where this arrives.
    row, column : ndarray of int64
        Channel that is reached, and channel of the source.
    weight : ndarray of float64
        What one unit of the source comes to.
    delay : ndarray of float64 (s)
        How much later.
    weighted : bool
        Whether weights were met, rather than wires alone.
    origin : str
        What the weights' metadata say of it.
    """

    source: str | None
    channels: int
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    weight: Floats
    delay: Floats
    weighted: bool = False
    origin: str = "local"


def read_graph(path: Path) -> Graph:
    """Return the graph of a file.

    Raises
    ------
    ExchangeError
        If it is no NIR file, or has nodes that cannot be read, all of them named.
    """
    nir = optional("nir")
    try:
        with opened_hdf5(path, "exchange") as file:
            node = file.get("node")
            if node is None or hasattr(node, "dtype") or "type" not in node:
                raise failure(path, "expected a NIR file, found an HDF5 file without a node; check the path")
            with damaged("a NIR file"):
                unknown = _unknown(node, "")
        if unknown:
            known = ", ".join(_KNOWN)
            raise ExchangeError(
                Problem(str(path), f"expected nodes of {known}; found {kind} {name!r}; take it out")
                for name, kind in unknown
            )
        with damaged(f"a NIR file that nir {nir.version} reads"):
            root = nir.read(path, type_check=False)
            if type(root).__name__ != "NIRGraph":
                root = nir.NIRGraph.from_list(root)
    except FileError as error:
        raise failure(path, str(error)) from None
    if not isinstance(root.metadata, dict):
        raise failure(path, "expected metadata of the graph as a table, found another value")
    graph = Graph(metadata=dict(root.metadata))
    edges: list[tuple[str, str]] = []
    _unfold(root, "", graph, edges, path)
    for name, node in graph.nodes.items():
        _check_node(path, name, node)
    if len(graph.nodes) > _MOST_NODES:
        raise failure(path, f"expected at most {_MOST_NODES:,} nodes, found {len(graph.nodes):,}")
    graph.before = {name: [] for name in graph.nodes}
    for start, end in dict.fromkeys(edges):  # NIR's edges are a set: one that is listed again is the same
        for name in (start, end):
            if name not in graph.nodes:
                raise failure(
                    path, f"expected edges between nodes of the graph, found {name!r} in ({start!r}, {end!r})"
                )
        graph.before[end].append(start)
    return graph


def _unknown(group: Any, name: str) -> list[tuple[str, str]]:
    kind = group["type"][()] if "type" in group else b"nothing"
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if kind == "NIRGraph":
        inner = group.get("nodes", {})
        return [row for key in inner for row in _unknown(inner[key], f"{name}.{key}".lstrip("."))]
    return [] if kind in _KNOWN else [(name or "node", kind)]


def _check_node(path: Path, name: str, node: Any) -> None:
    """Refuse a node whose fields are no numbers, or no finite ones, or whose metadata is no table."""
    try:
        for key in _FIELDS:
            with damaged(f"numbers as {key} of {name!r}"):
                values = np.asarray(getattr(node, key, 0.0))
                if values.dtype.kind not in "biuf":
                    raise FileError(f"expected numbers as {key} of {name!r}, found something else")
                if not np.isfinite(values).all():
                    raise FileError(f"expected finite values of {key} of {name!r}, found one that is not")
                if key == "delay" and (shortest := values.min(initial=0)) < 0:
                    raise FileError(f"expected delays of at least 0 s of {name!r}, found {shortest:g} s; correct them")
    except FileError as error:
        raise failure(path, str(error)) from None
    if not isinstance(metadata := node.metadata, dict):
        raise failure(path, f"expected metadata of {name!r} as a table, found another value")
    for key in ("parameters", "initial"):
        if not isinstance(metadata.get(key, {}), dict):
            raise failure(path, f"expected {key} in the metadata of {name!r} as a table, found another value")
    if not isinstance(metadata.get("number", 0), int | np.integer):
        raise failure(path, f"expected the number of {name!r} as a whole number, found {metadata['number']!r}")


def _unfold(root: Any, prefix: str, graph: Graph, edges: list[tuple[str, str]], path: Path) -> None:
    """Add the nodes and edges of a graph, those of graphs within it under ``graph.node``."""
    ports: dict[str, tuple[str, str]] = {}
    for key, node in root.nodes.items():
        name = prefix + key
        if name in graph.nodes:
            raise failure(path, f"expected one node of each name, found a second {name!r}; rename it")
        if type(node).__name__ != "NIRGraph":
            graph.nodes[name] = node
            continue
        _unfold(node, f"{name}.", graph, edges, path)
        ends = []
        for what, found in (("Input", list(node.inputs)), ("Output", list(node.outputs))):
            if len(found) != 1:
                raise failure(path, f"expected one {what} of the inner graph {name!r}, found {len(found)}")
            ends.append(f"{name}.{found[0]}")
        ports[key] = (ends[0], ends[1])
    for start, end in root.edges:
        first = ports[start][1] if start in ports else prefix + start
        last = ports[end][0] if end in ports else prefix + end
        edges.append((first, last))


def routes_to(graph: Graph, name: str, sizes: dict[str, int], path: Path) -> list[Route]:
    """Return all that reaches a neuron node, through linear nodes, from neurons, inputs and constants.

    Parameters
    ----------
    graph : Graph
        The graph.
    name : str
        The node.
    sizes : dict of str to int
        Number of channels of the nodes from which routes start.
    path : Path
        Named in errors.

    Raises
    ------
    ExchangeError
        If a route is none that synapses can take.
    """
    found: list[Route] = []
    for before in graph.before[name]:
        found += _routes_from(graph, before, sizes, path, ())
    return found


def _routes_from(graph: Graph, name: str, sizes: dict[str, int], path: Path, after: tuple[str, ...]) -> list[Route]:
    graph.n_steps += 1
    if len(after) > _LONGEST or graph.n_steps > _MOST_STEPS:
        what = f"routes of at most {_LONGEST} nodes, and {_MOST_STEPS:,} steps on all"
        raise failure(
            path, f"expected {what}, found more that reach {after[0] if after else name!r}; simplify the graph"
        )
    if name in after:
        loop = " -> ".join([name, *reversed(after[after.index(name) :])])
        raise failure(path, f"expected neurons in every loop, found none in {loop}")
    kind, node = graph.kind(name), graph.nodes[name]
    if kind in NEURONS or (kind == "Input" and not graph.before[name]):
        every = np.arange(sizes[name])
        return [Route(name, len(every), every, every, np.ones(len(every)), np.zeros(len(every)))]
    routes: list[Route] = []
    for before in graph.before[name]:
        routes += _routes_from(graph, before, sizes, path, (*after, name))
    where = f"{kind} {name!r}"
    match kind:
        case "Delay":
            return [_delayed(r, _channels(node.delay, r, path, where)) for r in routes]
        case "Scale":
            return [_scaled(r, _channels(node.scale, r, path, where)) for r in routes]
        case "Linear" | "Affine":
            weight = np.asarray(node.weight, np.float64)
            if weight.ndim != 2:
                raise failure(path, f"expected weights of two dimensions of {where}, found {weight.ndim}")
            origin = str(node.metadata.get("origin", "local"))
            routes = [_weighted(r, weight, origin, path, where) for r in routes]
            if kind == "Affine":
                every = np.arange(len(weight))
                bias = _for_each(
                    node.bias, len(every), path, f"values as bias of {where}, one for each row of its weights"
                )
                routes.append(Route(None, len(every), every, every, bias, np.zeros(len(every)), weighted=True))
            return routes
        case _:  # Flatten, and the ends of an inner graph: channels are counted as if flat throughout
            return routes


def _channels(values: Any, route: Route, path: Path, where: str) -> Floats:
    return _for_each(values, route.channels, path, f"channels of {where}, as reach it")[route.row]


def _for_each(values: Any, size: int, path: Path, what: str) -> Floats:
    """Return values one by one, where there may be a single one for all."""
    flat = np.asarray(values, np.float64).ravel()
    if len(flat) not in (1, size):
        raise failure(path, f"expected {size} {what}, found {len(flat)}")
    return np.broadcast_to(flat, (size,))


def _delayed(route: Route, delay: Floats) -> Route:
    return replace(route, delay=route.delay + delay)


def _scaled(route: Route, scale: Floats) -> Route:
    return replace(route, weight=route.weight * scale, weighted=True)


def _weighted(route: Route, weight: Floats, origin: str, path: Path, where: str) -> Route:
    channels, before = weight.shape
    if before != route.channels:
        raise failure(path, f"expected {route.channels} columns of {where}, as reach it, found {before}")
    if not np.array_equal(route.row, np.arange(route.channels)):
        if np.unique(route.delay).size > 1:
            raise failure(path, f"expected no second matrix after delays that differ, found {where}; multiply the two")
        first = np.zeros((before, int(route.column.max(initial=-1)) + 1))
        np.add.at(first, (route.row, route.column), route.weight)
        row, column = np.nonzero(product := weight @ first)
        delay = np.full(len(row), route.delay[0] if len(route.delay) else 0.0)
        changed: dict[str, Any] = {"row": row, "column": column, "weight": product[row, column], "delay": delay}
        return replace(route, channels=channels, **changed, weighted=True, origin=origin)
    row, column = np.nonzero(weight)
    return replace(
        route,
        channels=channels,
        row=row,
        column=route.column[column],
        weight=weight[row, column] * route.weight[column],
        delay=route.delay[column],
        weighted=True,
        origin=origin,
    )
