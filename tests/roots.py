"""Root documents of stores, changed as no damage would: with a checksum that fits."""

import json

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
