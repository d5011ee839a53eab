"""Synapses that saturate, after Wang: what one source opens is bounded, and decisions persist on it."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_region
from twinbrain.engines.base import get_engine

TAU_S, TAU_X, ALPHA = 100.0, 2.0, 0.5
RATES = [2.0, 10.0, 20.0, 50.0, 100.0]


def opened(rate, duration, dt):
    """Return the mean conductance in units of the weight that a source of regular spikes opens in its target."""
    cells = {
        "relay": tb.Cell(model="relay", receptors=("delta",)),
        "cell": tb.Cell(model="lif_conductance", receptors=("nmda_saturating",)),
    }
    times = (np.arange(round(duration * rate / 1000)) * 1000 / rate).tolist()
    region = tb.Region.parse(
        {
            "name": "one-synapse",
            "cells": {name: cell.to_dict() for name, cell in cells.items()},
            "populations": {"relay": {"cell": "relay", "size": 1}, "cell": {"cell": "cell", "size": 1}},
            "projections": [
                {"source": "relay", "target": "cell", "receptor": "nmda_saturating", "connect": {"one_to_one": True}}
                | {"weight": "0.001 nS", "delay": "0.2 ms", "plasticity": "saturation"}
            ],
            "drives": [
                {"population": "relay", "receptor": "delta"}
                | {"spikes": {"times": times, "unit": "ms", "weight": "1 mV"}}
            ],
        }
    )
    record = tb.Record(state=(tb.StateRecord(variable="g_nmda_saturating", interval="1 ms"),))
    simulation = get_engine("reference")(build_region(region, dt=dt, record=record))
    simulation.advance(round(duration / dt))
    (samples,) = simulation.collect().samples.values()
    return samples.ravel() / 0.001


def by_wang(rate, duration, dt=0.02):
    """Return Wang's s, integrated as he writes it."""
    s = x = 0.0
    found = []
    due = iter(np.arange(round(duration * rate / 1000)) * 1000 / rate)
    spike = next(due, np.inf)
    for n in range(round(duration / dt)):
        if n * dt >= spike:
            x, spike = x + 1.0, next(due, np.inf)
        s += dt * (-s / TAU_S + ALPHA * x * (1 - s))
        x -= dt * x / TAU_X
        found.append(s)
    return np.array(found)


@pytest.mark.parametrize("rate", RATES)
def test_the_conductance_is_wangs_within_three_parts_in_a_hundred(rate):
    duration = 1500.0
    ours, wangs = opened(rate, duration, 0.2), by_wang(rate, duration)
    settled = len(ours) // 2
    assert ours[settled:].mean() == pytest.approx(wangs[len(wangs) // 2 :].mean(), rel=0.03)


def test_a_source_that_fires_fast_opens_its_weight_at_most():
    fast = opened(450.0, 600.0, 0.2)
    assert 0.95 < fast.max() <= 1.0


def decision_region(scale):
    """Return the network of Wang 2002 (10.1016/S0896-6273(02)01092-9), its neurons fewer and its synapses stronger."""
    sizes = {
        name: round(scale * n) for name, n in {"left": 240, "right": 240, "others": 1120, "inhibitory": 400}.items()
    }
    receptors = ["ampa", "nmda_saturating", "gaba_a"]
    common = {"V_th": "-50 mV", "V_reset": "-55 mV", "E_L": "-70 mV", "tau_gaba_a": "5 ms"}
    pyramidal = common | {"C_m": "500 pF", "g_L": "25 nS", "t_ref": "2 ms"}
    interneuron = common | {"C_m": "200 pF", "g_L": "20 nS", "t_ref": "1 ms"}
    stronger = 1.7
    weaker = 1 - 0.15 * (stronger - 1) / (1 - 0.15)
    relative = {("left", "left"): stronger, ("right", "right"): stronger}
    relative |= dict.fromkeys((("left", "right"), ("right", "left"), ("others", "left"), ("others", "right")), weaker)
    projections = []
    for source in sizes:
        for target in sizes:
            to_pyramidal = target != "inhibitory"
            given = {"source": source, "target": target, "connect": {"probability": 1.0}, "delay": "0.5 ms"}
            if source == "inhibitory":
                kinds = {"gaba_a": 1.3 if to_pyramidal else 1.0}
            else:
                kinds = (
                    {"ampa": 0.05, "nmda_saturating": 0.165}
                    if to_pyramidal
                    else {"ampa": 0.04, "nmda_saturating": 0.13}
                )
            for receptor, weight in kinds.items():
                weight *= relative.get((source, target), 1.0) / scale
                plastic = {"plasticity": "saturation"} if receptor == "nmda_saturating" else {}
                projections.append(given | plastic | {"receptor": receptor, "weight": f"{weight!r} nS"})
    drives = [
        {"population": name, "receptor": "ampa", "rate": "2400 Hz"}
        | {"weight": "1.62 nS" if name == "inhibitory" else "2.1 nS"}
        for name in sizes
    ]
    cells = {"pyramidal": pyramidal, "interneuron": interneuron}
    return tb.Region.parse(
        {
            "name": "decision",
            "cells": {
                name: {"model": "lif_conductance", "receptors": receptors, "parameters": parameters}
                for name, parameters in cells.items()
            },
            "populations": {
                name: {"cell": "interneuron" if name == "inhibitory" else "pyramidal", "size": size}
                for name, size in sizes.items()
            },
            "projections": projections,
            "drives": drives,
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_decision_persists_after_the_stimulus_and_rest_is_stable_before(tmp_path, seed):
    stimuli = [
        tb.Stimulus(
            name=name, population=name, receptor="ampa", rate=rate, weight="2.1 nS", start="1 s", duration="1 s"
        )
        for name, rate in (("left", "60 Hz"), ("right", "20 Hz"))
    ]
    run = tb.simulate(
        decision_region(0.5), out=tmp_path / "run.zarr", duration="3.5 s", seed=seed, stimuli=stimuli, window="500 ms"
    )

    def rates(start, stop):
        found = run.twin.mean_rates(by="population", start=start, stop=stop)
        return dict(
            zip([str(p).split("/")[-1] for p in found["population"].values], found.values.tolist(), strict=True)
        )

    before, after = rates("300 ms", "1 s"), rates("2.5 s", "3.5 s")
    assert before["left"] < 6
    assert before["right"] < 6
    assert after["left"] > 12
    assert after["right"] < 5
