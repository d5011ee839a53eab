"""What the root document of a run, a sweep or a training has to hold, since its checksum does not say who wrote it."""

from __future__ import annotations

from twinbrain.store.nodes import Document, check_nodes
from twinbrain.store.parts import Nodes
from twinbrain.store.validate_run import check_run
from twinbrain.store.validate_sweep import check_sweep
from twinbrain.store.validate_training import check_training

_CHECKS = {"run": check_run, "sweep": check_sweep, "training": check_training}


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
    _CHECKS[kind](attributes, nodes)
