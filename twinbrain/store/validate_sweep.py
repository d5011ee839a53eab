"""What the root document of a sweep has to hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twinbrain.store.location import LARGEST_OBJECT
from twinbrain.store.nodes import TEXT, Document
from twinbrain.store.parts import (
    Nodes,
    array,
    check_agrees,
    check_connectome,
    check_functions,
    check_texts,
    json_attribute,
)
from twinbrain.store.values import Fault, items, json_items, of_table, shown, table, text, whole


def check_sweep(attributes: Document, nodes: Nodes) -> None:
    """Check the attributes, groups and arrays of a sweep."""
    for key in ("twinbrain_version", "workflow", "created", "digest", "coordinates"):
        text(of_table(attributes, key, "the attributes"), key)
    text(of_table(attributes, "state", "the attributes"), "state", ("open",))
    n = whole(of_table(attributes, "n_points", "the attributes"), "n_points", 1)
    batch = whole(of_table(attributes, "batch", "the attributes"), "batch", 1)
    spec = json_attribute(attributes, "spec")
    check_agrees({"name": attributes["workflow"]}, spec, ("name",), "the workflow")
    check_texts(json_attribute(attributes, "versions"), "versions")
    for kind, functions in json_attribute(attributes, "functions", default="{}").items():
        check_functions(functions, f"functions of kind {shown(kind)}")
    if not isinstance(kept := table(of_table(spec, "sweep", "spec"), "sweep in spec").get("keep_runs"), bool):
        raise Fault("true or false as keep_runs in spec", shown(kept))
    if (train := of_table(spec, "train", "spec")) is not None:
        table(train, "train in spec")
    text(of_table(table(of_table(spec, "run", "spec"), "run in spec"), "device", "run in spec"), "device")
    axes = dict(_axes(attributes))
    if math.prod(axes.values()) != n:
        raise Fault(f"axes of {n} points", f"{math.prod(axes.values())}")
    dims = items(of_table(attributes, "dims", "the attributes"), "dims")
    if sorted(map(shown, dims)) != sorted(map(shown, axes)):
        raise Fault("the names of the axes as dims", "others")
    results = {name: _shape(given, name) for name, given in json_attribute(attributes, "shapes").items()}
    known = {"status": (), "seconds": (), "error": ()}
    for name, shape in (results | known).items():
        node = array(nodes, name, 1 + len(shape), "point", (n, *shape))
        if node["chunk_grid"]["configuration"]["chunk_shape"][0] != batch:
            raise Fault(f"objects of {batch} points in {shown(name)}", "others")
        if (node["data_type"] == TEXT) != (name == "error"):
            raise Fault(f"numbers as results and texts as errors in {shown(name)}", shown(node["data_type"]))
    for path, node in nodes.items():
        if node["node_type"] == "array" and "axis" in node["attributes"]:
            array(nodes, path, 1, "point", (n,))
            text(node["attributes"]["axis"], f"the axis of {shown(path)}", tuple(axes))
    check_connectome(nodes)


def _axes(attributes: Document) -> Iterator[tuple[str, int]]:
    """Yield the name and the length of each axis of a sweep."""
    for axis in json_items(of_table(attributes, "axes", "the attributes"), "the attribute axes", LARGEST_OBJECT):
        name = text(of_table(table(axis, "an axis"), "name", "an axis"), "the name of an axis")
        keys = table(of_table(axis, "columns", "an axis"), f"columns of {shown(name)}")
        columns = keys.values()
        labels = [text(label, f"a label of {shown(name)}") for label in items(axis.get("labels", []), "labels")]
        lengths = {len(items(values, f"values of {shown(name)}")) for values in columns} | {len(labels or ())}
        lengths -= set() if labels else {0}
        if len(lengths) != 1:
            raise Fault(f"values of the axis {shown(name)}, as many of each key", "others")
        order = items(axis.get("order", []), f"the order of {shown(name)}")
        if len(order) not in (0, len(labels)):
            raise Fault(f"an order of the keys of each case of {shown(name)}", f"{len(order)}")
        for own in order:
            for key in items(own, f"the order of a case of {shown(name)}"):
                text(key, f"a key in the order of {shown(name)}", tuple(keys))
        yield name, lengths.pop()


def _shape(value: object, name: str) -> tuple[int, ...]:
    return tuple(whole(length, f"the shape of {shown(name)}") for length in items(value, f"the shape of {shown(name)}"))
