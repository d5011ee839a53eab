"""Speed against the same network hand-written in plain Brian2, as its users would write it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.benchmarks import lif_network as network
from twinbrain.engines.base import get_engine
from twinbrain.engines.brian2.simulation import prepare

EQUATIONS = """
dv/dt = ((E_L - v) + I/g_L)/tau_m : volt (unless refractory)
dI/dt = -I/tau_s : amp
"""


def plain_lif() -> tuple[Any, list[Any]]:
    """Return the spike monitor of the network in Brian2, and all objects of it."""
    import brian2 as b

    rng = np.random.default_rng(1)
    n_e, n_i = network.N_EXCITATORY, network.N_INHIBITORY
    names = {
        "E_L": -65 * b.mV,
        "g_L": 25 * b.nS,
        "tau_m": 10 * b.ms,
        "tau_s": 0.5 * b.ms,
    }
    group = b.NeuronGroup(
        n_e + n_i,
        EQUATIONS,
        threshold="v > -50*mV",
        reset="v = -65*mV",
        refractory=2 * b.ms,
        method="exact",
        namespace=names,
    )
    group.v = rng.normal(-58, 5, n_e + n_i) * b.mV
    pre, post, weight, delay = [], [], [], []
    for first, n, degree, mean, mean_delay in (
        (0, n_e, network.IN_EXCITATORY, network.WEIGHT, 1.5),
        (n_e, n_i, network.IN_INHIBITORY, -network.G * network.WEIGHT, 0.8),
    ):
        post.append(np.repeat(np.arange(n_e + n_i), degree))
        pre.append(first + rng.integers(0, n, len(post[-1])))
        weight.append(rng.normal(mean, 3, len(post[-1])))
        delay.append(np.maximum(rng.normal(mean_delay, 0.75, len(post[-1])), 0.1))
    synapses = b.Synapses(group, group, "w : amp", on_pre="I_post += w")
    synapses.connect(i=np.concatenate(pre), j=np.concatenate(post))
    synapses.w = np.concatenate(weight) * b.pA
    synapses.delay = np.concatenate(delay) * b.ms
    drive = b.PoissonInput(group, "I", 3000, 8 * b.Hz, weight=network.WEIGHT * b.pA)
    spikes = b.SpikeMonitor(group)
    return spikes, [group, synapses, drive, spikes]


def plain_brian2(n_seconds: float) -> tuple[float, int]:
    """Return the wall time of the run (not of the build) and the number of spikes."""
    import brian2 as b

    b.prefs.codegen.target = "cython"
    b.start_scope()
    b.seed(1)
    spikes, objects = plain_lif()
    net = b.Network(objects)
    net.run(5 * b.ms)  # compiles
    start = time.perf_counter()
    net.run(n_seconds * b.second)
    return time.perf_counter() - start, int(spikes.num_spikes)


def ours(n_seconds: float) -> tuple[float, int]:
    """Return the wall time of the run and the number of spikes."""
    simulation = get_engine("brian2")(network.lif_network())
    simulation.advance(50)
    simulation.collect()
    start = time.perf_counter()
    simulation.advance(round(n_seconds * 1e4))
    return time.perf_counter() - start, len(simulation.collect().spikes)


def measure(repetitions: int = 3, n_seconds: float = 1.0) -> str:
    """Return the row of the table: the median of paired ratios."""
    pairs = [(plain_brian2(n_seconds), ours(n_seconds)) for _ in range(repetitions)]
    ratios = [plain[0] / own[0] for plain, own in pairs]
    plain, own = pairs[-1]
    n = network.N_EXCITATORY + network.N_INHIBITORY
    return (
        f"{np.median(ratios):.2f} × faster (of {repetitions}: {min(ratios):.2f}–{max(ratios):.2f}); last pair "
        f"{plain[0]:.2f} s at {plain[1] / n / n_seconds:.1f} Hz against "
        f"{own[0]:.2f} s at {own[1] / n / n_seconds:.1f} Hz"
    )


def measure_heterogeneity(repetitions: int = 5, n_steps: int = 2000) -> str:
    """Return the row: per-neuron time constants against shared ones, without synapses, ours and plain Brian2's."""
    spread = {
        "g_L": {"normal": ["25 nS", "2.5 nS"], "min": "15 nS"},
        "tau_exponential_current": {"normal": ["0.5 ms", "0.05 ms"], "min": "0.3 ms"},
    }
    simulations = [_without_synapses(**parameters) for parameters in ({}, spread)]
    ratios, shared_times, own_times = [], [], []
    for _ in range(repetitions):
        times = []
        for simulation in simulations:
            start = time.perf_counter()
            simulation.advance(n_steps)
            times.append((time.perf_counter() - start) / n_steps * 1e6)
        shared_times.append(times[0])
        own_times.append(times[1])
        ratios.append(times[1] / times[0])
    plain_shared, plain_own = (_plain_step(heterogeneous, n_steps) for heterogeneous in (False, True))
    return (
        f"{np.median(ratios):.2f} × ({np.median(own_times):.0f} against {np.median(shared_times):.0f} µs a step); "
        f"plain Brian2 {plain_own / plain_shared:.1f} × ({plain_own:.0f} against {plain_shared:.0f} µs)"
    )


def _without_synapses(**parameters: object):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    simulation = prepare(replace(network.lif_network(**parameters), tables=(), drives=()))
    simulation.advance(100)
    return simulation


def _plain_step(heterogeneous: bool, n_steps: int) -> float:
    """Return microseconds a step of plain Brian2."""
    import brian2 as b

    b.prefs.codegen.target = "cython"
    b.start_scope()
    n = network.N_EXCITATORY + network.N_INHIBITORY
    extra = "tau_m : second (constant)\ntau_s : second (constant)" if heterogeneous else ""
    names = {"E_L": -65 * b.mV, "g_L": 25 * b.nS}
    if not heterogeneous:
        names |= {"tau_m": 10 * b.ms, "tau_s": 0.5 * b.ms}
    group = b.NeuronGroup(
        n,
        EQUATIONS + extra,
        threshold="v > -50*mV",
        reset="v = -65*mV",
        refractory=2 * b.ms,
        method="exact",
        namespace=names,
    )
    group.v = -65 * b.mV
    if heterogeneous:
        rng = np.random.default_rng(0)
        group.tau_m = rng.normal(10, 1, n) * b.ms
        group.tau_s = rng.normal(0.5, 0.05, n) * b.ms
    net = b.Network(group)
    net.run(5 * b.ms)
    start = time.perf_counter()
    net.run(n_steps * 0.1 * b.ms)
    return (time.perf_counter() - start) / n_steps * 1e6
