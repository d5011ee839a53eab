"""The library's plasticity rules give what their papers' equations give."""

import numpy as np
import pytest

from tests.examples import build_region, region_data
from tests.protocols import Protocol
from twinbrain.engines.base import get_engine
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.spec.region import Region

DT = 0.1


def test_every_rule_cites_its_source():
    for name, model in PLASTICITY_MODELS.items():
        assert model.summary, name
        assert all(reference.startswith("10.") for reference in model.references), name
        assert model.references, name


# Short-term plasticity; values of Tsodyks, Uziel & Markram (2000), 10.1523/JNEUROSCI.20-01-j0003.2000.


def releases(protocol, steps):
    """Return what each of the spikes that arrive at ``steps`` releases."""
    found = []
    for step in steps:
        protocol.arrive(step)
        protocol.run(step + 1)
        found.append(protocol.released())
    return np.array(found)


@pytest.mark.parametrize("interval", [20.0, 50.0, 200.0])
def test_paired_pulse_ratio_of_a_depressing_synapse(interval):
    protocol = Protocol({"model": "short_term_depression", "parameters": {"U": 0.5, "tau_rec": "800 ms"}})
    first, second = releases(protocol, [10, 10 + round(interval / DT)])
    assert first == pytest.approx(0.5, rel=1e-4)  # U times the weight, but for its rounding
    assert second / first == pytest.approx(1 - 0.5 * np.exp(-interval / 800), rel=1e-4)


@pytest.mark.parametrize("interval", [20.0, 50.0, 200.0])
def test_paired_pulse_ratio_of_a_facilitating_synapse(interval):
    U, facil, rec = 0.04, 1000.0, 100.0
    protocol = Protocol("tsodyks_markram")
    first, second = releases(protocol, [10, 10 + round(interval / DT)])
    u = U + U * np.exp(-interval / facil) * (1 - U)
    x = 1 - U * np.exp(-interval / rec)
    assert first == pytest.approx(U, rel=1e-3)
    assert second / first == pytest.approx(u * x / U, rel=1e-3)
    assert second > first


@pytest.mark.parametrize(
    ("U", "facil", "rec", "rate"), [(0.5, 1e-3, 800.0, 20.0), (0.04, 1000.0, 100.0, 20.0), (0.2, 300.0, 200.0, 50.0)]
)
def test_a_regular_train_brings_release_to_its_steady_state(U, facil, rec, rate):
    parameters = {"U": U, "tau_facil": f"{facil} ms", "tau_rec": f"{rec} ms"}
    protocol = Protocol({"model": "tsodyks_markram", "parameters": parameters}, dt=2.5)
    interval = 1e3 / rate
    found = releases(protocol, 10 + round(interval / 2.5) * np.arange(100))
    kept = (1 - U) * np.exp(-interval / facil)
    u = U / (1 - kept)
    recovered = np.exp(-interval / rec)
    x = (1 - recovered) / (1 - (1 - u) * recovered)
    assert found[-1] == pytest.approx(u * x, rel=1e-3)


# Spike-timing-dependent plasticity.


def test_pairs_of_spikes_change_the_weight_by_the_curve_of_stdp():
    """Song, Miller & Abbott (2000), 10.1038/78829: A exp(-|dt|/tau) of the highest weight."""
    rule = {"tau_plus": "17 ms", "tau_minus": "34 ms", "A_plus": 0.01, "A_minus": 0.008, "w_max": "3 pA"}
    lags = [1, 2, 10, 100, 500]
    protocol = Protocol({"model": "pair_stdp", "parameters": rule}, n_pairs=2 * len(lags))
    for pair, lag in enumerate(lags):
        protocol.arrive(1000, pair)
        protocol.spike(1000 + lag, pair)
        protocol.spike(1000, len(lags) + pair)
        protocol.arrive(1000 + lag, len(lags) + pair)
    protocol.run(2000)
    assert len(protocol.post_spikes()) == 2 * len(lags)
    change = (protocol.synapses()["w"] - 1.0).values
    elapsed = DT * np.array(lags)
    np.testing.assert_allclose(change[: len(lags)], 3 * 0.01 * np.exp(-elapsed / 17), rtol=1e-9)
    np.testing.assert_allclose(change[len(lags) :], -3 * 0.008 * np.exp(-elapsed / 34), rtol=1e-9)


def test_of_spikes_at_one_time_the_target_s_comes_first():
    protocol = Protocol({"model": "pair_stdp", "parameters": {"w_max": "1.5 pA", "A_plus": 0.01, "A_minus": 0.02}})
    protocol.arrive(100)
    protocol.spike(100)
    protocol.run(200)
    assert protocol.synapses()["w"].item() == pytest.approx(1 - 0.02 * 1.5, rel=1e-12)


def test_weights_stay_between_zero_and_w_max():
    rule = {"w_max": "1.2 pA", "A_plus": 0.1, "A_minus": 0.3}
    protocol = Protocol({"model": "pair_stdp", "parameters": rule}, n_pairs=2)
    for step in range(100, 12_000, 2000):
        protocol.arrive(step, 0)
        protocol.spike(step + 20, 0)
        protocol.spike(step, 1)
        protocol.arrive(step + 20, 1)
    protocol.run(12_000)
    assert protocol.synapses()["w"].values.tolist() == [1.2, 0.0]


def triplet_change(rate, lag, n_pairs, A2, A3, tau):
    """Return the change of weight by Pfister & Gerstner's (2006) equations (3) and (4), spike by spike, all-to-all."""
    spikes = sorted(
        [(i * 1e3 / rate, "pre") for i in range(n_pairs)] + [(i * 1e3 / rate + lag, "post") for i in range(n_pairs)]
    )
    w, last, traces = 0.0, spikes[0][0], dict.fromkeys(("plus", "x", "minus", "y"), 0.0)
    for time, kind in spikes:
        traces = {name: value * np.exp(-(time - last) / tau[name]) for name, value in traces.items()}
        last = time
        if kind == "pre":
            w -= traces["minus"] * (A2["minus"] + A3["minus"] * traces["x"])
            traces["plus"] += 1
            traces["x"] += 1
        else:
            w += traces["plus"] * (A2["plus"] + A3["plus"] * traces["y"])
            traces["minus"] += 1
            traces["y"] += 1
    return w


# Visual cortex, all-to-all, full model: table 4 of Pfister & Gerstner (2006), 10.1523/JNEUROSCI.1425-06.2006.
VISUAL_CORTEX = (
    {"plus": 5e-10, "minus": 7e-3},
    {"plus": 6.2e-3, "minus": 2.3e-4},
    {"plus": 16.8, "x": 101.0, "minus": 33.7, "y": 125.0},
)


def test_triplets_depend_on_frequency_as_in_visual_cortex():
    """Ten pairs at rates from 4 to 50 Hz, as in Sjöström et al. (2001): figure 5 of Pfister & Gerstner."""
    rates = [4.0, 10.0, 20.0, 40.0, 50.0]
    lags = [10.0, -10.0]
    rule = {"model": "triplet_stdp", "parameters": {"w_ref": "1 pA", "w_max": "10 pA"}}
    protocol = Protocol(rule, n_pairs=len(rates) * len(lags), dt=0.5)
    expected, last = [], 0
    for pair, (lag, rate) in enumerate((lag, rate) for lag in lags for rate in rates):
        first = 100 + np.arange(10) * round(1e3 / rate / 0.5)
        for step in first:
            protocol.arrive(int(step), pair)
            protocol.spike(int(step) + round(lag / 0.5), pair)
        last = max(last, int(first[-1]))
        expected.append(triplet_change(rate, lag, 10, *VISUAL_CORTEX))
    protocol.run(last + 100)
    change = (protocol.synapses()["w"] - 1.0).values
    np.testing.assert_allclose(change, expected, rtol=1e-6)
    before, after = change[: len(rates)], change[len(rates) :]
    assert (np.diff(before) > 0).all()  # potentiation grows with frequency
    assert before[0] < 0.01
    assert after[0] < 0 < after[-1]  # post before pre depresses at low frequency and potentiates at high


def test_reward_after_the_pair_changes_an_eligible_weight_by_the_closed_form():
    """Izhikevich (2007), 10.1093/cercor/bhl152: dc/dt = -c/tau_c, dn/dt = -n/tau_n, dw/dt = c n."""
    rule = {"tau_c": "1000 ms", "tau_n": "200 ms", "A_plus": 0.01, "w_max": "5 pA"}
    protocol = Protocol({"model": "reward_stdp", "parameters": rule, "modulator": "reward"}, n_pairs=2, dt=0.5)
    protocol.arrive(100, 0)
    protocol.spike(120, 0)
    protocol.run(2000)
    np.testing.assert_allclose(protocol.synapses()["w"], 1.0, rtol=1e-12)  # eligible, not yet changed
    protocol.reward(2120)
    protocol.run(8000)
    eligible = 0.01 * 5 * np.exp(-10 / 20) * np.exp(-1000 / 1000)
    rate = 1 / 1000 + 1 / 200
    expected = eligible / 200 * (1 - np.exp(-rate * (8000 - 2120) * 0.5)) / rate
    change = (protocol.synapses()["w"] - 1.0).values
    assert change[0] == pytest.approx(expected, rel=1e-9)
    assert change[1] == 0.0  # no pair, no change


def test_the_closed_form_of_reward_is_the_solution_of_its_equations():
    """Integrated in small steps, the same rule gives the same weight."""
    rule = {"tau_c": "300 ms", "tau_n": "50 ms", "b": "2 Hz", "A_plus": 0.05, "w_max": "5 pA"}
    found = []
    for method in ("exact", "rk4"):
        model = PLASTICITY_MODELS["reward_stdp"].model_copy(update={"method": method}).to_dict()
        plasticity = {"model": "own", "parameters": rule, "modulator": "reward"}
        protocol = Protocol(plasticity, models={"own": model})
        protocol.arrive(100)
        protocol.spike(110)
        protocol.reward(400)
        protocol.arrive(420)
        protocol.reward(900)
        protocol.run(3000)
        found.append(protocol.synapses()["w"].item())
    assert found[0] != 1.0
    assert found[1] == pytest.approx(found[0], rel=1e-9)


VOGELS = """
name = "test/balance"

[cells.cell]
model = "lif_conductance"
receptors = ["ampa", "gaba_a"]

[populations]
exc = { cell = "cell", size = 8 }
inh = { cell = "cell", size = 24, transmitter = "gaba" }

[[projections]]
source = "inh"
target = "exc"
receptor = "gaba_a"
connect = { in_degree = 16 }
weight = "0.1 nS"
delay = "1 ms"
plasticity = { model = "inhibitory_stdp", parameters = { rho_0 = "8 Hz", eta = "0.05 nS", w_max = "40 nS" } }

[[drives]]
population = "exc"
receptor = "ampa"
rate = "1500 Hz"
weight = "3 nS"

[[drives]]
population = "inh"
receptor = "ampa"
rate = "1000 Hz"
weight = "3 nS"
"""


def test_inhibitory_plasticity_brings_neurons_to_their_target_rate():
    """Vogels et al. (2011), 10.1126/science.1211095: the rate at rest is rho_0."""
    network = build_region(Region.parse(region_data(VOGELS)), dt=1.0)
    simulation = get_engine("brian2-numpy")(network)
    rates = []
    for _ in range(8):
        simulation.advance(2500)
        spikes = simulation.collect().spikes
        rates.append(np.count_nonzero(spikes.neuron < 8) / 8 / 2.5)
    simulation.close()
    assert rates[0] > 12
    assert np.mean(rates[-4:]) == pytest.approx(8, rel=0.15)


def simulated(data, duration, dt, engine):
    """Return a network of plastic synapses, its rates (Hz) in the last half by population, and its weights."""
    network = build_region(Region.parse(data), dt=dt)
    simulation = get_engine(engine)(network)
    for _ in range(2):
        simulation.advance(round(duration / dt / 2))
        neuron = simulation.collect().spikes.neuron
    rates = {
        p.population: np.count_nonzero((neuron >= p.start) & (neuron < p.stop)) / (p.stop - p.start) / (duration / 2e3)
        for p in network.populations
    }
    (weights,) = (v for key, v in simulation.state().variables.items() if key.endswith("_inhibitory_stdp/w"))
    simulation.close()
    return network, rates, weights


@pytest.mark.slow
def test_inhibitory_plasticity_drifts_to_its_target_where_spikes_are_independent():
    """Of Poisson trains that do not act on one another, dw/dt = 2 eta tau rate_pre (rate_post - rho_0)."""
    rates, seconds = {"pre": 20.0, "below": 2.0, "at": 5.0, "above": 9.0}, 10.0
    cell = {"model": "lif_current", "receptors": ["exponential_current", "delta"], "parameters": {"t_ref": "1 ms"}}
    rule = {"rho_0": "5 Hz", "eta": "0.001 pA", "w_max": "2 pA"}
    data = {
        "name": "test/independent",
        "cells": {"cell": cell},
        "populations": {name: {"cell": "cell", "size": 300} for name in rates},
        "projections": [
            {"source": "pre", "target": name, "receptor": "exponential_current", "connect": {"one_to_one": True}}
            | {"weight": "1 pA", "delay": "1 ms", "plasticity": {"model": "inhibitory_stdp", "parameters": rule}}
            for name in list(rates)[1:]
        ],
        "drives": [
            {"population": name, "receptor": "delta", "rate": f"{rate} Hz", "weight": "100 mV"}
            for name, rate in rates.items()
        ],
    }
    network, _, weights = simulated(data, seconds * 1000, 1.0, "reference")
    (table,) = network.plastic
    for p in network.populations[1:]:
        change = weights[(table.target >= p.start) & (table.target < p.stop)] - 1.0
        expected = 2 * 0.001 * 0.02 * 20 * (rates[p.population] - 5) * seconds
        error = change.std() / np.sqrt(len(change))
        assert 0 < error < 0.001
        assert change.mean() == pytest.approx(expected, abs=4 * error + 0.02 * abs(expected))


@pytest.mark.slow
def test_inhibitory_plasticity_settles_at_its_target_with_many_weak_inputs_and_above_it_with_few_strong_ones():
    """The rule sees that spikes of the target are missing after those that prevent them, more where each is strong."""
    target = 5.0
    data = {"name": "test/prevented", "cells": {}, "populations": {}, "projections": [], "drives": []}
    data["cells"]["cell"] = {"model": "lif_conductance", "receptors": ["ampa", "gaba_a"]}
    data["cells"]["relay"] = {"model": "relay", "receptors": ["delta"]}
    for n in (16, 256):
        data["populations"][f"exc{n}"] = {"cell": "cell", "size": 8}
        data["populations"][f"inh{n}"] = {"cell": "relay", "size": 2 * n, "transmitter": "gaba"}
        data["drives"] += [
            {"population": f"exc{n}", "receptor": "ampa", "rate": "800 Hz", "weight": "3 nS"},
            {"population": f"inh{n}", "receptor": "delta", "rate": "20 Hz", "weight": "1 mV"},
        ]
        rule = {"rho_0": f"{target} Hz", "eta": f"{0.8 / n} nS", "w_max": f"{256 / n} nS"}
        data["projections"].append(
            {"source": f"inh{n}", "target": f"exc{n}", "receptor": "gaba_a", "connect": {"in_degree": n}}
            | {"weight": f"{100 / n} nS", "delay": "1 ms"}
            | {"plasticity": {"model": "inhibitory_stdp", "parameters": rule}}
        )
    _, rates, _ = simulated(data, 200_000.0, 0.5, "brian2")
    assert rates["exc256"] == pytest.approx(target, abs=0.25)
    assert target + 0.8 < rates["exc16"] < target + 1.5
