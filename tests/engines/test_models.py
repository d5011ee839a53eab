"""Every neuron and receptor of the library is computed alike by Brian2's plain numpy code and by the reference."""

import numpy as np
import pytest

from tests.examples import build_region
from tests.models.steps import COMBINATIONS
from twinbrain.engines.base import get_engine
from twinbrain.engines.reference import prepare as reference
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.spec.region import Region

# A bias (pA) under which each neuron spikes, and weights that matter to it.
BIAS = {
    "lif_current": 400,
    "lif_conductance": 300,
    "alif": 200,
    "eif": 60,
    "adex": 800,
    "izhikevich_2003": 8,
    "izhikevich_2007": 250,
    "glif": 350,
    "hodgkin_huxley": 200,
    "wang_buzsaki": 150,
}
WEIGHTS = {"exponential_current": "60 pA", "alpha_current": "60 pA", "current": "2 pA", "delta": "1.5 mV"}


def region(name, receptors):
    bias = {"normal": [f"{BIAS[name]} pA", f"{BIAS[name] / 10} pA"]}
    shared = [{"receptor": r, "weight": WEIGHTS.get(r, "2 nS")} for r in receptors]
    wiring = {"source": "all", "target": "all", "connect": {"probability": 0.1}, "delay": "1 ms"}
    data = {
        "name": f"test/{name}",
        "cells": {"cell": {"model": name, "receptors": list(receptors), "parameters": {"I_e": bias}}},
        "populations": {"all": {"cell": "cell", "size": 30}},
        "projections": [wiring | part for part in shared],
        "drives": [{"population": "all", "rate": "100 Hz"} | part for part in shared],
    }
    return Region.parse(data)


def test_the_combinations_cover_the_library():
    assert {name for name, _ in COMBINATIONS} == set(NEURON_MODELS)
    assert {receptor for _, receptors in COMBINATIONS for receptor in receptors} == set(RECEPTOR_MODELS)


@pytest.mark.parametrize(("name", "receptors"), COMBINATIONS)
def test_states_are_the_same_to_the_last_bit(name, receptors):
    network = build_region(region(name, receptors), dt=0.05)
    simulations = [reference(network), get_engine("brian2-numpy")(network)]
    states, spikes = [], []
    for simulation in simulations:
        simulation.advance(600)
        states.append(simulation.state().variables)
        spikes.append(simulation.collect().spikes)
        simulation.close()
    assert len(spikes[0].neuron) > 10
    np.testing.assert_array_equal(spikes[1].neuron, spikes[0].neuron)
    for key, values in states[0].items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(states[1][key].view(np.int64), values.view(np.int64), err_msg=key)
