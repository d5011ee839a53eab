"""Random input: what drawing it and adding it costs."""

from __future__ import annotations

import time

import numpy as np

from twinbrain.engines.brian2.drives import Inputs
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

N_NEURONS = 10_000
N_STEPS = 1_000


def measure_poisson() -> str:
    """Return the row: nanoseconds a neuron and step of Poisson events, and of noise."""
    events = _nanoseconds({"receptor": "exponential_current", "rate": "24 kHz", "weight": "30 pA"})
    noise = _nanoseconds({"noise": 1})
    return f"{_row(events)} for 2.4 events a step; {_row(noise)} for normal noise; one core"


def _row(values: list[float]) -> str:
    return f"{np.median(values):.1f} ns ({min(values):.1f}–{max(values):.1f})"


def _nanoseconds(drive: dict[str, object], repetitions: int = 9) -> list[float]:
    region = Region.parse(
        {
            "name": "benchmark/drive",
            "cells": {"lif": {"model": "lif_current", "receptors": ["exponential_current"]}},
            "populations": {"e": {"cell": "lif", "size": N_NEURONS}},
            "drives": [{"population": "e"} | drive],
        }
    )
    brain = single_region_brain(region)
    network = build(brain, lay_out(brain, brain.connectome), dt=0.1, seed=1)
    inputs, inbox = Inputs(network), np.zeros(network.n_inlets, np.int32)
    inputs.add(0, inbox)  # compiles
    found = []
    for repetition in range(repetitions):
        first = 4 + repetition * N_STEPS
        inbox[:] = 0
        start = time.process_time()  # of one core, whatever else runs
        for step in range(first, first + N_STEPS):
            inputs.add(step, inbox)
        found.append((time.process_time() - start) / N_STEPS / N_NEURONS * 1e9)
    return found
