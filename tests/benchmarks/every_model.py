"""What every model costs: neurons that differ against neurons that do not, single precision against double."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.benchmarks.lif_network import lif_network
from twinbrain.engines.base import Simulation, get_engine
from twinbrain.engines.conformance import count_mismatches
from twinbrain.engines.conformance_networks import library_network
from twinbrain.network.network import Block, Network

N_NEURONS = 10_000


def _alone(network: Network, block: Block, constants: dict[str, np.ndarray]) -> Network:
    """Return a network of one block, which nothing reaches."""
    inlets, start = [], 0
    for inlet in block.inlets:
        inlets.append(replace(inlet, start=start, stop=start + block.size))
        start += block.size
    own = replace(block, constants=constants, inlets=tuple(inlets), neurons=np.arange(block.size, dtype=np.int32))
    population = replace(network.populations[0], start=0, stop=block.size, block=0)
    return replace(network, populations=(population,), blocks=(own,), tables=(), drives=(), plastic=())


def _microseconds(simulation: Simulation, n_steps: int) -> float:
    start = time.perf_counter()
    simulation.advance(n_steps)
    return (time.perf_counter() - start) / n_steps * 1e6


def measure_diversity(engine: str, repetitions: int = 7, n_steps: int = 200) -> str:
    """Return the row: for each model, the cost of a step with every parameter spread, against one with all alike."""
    network = library_network(N_NEURONS)
    rows = []
    for block in network.blocks:
        alike = {name: np.full(block.size, np.median(values)) for name, values in block.constants.items()}
        simulations = [get_engine(engine)(_alone(network, block, c)) for c in (alike, block.constants)]
        for simulation in simulations:
            simulation.advance(20)
        times = np.array([[_microseconds(s, n_steps) for s in simulations] for _ in range(repetitions)])
        ratio = np.median(times[:, 1] / times[:, 0])
        rows.append((float(ratio), block.name, float(np.median(times[:, 1])) * 1e3 / block.size))
        for simulation in simulations:
            simulation.close()
    cost = ", ".join(f"{name} {nanoseconds:.1f}" for _, name, nanoseconds in rows)
    ratios = ", ".join(f"{name} {ratio:.2f}" for ratio, name, _ in rows)
    return f"at most {max(rows)[0]:.2f} × ({ratios}); nanoseconds a neuron and step: {cost}"


def measure_torch(repetitions: int = 3, n_steps: int = 500) -> str:
    """Return the row: a step in torch on a CPU against one in brian2, on the LIF network of the other benchmarks."""
    network = lif_network()
    simulations = [get_engine(engine)(network) for engine in ("torch", "brian2")]
    for simulation in simulations:
        simulation.advance(100)
    times = np.array([[_microseconds(s, n_steps) for s in simulations] for _ in range(repetitions)])
    ratio, (ours, brians) = np.median(times[:, 0] / times[:, 1]), np.median(times, axis=0)
    return f"{ratio:.1f} × slower ({ours:.0f} against {brians:.0f} µs a step, 5 million synapses)"


def measure_precision(n_steps: int = 1000) -> str:
    """Return the row: spikes that only one of float32 and float64 has, of the library's network and with time."""
    network = library_network(1000)
    counts = [count_mismatches(get_engine("torch", precision="float32"), network, n) for n in (n_steps // 10, n_steps)]
    shares = (f"{mismatched:,} of {n:,} ({100 * mismatched / n:.2g} %)" for n, mismatched in counts)
    return " after a tenth of the run, ".join(shares) + " at its end"


def diversity_of(engine: str) -> Callable[[], str]:
    """Return the benchmark for an engine."""
    return lambda: measure_diversity(engine)
