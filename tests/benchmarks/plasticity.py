"""What plastic synapses cost: processor time an event, and memory a synapse."""

from __future__ import annotations

import time
from typing import Any

from twinbrain.engines.base import Spikes, get_engine
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.network import Network
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

N, IN_DEGREE, N_STEPS = 2000, 1000, 2000
RULES: dict[str, dict[str, str]] = {
    "tsodyks_markram": {},
    "pair_stdp": {"w_max": "0.04 pA"},
    "triplet_stdp": {"w_max": "0.04 pA", "w_ref": "0.01 pA"},
}


def measure() -> str:
    """Return nanoseconds an event and bytes a synapse of each rule, beside static synapses."""
    static, _, _ = _run(None)
    return "; ".join(_row(rule, static) for rule in RULES)


def _row(rule: str, static: float) -> str:
    seconds, network, spikes = _run({"model": rule, "parameters": RULES[rule]})
    (table,) = network.plastic
    n_events = IN_DEGREE * int((spikes.neuron < (2 * N if table.program.on_post else N)).sum())
    n_bytes = table.nbytes / table.n_synapses + 8 * len(table.program.state)
    return f"{rule} {(seconds - static) / n_events * 1e9:.0f} ns, {n_bytes:.0f} bytes"


def _run(plasticity: dict[str, Any] | None) -> tuple[float, Network, Spikes]:
    """Return the processor time of 200 ms, warm, the network and its spikes, which the drives alone cause."""
    brain = single_region_brain(_region(plasticity))
    network = build(brain, lay_out(brain, brain.connectome), dt=0.1, seed=1)
    simulation = get_engine("brian2")(network)
    simulation.advance(200)
    simulation.collect()
    start = time.process_time()
    simulation.advance(N_STEPS)
    seconds = time.process_time() - start
    spikes = simulation.collect().spikes
    simulation.close()
    return seconds, network, spikes


def _region(plasticity: dict[str, Any] | None) -> Region:
    receptor = "exponential_current"
    projection = {
        "source": "pre",
        "target": "post",
        "receptor": receptor,
        "connect": {"in_degree": IN_DEGREE},
        "weight": "0.01 pA",
        "delay": {"uniform": ["0.5 ms", "3 ms"]},
    }
    populations = ("pre", "post")
    return Region.parse(
        {
            "name": "benchmark/plastic",
            "cells": {"lif": {"model": "lif_current", "receptors": [receptor]}},
            "populations": {name: {"cell": "lif", "size": N} for name in populations},
            "projections": [projection | ({"plasticity": plasticity} if plasticity else {})],
            "drives": [
                {"population": name, "receptor": receptor, "rate": "8 kHz", "weight": "48 pA"} for name in populations
            ],
        }
    )
