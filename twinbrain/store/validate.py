"""What the root document of a run, a sweep or a training has to hold, since its checksum does not say who wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twinbrain.store.layout import SLOTS
from twinbrain.store.location import LARGEST_OBJECT
from twinbrain.store.nodes import TEXT, Document, check_nodes
from twinbrain.store.values import Fault, items, json_items, json_table, number, of_table, shown, table, text, whole

Nodes = dict[str, Document]

STATUSES = ("running", "interrupted", "failed", "complete")
_POPULATIONS = ("label", "region", "family", "name", "transmitter", "model", "start", "size")


def check_root(kind: str, attributes: Document, nodes: Nodes) -> None:
    """Make sure that the attributes, groups and arrays are those of a store of a kind, and agree with each other.

    Parameters
    ----------
    kind : {"run", "sweep", "training"}
        What is kept in the store.
    attributes : dict
        Those of its root, without the checksum.
    nodes : dict of str to dict
        Path of each group and array to its metadata.

    Raises
    ------
    Fault
        At the first that no store of ours has.
    """
    check_nodes(nodes)
    {"run": _check_run, "sweep": _check_sweep, "training": _check_training}[kind](attributes, nodes)


def _check_run(attributes: Document, nodes: Nodes) -> None:
    for key in ("twinbrain_version", "workflow", "engine", "digest"):
        text(of_table(attributes, key, "the attributes"), key)
    for key in ("device", "precision"):
        text(attributes.get(key, ""), key)
    text(of_table(attributes, "status", "the attributes"), "status", STATUSES)
    whole(of_table(attributes, "seed", "the attributes"), "seed")
    for key in ("dt", "duration", "window"):
        number(of_table(attributes, key, "the attributes"), key, above=0.0)
    committed = number(of_table(attributes, "committed", "the attributes"), "committed", least=0.0)
    _json(attributes, "spec")
    _check_texts(_json(attributes, "versions"), "versions")
    for key in ("breakdown", "resumed_with"):
        if key in attributes:
            found = _json(attributes, key)
            _check_texts(found if key == "resumed_with" else {"text": of_table(found, "text", key)}, key)
    if attributes["status"] == "failed":
        of_table(attributes, "breakdown", "the attributes of a run that failed")
    steps = committed / attributes["dt"]
    n_steps = whole(round(steps) if steps < 2**62 else steps, "the number of steps that are committed")
    _check_network(nodes)
    _check_recorded(nodes, n_steps)
    _check_checkpoint(attributes, nodes, n_steps)


def _check_sweep(attributes: Document, nodes: Nodes) -> None:
    for key in ("twinbrain_version", "workflow", "created", "digest", "coordinates"):
        text(of_table(attributes, key, "the attributes"), key)
    text(of_table(attributes, "state", "the attributes"), "state", ("open",))
    n = whole(of_table(attributes, "n_points", "the attributes"), "n_points", 1)
    batch = whole(of_table(attributes, "batch", "the attributes"), "batch", 1)
    spec = _json(attributes, "spec")
    _check_texts(_json(attributes, "versions"), "versions")
    for kind, functions in _json(attributes, "functions", default="{}").items():
        _check_functions(functions, f"functions of kind {shown(kind)}")
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
    results = {name: _shape(given, name) for name, given in _json(attributes, "shapes").items()}
    known = {"status": (), "seconds": (), "error": ()}
    for name, shape in (results | known).items():
        node = _array(nodes, name, 1 + len(shape), "point", (n, *shape))
        if node["chunk_grid"]["configuration"]["chunk_shape"][0] != batch:
            raise Fault(f"objects of {batch} points in {shown(name)}", "others")
        if (node["data_type"] == TEXT) != (name == "error"):
            raise Fault(f"numbers as results and texts as errors in {shown(name)}", shown(node["data_type"]))
    for path, node in nodes.items():
        if node["node_type"] == "array" and "axis" in node["attributes"]:
            _array(nodes, path, 1, "point", (n,))
            text(node["attributes"]["axis"], f"the axis of {shown(path)}", tuple(axes))
    _check_connectome(nodes)


def _check_training(attributes: Document, nodes: Nodes) -> None:
    for key in ("twinbrain_version", "workflow", "task", "rule", "digest", "task_digest"):
        text(of_table(attributes, key, "the attributes"), key)
    text(attributes.get("error", ""), "error")
    text(of_table(attributes, "status", "the attributes"), "status", STATUSES)
    whole(of_table(attributes, "seed", "the attributes"), "seed")
    number(of_table(attributes, "chance", "the attributes"), "chance")
    n = whole(of_table(attributes, "epochs", "the attributes"), "epochs", 1)
    done = whole(of_table(attributes, "epochs_done", "the attributes"), "epochs_done", 0, n)
    whole(attributes.get("best_epoch", 0), "best_epoch", 0, n)
    for key in ("best_loss", "score"):
        if not isinstance(attributes.get(key, 0.0), float):  # of which none need be finite
            number(attributes.get(key, 0.0), key)
    if not isinstance(given := of_table(attributes, "task_given", "the attributes"), bool):
        raise Fault("true or false as task_given", shown(given))
    spec = _json(attributes, "spec")
    train = table(of_table(spec, "train", "spec"), "train in spec")
    task = table(of_table(train, "task", "train in spec"), "task in spec")
    text(of_table(task, "name", "task in spec"), "the name of the task in spec")
    _check_texts(_json(attributes, "versions"), "versions")
    _check_functions(_json(attributes, "task_function", default="{}"), "task_function")
    _check_connectome(nodes)
    _group(nodes, "curves")
    for path, node in nodes.items():
        if path.startswith("curves/") and "epoch" in node["dimension_names"]:
            _array(nodes, path, len(node["shape"]), node["dimension_names"][0])
            if node["dimension_names"].index("epoch") != len(node["shape"]) - 1 or node["shape"][-1] != n:
                raise Fault(f"{n} epochs as the last dimension of {shown(path)}", "others")
    slot = text(of_table(attributes, "checkpoint", "the attributes"), "checkpoint", ("", *SLOTS))
    if bool(slot) != bool(done):
        raise Fault("a checkpoint once an epoch is done, and none before", shown(slot))
    if slot:
        text(_group(nodes, f"checkpoint/{slot}").get("fingerprint", ""), "the fingerprint of the checkpoint")
    if attributes["status"] == "complete":
        _group(nodes, "trained")


def _check_network(nodes: Nodes) -> None:
    network = _group(nodes, "network")
    for key in ("n_neurons", "n_synapses"):
        whole(of_table(network, key, "the attributes of network"), key)
    n = _array(nodes, "network/label", 1, "population")["shape"][0]
    for name in _POPULATIONS:
        node = _array(nodes, f"network/{name}", 1, "population", (n,))
        if (node["data_type"] == TEXT) == (name in ("start", "size")):
            raise Fault(f"names as texts and places as numbers in network/{name}", shown(node["data_type"]))
    _check_connectome(nodes)


def _check_connectome(nodes: Nodes) -> None:
    _group(nodes, "connectome")
    _array(nodes, "connectome/weight", 2, "target")


def _check_recorded(nodes: Nodes, n_steps: int) -> None:
    """Check that what is recorded is of so many steps."""
    n_populations = nodes["network/label"]["shape"][0]
    every = whole(of_table(_group(nodes, "rate"), "bin_steps", "the attributes of rate"), "bin_steps", 1)
    _array(nodes, "rate/time", 1, "time", (-(-n_steps // every),))
    _array(nodes, "rate/rate", 2, "time", (-(-n_steps // every), n_populations))
    if "spikes" in nodes:
        spikes = _group(nodes, "spikes")
        number(of_table(spikes, "dt", "the attributes of spikes"), "dt", above=0.0)
        every = whole(of_table(spikes, "window_steps", "the attributes of spikes"), "window_steps", 1)
        _array(nodes, "spikes/window_start", 1, "window", (-(-n_steps // every),))
        shape = _array(nodes, "spikes/time_step", 1, "spike")["shape"]
        _array(nodes, "spikes/neuron", 1, "spike", tuple(shape))
    _group(nodes, "state")
    for path, node in nodes.items():
        if path.startswith("state/") and node["node_type"] == "group":
            every = whole(of_table(node["attributes"], "every", f"the attributes of {shown(path)}"), "every", 1)
            variable = text(of_table(node["attributes"], "variable", f"the attributes of {shown(path)}"), "variable")
            n_neurons = _array(nodes, f"{path}/neuron", 1, "neuron")["shape"][0]
            _array(nodes, f"{path}/time", 1, "time", (n_steps // every,))
            _array(nodes, f"{path}/{variable}", 2, "time", (n_steps // every, n_neurons))


def _check_checkpoint(attributes: Document, nodes: Nodes, n_steps: int) -> None:
    slot = text(of_table(attributes, "checkpoint", "the attributes"), "checkpoint", ("", *SLOTS))
    _group(nodes, "checkpoint")
    if bool(slot) != bool(n_steps):
        raise Fault("a checkpoint once something is committed, and none before", shown(slot))
    if not slot:
        return
    path = f"checkpoint/{slot}"
    own = _group(nodes, path)
    whole(of_table(own, "step", f"the attributes of {path}"), f"the step of {path}", n_steps, n_steps)
    text(own.get("fingerprint", ""), f"the fingerprint of {path}")
    for name, crc in table(own.get("last_rows", {}), f"last_rows of {path}").items():
        whole(crc, f"last_rows of {shown(name)}", 0, 2**32 - 1)
    n_under_way = _array(nodes, f"{path}/under_way_step", 1)["shape"][0]
    for name, node in nodes.items():
        if name.startswith(f"{path}/"):
            under_way = name.removeprefix(f"{path}/") in ("under_way_step", "under_way_neuron")
            _array(nodes, name, 1, shape=(n_under_way,) if under_way else None)
            text(node["data_type"], f"the type of {shown(name)}", ("int32",) if under_way else ("float64",))
    _array(nodes, f"{path}/under_way_neuron", 1)


def _group(nodes: Nodes, path: str) -> Document:
    """Return the attributes of a group that has to be there."""
    if nodes.get(path, {}).get("node_type") != "group":
        raise Fault(f"a group {shown(path)}", "none")
    found: Document = nodes[path]["attributes"]
    return found


def _array(
    nodes: Nodes, path: str, n_dimensions: int, first: str | None = None, shape: tuple[int, ...] | None = None
) -> Document:
    """Return an array that has to be there, with so many dimensions, the first of that name, and that shape."""
    node = nodes.get(path, {})
    if node.get("node_type") != "array":
        raise Fault(f"an array {shown(path)}", "none")
    if len(node["shape"]) != n_dimensions or (first and (node.get("dimension_names") or [None])[0] != first):
        along = f", the first of them {first}" if first else ""
        raise Fault(f"{n_dimensions} dimensions of {shown(path)}{along}", "others")
    if shape is not None and tuple(node["shape"]) != shape:
        raise Fault(f"the shape {shape} of {shown(path)}", f"{tuple(node['shape'])}")
    return node


def _json(attributes: Document, key: str, default: str | None = None) -> Document:
    """Return the table that an attribute holds as JSON."""
    found = of_table(attributes, key, "the attributes") if default is None else attributes.get(key, default)
    return json_table(found, f"the attribute {key}", LARGEST_OBJECT)


def _check_texts(found: Document, what: str) -> None:
    for value in found.values():
        text(value, f"what {what} holds")


def _check_functions(found: object, what: str) -> None:
    """Check what a store keeps of functions: of each, texts by name."""
    for name, told in table(found, what).items():
        _check_texts(table(told, f"{shown(name)} in {what}"), what)


def _axes(attributes: Document) -> Iterator[tuple[str, int]]:
    """Yield the name and the length of each axis of a sweep."""
    for axis in json_items(of_table(attributes, "axes", "the attributes"), "the attribute axes", LARGEST_OBJECT):
        name = text(of_table(table(axis, "an axis"), "name", "an axis"), "the name of an axis")
        columns = table(of_table(axis, "columns", "an axis"), f"columns of {shown(name)}").values()
        labels = [text(label, f"a label of {shown(name)}") for label in items(axis.get("labels", []), "labels")]
        lengths = {len(items(values, f"values of {shown(name)}")) for values in columns} | {len(labels or ())}
        lengths -= set() if labels else {0}
        if len(lengths) != 1:
            raise Fault(f"values of the axis {shown(name)}, as many of each key", "others")
        yield name, lengths.pop()


def _shape(value: object, name: str) -> tuple[int, ...]:
    return tuple(whole(length, f"the shape of {shown(name)}") for length in items(value, f"the shape of {shown(name)}"))
