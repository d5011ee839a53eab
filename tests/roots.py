"""Root documents of stores, changed as no damage would: with a checksum that fits."""

import json
import re

import numpy as np
from zarr.core.sync import sync
from zarr.storage import LocalStore

from twinbrain.store.arrays import array_at, encoded, fingerprint
from twinbrain.store.root import CHECKSUM, KEY, Root


def training_attributes():
    """Attributes of a training of four epochs that has not begun."""
    texts = dict.fromkeys(("twinbrain_version", "workflow", "task", "rule", "digest", "task_digest"), "example")
    spec = {"train": {"task": {"name": "example"}}}
    numbers = {"seed": 0, "epochs": 4, "chance": 0.5, "task_given": True}
    return texts | numbers | {"spec": json.dumps(spec), "versions": "{}"}


def edit_root(path, **attributes):
    """Give the store at ``path`` other attributes."""
    document = json.loads((path / KEY).read_text())
    found = document["attributes"] | attributes
    del found[CHECKSUM]
    (path / KEY).write_bytes(Root(found, document["consolidated_metadata"]["metadata"]).encode())


def stored_files(path):
    """Return the bytes of each file of a store, without what names its creation."""
    files = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    return files | {KEY: re.sub(rb'"(checksum|created)": "\w+"', b"", files[KEY])}


def of_root(path):
    """Return the attributes and the nodes of the store at ``path``."""
    document = json.loads((path / KEY).read_text())
    return document["attributes"], document["consolidated_metadata"]["metadata"]


def slot_of(path):
    """Return the path of the checkpoint that is valid."""
    return f"checkpoint/{of_root(path)[0]['checkpoint']}"


def read(path, name, nodes=None):
    """Return an array of the store at ``path``."""
    node = (nodes or of_root(path)[1])[name]
    return np.asarray(sync(array_at(LocalStore(path), name, node).getitem(...)))


def rewrite(path, arrays, *, change=lambda nodes: None, **attributes):
    """Put other values into arrays of the store at ``path``, with all checksums that tell of them."""
    found, nodes = of_root(path)
    del found[CHECKSUM]
    for name, values in arrays.items():
        if nodes[name]["data_type"] != str(values.dtype):
            nodes[name] |= {"data_type": str(values.dtype), "fill_value": values.dtype.type(0).item()}
        nodes[name]["shape"] = list(values.shape)
        if not name.startswith(("connectome/", "curves/")):  # in one group a dimension has one length
            nodes[name]["dimension_names"] = [f"axis_{i}_of_{n}" for i, n in enumerate(values.shape)]
        for key, value in sync(encoded(array_at(LocalStore(path), name, nodes[name]), 0, values)).items():
            (path / name / key).parent.mkdir(parents=True, exist_ok=True)
            (path / name / key).write_bytes(value.to_bytes())
    change(nodes)
    slot = f"checkpoint/{found.get('checkpoint')}"
    if slot in nodes:
        state = {name[len(slot) + 1 :]: read(path, name, nodes) for name in nodes if name.startswith(f"{slot}/")}
        nodes[slot]["attributes"]["fingerprint"] = fingerprint(state)
    (path / KEY).write_bytes(Root(found | attributes, nodes).encode())
