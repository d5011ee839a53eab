"""Small brains for tests of learning."""

import numpy as np

import twinbrain as tb
from tests.learn.networks import CURRENT, recurrent

LABELS = ("A", "B", "C", "D")


def joined(labels=LABELS, sizes=(16, 4), in_degree=6, weight="60 pA", share=None, drives=(), **changes):
    """Return a brain of recurrent regions, all of which reach each other; the tracts take 3 ms and more."""
    n = len(labels)
    length = 30.0 + 5.0 * np.arange(n * n).reshape(n, n)
    ports = {"outputs": ("e",), "inputs": {"e": {"share": 1.0, "glutamate": CURRENT[0]}}}
    region = recurrent(sizes=sizes, drives=drives).model_copy(update={"ports": tb.Ports.parse(ports)})
    return tb.Brain(
        name="joined",
        connectome=tb.Connectome(1.0 - np.eye(n), length, labels),
        regions={"*": region},
        long_range=tb.LongRange(in_degree=in_degree, weight=weight, share=share, speed="10 m/s"),
        **changes,
    )
