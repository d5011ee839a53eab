"""The lowering: speed, memory, and how little grows with the number of regions."""

from __future__ import annotations

import time

import numpy as np
import psutil

from tests.benchmarks.lif_network import lif_network
from twinbrain.connectome import synthetic_connectome
from twinbrain.engines.brian2.simulation import prepare
from twinbrain.network.build import build
from twinbrain.network.heap import return_freed_memory
from twinbrain.network.layout import lay_out
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.load import load_region


def measure_speed(repetitions: int = 5) -> str:
    """Return the row: synapses built a second, from declaration to sorted tables."""
    lif_network()  # compiles
    speeds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        network = lif_network()
        speeds.append(network.n_synapses / (time.perf_counter() - start) / 1e6)
    return f"{np.median(speeds):.1f} million synapses a second ({min(speeds):.1f}–{max(speeds):.1f}), one core"


def measure_memory() -> str:
    """Return the row: bytes a synapse, by the arrays and by what the process has grown."""
    process = psutil.Process()
    lif_network()
    return_freed_memory()
    before = process.memory_info().rss
    network = lif_network()
    grown = process.memory_info().rss - before
    arrays = sum(table.nbytes for table in network.tables)
    n = network.n_synapses
    return f"{arrays / n:.1f} bytes a synapse in arrays, {grown / n:.1f} by the growth of the process"


def count_objects(n_regions: int) -> tuple[int, int]:
    """Return the Brian2 objects and the compiled units of a brain with two kinds of regions."""
    connectome = synthetic_connectome(n_regions)
    column, relay = load_region("cortex/column").scaled(0.3), load_region("thalamus/relay").scaled(0.3)
    regions = {connectome.labels[0]: relay, "*": column}
    brain = Brain(connectome=connectome, regions=regions, long_range=LongRange(in_degree=5, weight="0.1 nS"))
    simulation = prepare(build(brain, lay_out(brain, connectome), dt=0.1, seed=1))
    return simulation.count_compiled()


def measure_objects() -> str:
    """Return the row: what there is for 2 regions and for 96."""
    two, many = count_objects(2), count_objects(96)
    return f"{two[0]} objects, {two[1]} compiled units for 2 regions; {many[0]} and {many[1]} for 96"
