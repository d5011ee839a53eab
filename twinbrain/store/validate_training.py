"""What the root document of a training has to hold."""

from __future__ import annotations

from twinbrain.store.layout import SLOTS
from twinbrain.store.nodes import Document
from twinbrain.store.parts import (
    STATUSES,
    Nodes,
    array,
    check_agrees,
    check_connectome,
    check_functions,
    check_texts,
    group,
    json_attribute,
)
from twinbrain.store.values import Fault, number, of_table, shown, table, text, whole


def check_training(attributes: Document, nodes: Nodes) -> None:
    """Check the attributes, groups and arrays of a training."""
    for key in ("twinbrain_version", "workflow", "task", "rule", "digest", "task_digest"):
        text(of_table(attributes, key, "the attributes"), key)
    for key in ("error", "changed", "created"):
        text(attributes.get(key, ""), key)
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
    spec = json_attribute(attributes, "spec")
    train = table(of_table(spec, "train", "spec"), "train in spec")
    task = table(of_table(train, "task", "train in spec"), "task in spec")
    text(of_table(task, "name", "task in spec"), "the name of the task in spec")
    rule = table(train.get("rule", {}), "rule in spec")
    for key, declared in (("workflow", spec), ("task", task), ("rule", rule)):
        check_agrees({"name": attributes[key]}, declared, ("name",), f"the {key}")
    check_agrees(attributes, table(spec.get("run", {}), "run in spec"), ("seed",), "run")
    check_agrees(attributes, train, ("epochs",), "train")
    check_texts(json_attribute(attributes, "versions"), "versions")
    check_functions(json_attribute(attributes, "task_function", default="{}"), "task_function")
    check_connectome(nodes)
    group(nodes, "curves")
    for path, node in nodes.items():
        names = list(node.get("dimension_names") or ())
        if path.startswith("curves/"):
            array(nodes, path, len(names))
        if path.startswith("curves/") and "epoch" in names and (names[-1] != "epoch" or node["shape"][-1] != n):
            raise Fault(f"{n} epochs as the last dimension of {shown(path)}", "others")
    slot = text(of_table(attributes, "checkpoint", "the attributes"), "checkpoint", ("", *SLOTS))
    if bool(slot) != bool(done):
        raise Fault("a checkpoint once an epoch is done, and none before", shown(slot))
    if slot:
        text(group(nodes, f"checkpoint/{slot}").get("fingerprint", ""), "the fingerprint of the checkpoint")
    if attributes["status"] == "complete":
        group(nodes, "trained")
