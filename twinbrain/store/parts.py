"""Parts of a root document that stores of several kinds have, each of which is as it should be or a fault."""

from __future__ import annotations

from collections.abc import Collection

from twinbrain.store.location import LARGEST_OBJECT
from twinbrain.store.nodes import Document
from twinbrain.store.values import Fault, json_table, of_table, shown, table, text

Nodes = dict[str, Document]

# Attributes by which xarray makes other values of those that are there, and units that are times to it.
_DECODED = {"scale_factor", "add_offset", "missing_value", "_Unsigned", "dtype"}
_TIMES = {"days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"}
STATUSES = ("running", "interrupted", "failed", "complete")


def group(nodes: Nodes, path: str) -> Document:
    """Return the attributes of a group that has to be there."""
    if nodes.get(path, {}).get("node_type") != "group":
        raise Fault(f"a group {shown(path)}", "none")
    found: Document = nodes[path]["attributes"]
    return found


def array(
    nodes: Nodes,
    path: str,
    n_dimensions: int,
    first: str | None = None,
    shape: tuple[int, ...] | None = None,
    kind: str = "",
) -> Document:
    """Return an array that has to be there, with so many dimensions, the first of that name, that shape and kind.

    A kind is a part of the name of a data type, as ``"int"``; its numbers are also those that xarray makes of them.
    """
    node = nodes.get(path, {})
    if node.get("node_type") != "array":
        raise Fault(f"an array {shown(path)}", "none")
    if len(node["shape"]) != n_dimensions or (first and (node.get("dimension_names") or [None])[0] != first):
        along = f", the first of them {first}" if first else ""
        raise Fault(f"{n_dimensions} dimensions of {shown(path)}{along}", "others")
    if shape is not None and tuple(node["shape"]) != shape:
        raise Fault(f"the shape {shape} of {shown(path)}", f"{tuple(node['shape'])}")
    if kind not in node["data_type"]:
        raise Fault(f"{shown(path)} of the kind {kind}", shown(node["data_type"]))
    if kind:
        _check_plain(node["attributes"], kind, path)
    return node


def _check_plain(attributes: Document, kind: str, path: str) -> None:
    """Check that xarray takes an array for what it is: no attribute says that it stands for other values."""
    units = attributes.get("units", "")
    is_time = isinstance(units, str) and (" since " in units or units in _TIMES)
    found = sorted(set(attributes) & (_DECODED | ({"_FillValue"} if kind == "int" else set())))
    if found or is_time:
        raise Fault(f"{shown(path)} as plain values", f"the attribute {found[0] if found else 'units'}")


def json_attribute(attributes: Document, key: str, default: str | None = None) -> Document:
    """Return the table that an attribute holds as JSON."""
    found = of_table(attributes, key, "the attributes") if default is None else attributes.get(key, default)
    return json_table(found, f"the attribute {key}", LARGEST_OBJECT)


def check_agrees(attributes: Document, declared: Document, keys: Collection[str], where: str) -> None:
    """Check that attributes say what the declaration says, as far as both do."""
    for key in keys:
        if key in attributes and key in declared and attributes[key] != declared[key]:
            raise Fault(f"{shown(declared[key])} as {key}, as {where} in spec has it", shown(attributes[key]))


def check_texts(found: Document, what: str) -> None:
    """Check that a table holds texts alone."""
    for value in found.values():
        text(value, f"what {what} holds")


def check_functions(found: object, what: str) -> None:
    """Check what a store keeps of functions: of each, texts by name, and as JSON, digests of what it was given."""
    for name, told in table(found, what).items():
        check_texts(table(told, f"{shown(name)} in {what}"), what)
        given = f"what {shown(name)} was given, in {what}"
        check_texts(json_table(told.get("given", "{}"), given, LARGEST_OBJECT), given)


def check_connectome(nodes: Nodes) -> None:
    """Check that there is a connectome."""
    group(nodes, "connectome")
    array(nodes, "connectome/weight", 2, "target", kind="float")
