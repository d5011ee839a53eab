"""What the root document of a run has to hold."""

from __future__ import annotations

from twinbrain.spec.population import MOST_NEURONS
from twinbrain.store.layout import INDEX_INTERVAL, SLOTS
from twinbrain.store.nodes import TEXT, Document
from twinbrain.store.parts import (
    STATUSES,
    Nodes,
    array,
    check_agrees,
    check_connectome,
    check_texts,
    group,
    json_attribute,
)
from twinbrain.store.values import LARGEST_NUMBER, Fault, number, of_table, shown, table, text, whole

_POPULATIONS = ("label", "region", "family", "name", "transmitter", "model", "start", "size")


def check_run(attributes: Document, nodes: Nodes) -> None:
    """Check the attributes, groups and arrays of a run."""
    for key in ("twinbrain_version", "workflow", "engine", "digest"):
        text(of_table(attributes, key, "the attributes"), key)
    for key in ("device", "precision", "created"):
        text(attributes.get(key, ""), key)
    text(of_table(attributes, "status", "the attributes"), "status", STATUSES)
    whole(of_table(attributes, "seed", "the attributes"), "seed")
    for key in ("dt", "duration", "window"):
        number(of_table(attributes, key, "the attributes"), key, above=0.0)
    committed = number(of_table(attributes, "committed", "the attributes"), "committed", least=0.0)
    spec = json_attribute(attributes, "spec")
    check_texts(json_attribute(attributes, "versions"), "versions")
    for key in ("breakdown", "resumed_with"):
        if key in attributes:
            found = json_attribute(attributes, key)
            check_texts(found if key == "resumed_with" else {"text": of_table(found, "text", key)}, key)
    if attributes["status"] == "failed":
        of_table(attributes, "breakdown", "the attributes of a run that failed")
    _check_spec(attributes, nodes, spec)
    steps = committed / attributes["dt"]
    n_steps = whole(round(steps) if steps < 2**62 else steps, "the number of steps that are committed")
    whole_run = abs(committed - attributes["duration"]) < attributes["dt"] / 2
    if not whole_run and attributes["status"] == "complete":
        raise Fault(f"a run that is complete to have {attributes['duration']:g} ms committed", shown(committed))
    if whole_run and attributes["status"] in ("running", "interrupted"):
        raise Fault("a run that is not complete to lack a part of its duration", shown(committed))
    _check_network(nodes)
    _check_recorded(nodes, n_steps)
    _check_checkpoint(attributes, nodes, n_steps)


def _check_spec(attributes: Document, nodes: Nodes, spec: Document) -> None:
    """Check that attributes and groups are those of the declaration, as far as it goes."""
    run, record = table(spec.get("run", {}), "run in spec"), table(spec.get("record", {}), "record in spec")
    check_agrees({"name": attributes["workflow"]}, spec, ("name",), "the workflow")
    check_agrees(attributes, run, ("seed", "engine", "device", "precision"), "run")
    dt = attributes["dt"]
    for key in sorted({"dt", "duration", "window"} & set(run)):
        wanted = _milliseconds(run[key], f"{key} of run in spec")
        if key == "window":
            wanted = min(wanted, attributes["duration"])
        _check_close(attributes[key], wanted, key)
    if "rate_bin" in record:
        every = whole(of_table(group(nodes, "rate"), "bin_steps", "the attributes of rate"), "bin_steps", 1)
        _check_close(dt * every, _milliseconds(record["rate_bin"], "rate_bin of record in spec"), "dt times bin_steps")
    if "spikes" in nodes:
        steps = max(1, round(min(INDEX_INTERVAL / dt, LARGEST_NUMBER)))
        check_agrees(group(nodes, "spikes"), {"dt": dt, "window_steps": steps}, ("dt", "window_steps"), "run")


def _milliseconds(value: object, what: str) -> float:
    """Return a duration as declarations write it, such as "0.1 ms"."""
    try:
        return number(float(text(value, what).removesuffix(" ms")), what, above=0.0)
    except ValueError:
        raise Fault(f"a duration in ms as {what}", shown(value)) from None


def _check_close(found: float, expected: float, what: str) -> None:
    if not abs(found - expected) <= 1e-6 * expected:
        raise Fault(f"{expected:g} ms as {what}, as spec has it", shown(found))


def _check_network(nodes: Nodes) -> None:
    network = group(nodes, "network")
    for key, most in (("n_neurons", MOST_NEURONS), ("n_synapses", LARGEST_NUMBER)):
        whole(of_table(network, key, "the attributes of network"), key, 0, most)
    n = array(nodes, "network/label", 1, "population")["shape"][0]
    for name in _POPULATIONS:
        kind = "int" if name in ("start", "size") else TEXT
        array(nodes, f"network/{name}", 1, "population", (n,), kind)
    check_connectome(nodes)


def _check_recorded(nodes: Nodes, n_steps: int) -> None:
    """Check that what is recorded is of so many steps."""
    n_populations = nodes["network/label"]["shape"][0]
    every = whole(of_table(group(nodes, "rate"), "bin_steps", "the attributes of rate"), "bin_steps", 1)
    number(group(nodes, "rate").get("bin", 1.0), "bin", above=0.0)
    array(nodes, "rate/time", 1, "time", (-(-n_steps // every),), "float")
    array(nodes, "rate/rate", 2, "time", (-(-n_steps // every), n_populations), "float")
    if "spikes" in nodes:
        spikes = group(nodes, "spikes")
        number(of_table(spikes, "dt", "the attributes of spikes"), "dt", above=0.0)
        every = whole(of_table(spikes, "window_steps", "the attributes of spikes"), "window_steps", 1)
        index = array(nodes, "spikes/window_start", 1, "window", (-(-n_steps // every),), "int")
        whole(index["attributes"].get("window_steps", every), "window_steps of spikes/window_start", every, every)
        shape = array(nodes, "spikes/time_step", 1, "spike", kind="int")["shape"]
        array(nodes, "spikes/neuron", 1, "spike", tuple(shape), "int")
    group(nodes, "state")
    for path, node in nodes.items():
        if path.startswith("state/") and node["node_type"] == "group":
            every = whole(of_table(node["attributes"], "every", f"the attributes of {shown(path)}"), "every", 1)
            variable = text(of_table(node["attributes"], "variable", f"the attributes of {shown(path)}"), "variable")
            n_neurons = array(nodes, f"{path}/neuron", 1, "neuron", kind="int")["shape"][0]
            array(nodes, f"{path}/time", 1, "time", (n_steps // every,), "float")
            array(nodes, f"{path}/{variable}", 2, "time", (n_steps // every, n_neurons), "float")


def _check_checkpoint(attributes: Document, nodes: Nodes, n_steps: int) -> None:
    slot = text(of_table(attributes, "checkpoint", "the attributes"), "checkpoint", ("", *SLOTS))
    group(nodes, "checkpoint")
    if bool(slot) != bool(n_steps):
        raise Fault("a checkpoint once something is committed, and none before", shown(slot))
    if not slot:
        return
    path = f"checkpoint/{slot}"
    own = group(nodes, path)
    whole(of_table(own, "step", f"the attributes of {path}"), f"the step of {path}", n_steps, n_steps)
    text(own.get("fingerprint", ""), f"the fingerprint of {path}")
    for name, crc in table(own.get("last_rows", {}), f"last_rows of {path}").items():
        whole(crc, f"last_rows of {shown(name)}", 0, 2**32 - 1)
    n_under_way = array(nodes, f"{path}/under_way_step", 1)["shape"][0]
    for name, node in nodes.items():
        if name.startswith(f"{path}/"):
            under_way = name.removeprefix(f"{path}/") in ("under_way_step", "under_way_neuron")
            array(nodes, name, 1, shape=(n_under_way,) if under_way else None)
            text(node["data_type"], f"the type of {shown(name)}", ("int32",) if under_way else ("float64",))
    array(nodes, f"{path}/under_way_neuron", 1)
