"""The cortical microcircuit of Potjans & Diesmann (2014), doi 10.1093/cercor/bhs358.

With 77,169 neurons and 300 million synapses it is the usual yardstick of engines. Inputs from outside are Poisson;
weights and delays are drawn as published.
"""

from __future__ import annotations

import math
import time

import numpy as np

from twinbrain.engines.base import Simulation, get_engine
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.network import Network
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

SIZES = {"L23E": 20683, "L23I": 5834, "L4E": 21915, "L4I": 5479, "L5E": 4850, "L5I": 1065, "L6E": 14395, "L6I": 2948}
EXTERNAL = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
# Rows are targets, columns sources.
PROBABILITY = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
RECEPTOR = "exponential_current"
CELL = {
    "C_m": "250 pF",
    "g_L": "25 nS",
    "E_L": "-65 mV",
    "V_th": "-50 mV",
    "V_reset": "-65 mV",
    "t_ref": "2 ms",
    "tau_exponential_current": "0.5 ms",
}


def microcircuit(scale: float = 1.0) -> Network:
    """Build the network; a smaller one has fewer neurons, each with fewer inputs, and is of use for trying alone."""
    names = list(SIZES)
    projections = []
    for i, target in enumerate(names):
        for j, source in enumerate(names):
            if not PROBABILITY[i, j]:
                continue
            pairs = SIZES[target] * SIZES[source]
            total = math.log(1.0 - PROBABILITY[i, j]) / math.log(1.0 - 1.0 / pairs)
            weight = 87.81 * (-4.0 if source.endswith("I") else 2.0 if (target, source) == ("L23E", "L4E") else 1.0)
            delay = 0.75 if source.endswith("I") else 1.5
            projections.append(
                {
                    "source": source,
                    "target": target,
                    "receptor": RECEPTOR,
                    "connect": {"total": round(total * scale**2), "autapses": True},
                    "weight": {"normal": [f"{weight} pA", f"{0.1 * abs(weight)} pA"]},
                    "delay": {"normal": [f"{delay} ms", f"{0.5 * delay} ms"], "min": "0.1 ms"},
                }
            )
    region = Region.parse(
        {
            "name": "benchmark/microcircuit",
            "cells": {
                "lif": {
                    "model": "lif_current",
                    "receptors": [RECEPTOR],
                    "parameters": CELL,
                    "initial": {"v": {"normal": ["-58 mV", "10 mV"]}},
                }
            },
            "populations": {
                name: {
                    "cell": "lif",
                    "size": round(size * scale),
                    "transmitter": "gaba" if "I" in name else "glutamate",
                }
                for name, size in SIZES.items()
            },
            "projections": projections,
            "drives": [
                {"population": name, "receptor": RECEPTOR, "rate": f"{8 * degree} Hz", "weight": "87.81 pA"}
                for name, degree in zip(names, EXTERNAL, strict=True)
            ],
        }
    )
    brain = single_region_brain(region)
    return build(brain, lay_out(brain, brain.connectome), dt=0.1, seed=1)


def measure_on_a_gpu() -> str:
    """Return the row of a GPU, if there is one, with the account of its kernels."""
    import torch

    if not torch.cuda.is_available():
        return "not measured: there is no CUDA device"
    simulation, row = _measure("torch", "cuda", 10.0)
    return f"{torch.cuda.get_device_name()}: {row}; {_account(simulation)}"


def measure_on_a_core() -> str:
    """Return the row of the brian2 engine, on one core."""
    return _measure("brian2", "cpu", 1.0)[1]


def _measure(engine: str, device: str, n_seconds: float, scale: float = 1.0) -> tuple[Simulation, str]:
    start = time.perf_counter()
    network = microcircuit(scale)
    built = time.perf_counter()
    simulation = get_engine(engine, device=device)(network)
    simulation.advance(2000)  # compiles, and lets the initial state pass
    simulation.collect()
    begun = time.perf_counter()
    simulation.advance(round(n_seconds * 1e4))
    factor = (time.perf_counter() - begun) / n_seconds
    neuron = simulation.collect().spikes.neuron
    rates = ", ".join(
        f"{p.population} {((neuron >= p.start) & (neuron < p.stop)).sum() / p.size / n_seconds:.2f}"
        for p in network.populations
    )
    return simulation, (
        f"{factor:.3g} s a second of model time; {network.n_neurons:,} neurons, {network.n_synapses:,} synapses, "
        f"built in {built - start:.0f} s, prepared and run for 0.2 s in {begun - built:.0f} s; rates (Hz) {rates}"
    )


def _account(simulation: Simulation, n_steps: int = 200) -> str:
    """Return the share of each kernel in the time of a step."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        simulation.advance(n_steps)
    averages = profiler.key_averages()
    times = {event.key: event.self_device_time_total or event.self_cpu_time_total for event in averages}
    total = sum(times.values())
    largest = sorted(times.items(), key=lambda item: -item[1])[:6]
    return "; ".join(f"{name} {value / n_steps:.1f} µs ({100 * value / total:.0f} %)" for name, value in largest)
