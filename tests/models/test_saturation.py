"""Synapses that saturate, after Wang: what one source opens is bounded, and decisions persist on it."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_region
from twinbrain.engines.base import get_engine

TAU_S, TAU_X, ALPHA = 100.0, 2.0, 0.5
RATES = [2.0, 10.0, 20.0, 50.0, 100.0]


def opened(rates, duration, dt):
    """Return the conductance in units of the weight that each source of regular spikes opens in its target, by time."""
    cells = {
        "relay": tb.Cell(model="relay", receptors=("delta",)),
        "cell": tb.Cell(model="lif_conductance", receptors=("nmda_saturating",)),
    }
    times = [(np.arange(round(duration * rate / 1000)) * 1000 / rate).tolist() for rate in rates]
    region = tb.Region.parse(
        {
            "name": "synapses-apart",
            "cells": {name: cell.to_dict() for name, cell in cells.items()},
            "populations": {name: {"cell": name, "size": len(rates)} for name in cells},
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
    recorded = tb.StateRecord(variable="g_nmda_saturating", neurons=list(range(len(rates))), interval="1 ms")
    simulation = get_engine("reference")(build_region(region, dt=dt, record=tb.Record(state=(recorded,))))
    simulation.advance(round(duration / dt))
    (samples,) = simulation.collect().samples.values()
    return samples / 0.001


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


def test_the_conductance_is_wangs_within_three_parts_in_a_hundred():
    duration = 1500.0
    ours = opened(RATES, duration, 0.2)
    settled = ours[len(ours) // 2 :].mean(0)
    wangs = [by_wang(rate, duration) for rate in RATES]
    assert settled == pytest.approx([s[len(s) // 2 :].mean() for s in wangs], rel=0.03)


def test_a_source_that_fires_fast_opens_its_weight_at_most():
    fast = opened([450.0], 600.0, 0.2)
    assert 0.95 < fast.max() <= 1.0


def decision_region(scale, linear=None):
    """Return the network of Wang 2002 (10.1016/S0896-6273(02)01092-9), its neurons fewer and its synapses stronger.

    With ``linear``, its NMDA receptors do not saturate: every spike opens so many times what one opens after rest.

    Synapses within a selective population are 1.8 times stronger, not 1.7 times as in the paper. At 1.7 the state of
    decision is at its fold: left fires at 16 to 24 Hz for half a second after the stimulus, but then at 6 to 18 Hz and
    falling. A program of its own for Wang's equations says the same, in steps of 0.1 and of 0.02 ms, at half of his
    numbers of neurons, at his, and at twice as many. There left stays at 20 to 30 Hz with 1.75, and at 36 Hz with 1.8
    (here at 33 Hz). So near the fold a hundredth counts: neurons of a small network need the synapse on themselves.
    """
    sizes = {
        name: round(scale * n) for name, n in {"left": 240, "right": 240, "others": 1120, "inhibitory": 400}.items()
    }
    nmda = "nmda_saturating" if linear is None else "nmda"
    # What one spike after rest opens, in units of the weight: of nmda the peak is the weight.
    peak = (TAU_X / TAU_S) ** (TAU_X / (TAU_S - TAU_X))
    opens = 1.0 if linear is None else linear * float(1 - np.exp(-ALPHA * TAU_X)) * peak
    common = {"V_th": "-50 mV", "V_reset": "-55 mV", "E_L": "-70 mV", "tau_gaba_a": "5 ms"}
    common |= {f"tau_rise_{nmda}": "2 ms", f"tau_decay_{nmda}": "100 ms"}
    pyramidal = common | {"C_m": "500 pF", "g_L": "25 nS", "t_ref": "2 ms"}
    interneuron = common | {"C_m": "200 pF", "g_L": "20 nS", "t_ref": "1 ms"}
    stronger = 1.8
    weaker = 1 - 0.15 * (stronger - 1) / (1 - 0.15)
    relative = {("left", "left"): stronger, ("right", "right"): stronger}
    relative |= dict.fromkeys((("left", "right"), ("right", "left"), ("others", "left"), ("others", "right")), weaker)
    projections = []
    for source in sizes:
        for target in sizes:
            to_pyramidal = target != "inhibitory"
            given = {
                "source": source,
                "target": target,
                "connect": {"probability": 1.0, "autapses": True},
                "delay": "0.5 ms",
            }
            if source == "inhibitory":
                kinds = {"gaba_a": 1.3 if to_pyramidal else 1.0}
            else:
                kinds = {"ampa": 0.05, nmda: 0.165 * opens} if to_pyramidal else {"ampa": 0.04, nmda: 0.13 * opens}
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
                name: {"model": "lif_conductance", "receptors": ["ampa", nmda, "gaba_a"], "parameters": parameters}
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


def decision(region, seed, out):
    """Return the rates (Hz) of each population before a stimulus of a second that favours left, and long after it."""
    stimuli = [
        tb.Stimulus(
            name=name, population=name, receptor="ampa", rate=rate, weight="2.1 nS", start="1 s", duration="1 s"
        )
        for name, rate in (("left", "60 Hz"), ("right", "20 Hz"))
    ]
    run = tb.simulate(region, out=out, duration="3.5 s", seed=seed, stimuli=stimuli, window="500 ms")

    def rates(start, stop):
        found = run.twin.mean_rates(by="population", start=start, stop=stop)
        return {
            str(population).split("/")[-1]: rate
            for population, rate in zip(found["population"].values, found.values.tolist(), strict=True)
        }

    return rates("300 ms", "1 s"), rates("2.5 s", "3.5 s")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_decision_persists_after_the_stimulus_and_rest_is_stable_before(tmp_path, seed):
    before, after = decision(decision_region(0.5), seed, tmp_path / "run.zarr")
    assert before["left"] < 6
    assert before["right"] < 6
    assert 12 < after["left"] < 60
    assert after["right"] < 5


@pytest.mark.slow
@pytest.mark.parametrize("linear", [0.5, 0.7])
def test_without_saturation_the_winner_falls_back_or_runs_away(tmp_path, linear):
    """There is no weight between: at 0.5 of it nothing remains, at 0.7 left fires as fast as neurons can."""
    before, after = decision(decision_region(0.5, linear), 1, tmp_path / "run.zarr")
    assert before["left"] < 6
    assert after["left"] < 6 if linear == 0.5 else after["left"] > 100
