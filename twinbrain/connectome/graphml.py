"""GraphML, with the keys of the Connectome Mapper and braingraph.org.

An edge u → v is ``weight[target=v, source=u]``; an edge of an undirected graph goes both ways.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from twinbrain.connectome.lengths import CENTROIDS, check_regions, lengths_between
from twinbrain.connectome.place import reading
from twinbrain.errors import ConnectomeError
from twinbrain.files import check_size, damaged, number, read_bytes
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_NUMERIC = ("int", "long", "float", "double")
_NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"
_LARGEST = 32_000_000
_ELEMENT, _ATTRIBUTE = 20, 4  # bytes that one has at least where it says something
_DIRECTED = {"directed": ("true", "1"), "undirected": ("false", "0")}
_LABEL = ("dn_name", "dn_label", "label", "name")
_WEIGHT = ("weight", "number_of_fibers", "fiber_weight_mean")
_LENGTH = ("fiber_length_mean", "length")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")  # or, as \r, not kept by it
_POSITION = ("dn_position_x", "dn_position_y", "dn_position_z")


def read_graphml(
    path: str | Path, *, label: str | None = None, weight: str | None = None, length: str | None = None
) -> Connectome:
    """Return the connectome in a GraphML file.

    Parameters
    ----------
    path : str or Path
    label : str, optional
        Key of a node's label; by default the first of ``dn_name``, ``dn_label``, ``label`` and ``name`` that every
        node has. ``"id"`` takes the identifiers of the nodes.
    weight, length : str, optional
        Keys of an edge's weight (``weight``, ``number_of_fibers``, ``fiber_weight_mean``) and tract length in mm
        (``fiber_length_mean``, ``length``); ``length="centroids"`` takes the straight lines between the positions.

    Raises
    ------
    ConnectomeError
        If the file is damaged, lacks labels, weights or lengths, or holds some that cannot be right.
    """
    from networkx.readwrite.graphml import GraphMLReader

    path = user_path(path)
    with reading(path):
        data = read_bytes(path, _LARGEST)
        _check_elements(data)
        with damaged("GraphML"):
            tree = ElementTree.fromstring(data)
        _in_namespace(tree)
        _check_single(tree)
        _spread_defaults(tree)
        _check_edges(tree)
        _check_numbers(tree)
        with damaged("GraphML"):
            reader = GraphMLReader()
            graph = reader.make_graph(tree.find(f"{_NAMESPACE}graph"), *reader.find_graphml_keys(tree))
        return _connectome(graph, path.stem, label, weight, length)


def _check_elements(data: bytes) -> None:
    """Refuse declarations, which could make a small file endless, and more elements than such a file can use."""
    total = 0

    def declared(_name: str, _system: str | None, _public: str | None, inside: bool) -> None:
        if inside:
            raise ConnectomeError("expected GraphML without declarations, found some in <!DOCTYPE>; take them out")

    def started(_name: str, attributes: list[str]) -> None:
        nonlocal total
        total += _ELEMENT + _ATTRIBUTE * (len(attributes) // 2)
        if total > _LARGEST:
            check_size(total, _LARGEST, "elements of GraphML")

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = declared, started
    with damaged("GraphML"):
        parser.Parse(data, True)


def _in_namespace(tree: ElementTree.Element) -> None:
    """Put all that is in the namespace of the root, if in any, into that of GraphML."""
    namespace, brace, name = tree.tag.rpartition("}")
    if name != "graphml":
        raise ConnectomeError(f"expected GraphML, found <{name}>; save it as GraphML")
    if (prefix := namespace + brace) != _NAMESPACE:
        for element in tree.iter():
            if element.tag.startswith(prefix) and "}" not in (name := element.tag.removeprefix(prefix)):
                element.tag = _NAMESPACE + name


def _check_single(tree: ElementTree.Element) -> None:
    """Refuse what stands twice, of which one would win."""

    def check(what: str, names: list[str | None]) -> None:
        if len(set(names)) < len(names):
            twice = next(name for name, n in Counter(names).items() if n > 1)
            raise ConnectomeError(f"expected {what}, found {twice!r} twice; take one out")

    if (n := len(list(tree.iter(f"{_NAMESPACE}graph")))) != 1:
        raise ConnectomeError(f"expected one <graph>, found {n}; keep one")
    check("nodes of different ids", [node.get("id") for node in tree.iter(f"{_NAMESPACE}node")])
    keys = list(tree.iter(f"{_NAMESPACE}key"))
    check("keys of different ids", [key.get("id") for key in keys])
    # Several keys may have one name: some programs write one for whole numbers, and one for others.
    names = {key.get("id"): key.get("attr.name") or key.get("id") for key in keys}
    defaults = [key for key in keys if key.find(f"{_NAMESPACE}default") is not None]
    kinds = [(kind, key.get("attr.name")) for key in defaults for kind in _kinds_of(key)]
    check("one <default> of each name", [f"{kind} {name}" for kind, name in kinds])
    for kind in ("graph", "node", "edge"):
        for element in tree.iter(_NAMESPACE + kind):
            found = [data.get("key") for data in element.findall(f"{_NAMESPACE}data")]
            check(f"one <data> of each key in a <{kind}>", found)
            check(f"one <data> of each name in a <{kind}>", [names.get(key, key) for key in found])


def _kinds_of(key: ElementTree.Element) -> tuple[str, ...]:
    """Return what a key is for; without a word, for all."""
    kind = key.get("for", "all")
    return ("graph", "node", "edge") if kind == "all" else (kind,)


def _spread_defaults(tree: ElementTree.Element) -> None:
    """Write out those defaults that networkx takes no notice of: of keys for all, and of the graph."""
    graph = next(tree.iter(f"{_NAMESPACE}graph"))
    names = {key.get("id"): key.get("attr.name") for key in tree.iter(f"{_NAMESPACE}key")}
    given = {names.get(data.get("key")) for data in graph.findall(f"{_NAMESPACE}data")}
    for key in list(tree.iter(f"{_NAMESPACE}key")):
        default, kinds = key.find(f"{_NAMESPACE}default"), _kinds_of(key)
        if default is None:
            continue
        if "graph" in kinds and key.get("attr.name") not in given:
            ElementTree.SubElement(graph, f"{_NAMESPACE}data", key=key.get("id", "")).text = default.text
        if len(kinds) > 1:
            key.set("for", "edge")
            of_nodes = deepcopy(key)
            of_nodes.attrib |= {"for": "node", "id": f"{key.get('id')} of nodes"}
            tree.insert(0, of_nodes)


def _check_edges(tree: ElementTree.Element) -> None:
    """Refuse edges of which it is not plain whether they go one way or both, and those to nowhere."""
    nodes = {node.get("id") for node in tree.iter(f"{_NAMESPACE}node")}
    graph = next(tree.iter(f"{_NAMESPACE}graph"))
    default = graph.get("edgedefault")
    if (kind := (default or "").strip().lower()) not in _DIRECTED:
        raise ConnectomeError(f"expected edgedefault of <graph> as {' or '.join(_DIRECTED)}, found {default!r}; add it")
    graph.set("edgedefault", kind)
    for edge in tree.iter(f"{_NAMESPACE}edge"):
        own = edge.attrib.pop("directed", None)
        if own is not None and own.strip().lower() not in _DIRECTED[kind]:
            raise ConnectomeError(f"expected edges that are all {kind}, found directed={own!r}; make them alike")
        for end in (edge.get("source"), edge.get("target")):
            if end not in nodes:
                raise ConnectomeError(f"expected edges between the nodes, found one of {end!r}; add that node")


def _check_numbers(tree: ElementTree.Element) -> None:
    """Refuse what is to be a number and is none for us, though it is for Python."""
    keys = {key.get("id"): key for key in tree.iter(f"{_NAMESPACE}key") if key.get("attr.type") in _NUMERIC}
    places = [(key, default) for key in keys.values() for default in key.iter(f"{_NAMESPACE}default")]
    places += [(keys[data.get("key")], data) for data in tree.iter(f"{_NAMESPACE}data") if data.get("key") in keys]
    for key, data in places:
        try:
            number(data.text or "")
        except ValueError:
            raise ConnectomeError(f"expected a number as {key.get('attr.name')}, found {data.text!r}") from None


def _connectome(graph: Any, stem: str, label: str | None, weight: str | None, length: str | None) -> Connectome:
    if graph.is_multigraph():
        raise ConnectomeError("expected at most one edge from node to node, found several; add them up first")
    defaults = {kind: graph.graph.get(f"{kind}_default", {}) for kind in ("node", "edge")}
    nodes: list[dict[str, Any]] = [defaults["node"] | data | {"id": node} for node, data in graph.nodes(data=True)]
    between = [(source, target, defaults["edge"] | data) for source, target, data in graph.edges(data=True)]
    edges = [data for _, _, data in between]
    label_key = _key(nodes, "node", "label", label, _LABEL)
    keys = [_key(edges, "edge", "weight", weight, _WEIGHT)]
    positions = [_column(nodes, key) for key in _POSITION]
    centroids = None if None in positions else np.array(positions).T
    if length != CENTROIDS:
        keys.append(_key(edges, "edge", "length", length, _LENGTH))
    check_regions(len(nodes))
    index = {node: i for i, node in enumerate(graph)}
    matrices = np.zeros((2, len(nodes), len(nodes)))
    for source, target, data in between:
        i, j = index[target], index[source]
        try:
            if any(isinstance(data[key], bool) for key in keys):
                raise TypeError
            matrices[: len(keys), i, j] = [
                number(found) if isinstance(found := data[key], str) else found for key in keys
            ]
        except (ValueError, TypeError):
            raise ConnectomeError(f"edge {source} → {target}: expected numbers as {keys}, found {data}") from None
        if not graph.is_directed():
            matrices[:, j, i] = matrices[:, i, j]
    regions = _column(nodes, "dn_region")
    return Connectome(
        matrices[0],
        lengths_between(centroids) if length == CENTROIDS else matrices[1],
        [str(node[label_key]) for node in nodes],
        centroids=centroids,
        hemisphere=_column(nodes, "dn_hemisphere"),
        cortical=None if regions is None else [_is_cortical(region) for region in regions],
        area=_column(nodes, "dn_area"),
        name=str(graph.graph.get("name", stem)),
        normalisation=str(graph.graph.get("normalisation", "none")),
    )


def _is_cortical(region: Any) -> bool:
    if (found := str(region).strip().lower()) not in ("cortical", "subcortical"):
        raise ConnectomeError(f"expected dn_region as 'cortical' or 'subcortical', found {region!r}; rename it")
    return found == "cortical"


def _key(items: list[dict[str, Any]], what: str, role: str, given: str | None, known: tuple[str, ...]) -> str:
    names = known if given is None else (given,)
    for name in names:
        if all(name in item for item in items):
            return name
    found = sorted({key for item in items for key in item} - {"id"})
    raise ConnectomeError(
        f"expected a {role} on every {what}, as {' or '.join(names)}; found the keys {', '.join(found) or 'none'}; "
        f'say which it is: {role}="..."' + (' ("id" for the identifiers)' if role == "label" else "")
    )


def _column(nodes: list[dict[str, Any]], key: str) -> list[Any] | None:
    """Return the attribute of every node, or None where no node has it."""
    lacking = [str(node["id"]) for node in nodes if key not in node]
    if len(lacking) == len(nodes):
        return None
    if lacking:
        raise ConnectomeError(f"expected {key} on every node or on none, found none on {', '.join(lacking[:5])}")
    return [node[key] for node in nodes]


def encode_graphml(connectome: Connectome) -> bytes:
    """Return the file that `read_graphml` reads into an equal connectome.

    Raises
    ------
    ConnectomeError
        If its name has characters that XML does not know.
    """
    import networkx as nx

    for text in (connectome.name, connectome.normalisation):
        if _NOT_IN_XML.search(text):
            raise ConnectomeError(f"GraphML knows no control characters, found {text!r}; rename it, or write .npz")
    graph = nx.DiGraph(name=connectome.name, normalisation=connectome.normalisation)
    columns: dict[str, list[Any]] = {"dn_name": connectome.labels}
    if connectome.centroids is not None:
        columns |= dict(zip(_POSITION, connectome.centroids.values.T.tolist(), strict=True))
    if connectome.hemisphere is not None:
        columns["dn_hemisphere"] = connectome.hemisphere.values.tolist()
    if connectome.cortical is not None:
        columns["dn_region"] = ["cortical" if flag else "subcortical" for flag in connectome.cortical.values]
    if connectome.area is not None:
        columns["dn_area"] = connectome.area.values.tolist()
    for i, row in enumerate(zip(*columns.values(), strict=True), start=1):
        graph.add_node(str(i), **dict(zip(columns, row, strict=True)))
    weight, length = connectome.weight.values, connectome.length.values
    # A length without a weight is kept too: some connectomes know the distance of regions that are not connected.
    for target, source in np.argwhere((weight > 0) | (length > 0)).tolist():
        about = {"weight": float(weight[target, source]), "fiber_length_mean": float(length[target, source])}
        graph.add_edge(str(source + 1), str(target + 1), **about)
    buffer = io.BytesIO()
    nx.write_graphml(graph, buffer)
    return buffer.getvalue()
