"""Time constants that are equal, or nearly so, give what the limit gives."""

import re

import numpy as np
import pytest

from tests.examples import build_region
from twinbrain.engines.reference import prepare
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region

H, C, TAU = 0.1, 250.0, 10.0


def block_of(model, receptor, n=1, **parameters):
    cell = {"model": model, "receptors": [receptor], "parameters": parameters}
    data = {"name": "test/one", "cells": {"cell": cell}, "populations": {"all": {"cell": "cell", "size": n}}}
    (block,) = build_region(Region.parse(data), dt=H).blocks
    return block


def factor(block, target, source):
    """Return the constant by which a step takes one variable into another."""
    text = next(s.expression for s in block.program.integrate if s.target == f"_new_{target}")
    return block.constants[re.search(rf"(k\d+)\*{source}\b", text)[1]]


# The integral over a step of exp(-(H - t)/TAU) times exp(-t/tau), or t*exp(-t/tau), in powers of (1/tau - 1/TAU)*H,
# which is small here.
def exponential_gain(tau):
    x = (1 / tau - 1 / TAU) * H
    return H / C * np.exp(-H / TAU) * (1 - x / 2 + x**2 / 6)


def alpha_gain(tau):
    x = (1 / tau - 1 / TAU) * H
    return np.e / tau * H**2 / C * np.exp(-H / TAU) * (1 / 2 - x / 3 + x**2 / 8 - x**3 / 30 + x**4 / 144)


@pytest.mark.parametrize("apart", [0.0, 1e-15, -1e-12, 1e-8, 1e-6, -1e-4, 1e-3])
@pytest.mark.parametrize(
    ("receptor", "source", "gain"),
    [
        ("exponential_current", "I_exponential_current", exponential_gain),
        ("alpha_current", "x_alpha_current", alpha_gain),
    ],
)
def test_a_current_as_slow_as_the_membrane_is_integrated_exactly(receptor, source, gain, apart):
    tau = TAU * (1 + apart)
    block = block_of("lif_current", receptor, **{f"tau_{receptor}": f"{tau!r} ms"})
    assert factor(block, "v", source) == pytest.approx(gain(tau), rel=1e-10)


def test_neurons_beside_one_at_the_limit_keep_their_values():
    spread = {"uniform": ["5 ms", "15 ms"]}
    block = block_of("lif_current", "alpha_current", 2000, tau_alpha_current=spread)
    tau = -H / np.log(factor(block, "x_alpha_current", "x_alpha_current"))
    np.testing.assert_allclose(factor(block, "v", "x_alpha_current"), alpha_gain(tau), rtol=1e-9)


def test_a_rise_as_slow_as_the_decay_is_an_alpha_function_that_peaks_at_its_weight():
    block = block_of("lif_conductance", "nmda", tau_rise_nmda="20 ms", tau_decay_nmda="20 ms")
    gain = factor(block, "g_nmda", "x_nmda")
    assert gain == pytest.approx(np.e * H / 20 * np.exp(-H / 20), rel=1e-12)


def test_such_a_neuron_follows_the_closed_form():
    data = {
        "name": "test/one",
        "cells": {
            "cell": {
                "model": "lif_current",
                "receptors": ["exponential_current"],
                "parameters": {"tau_exponential_current": "10 ms"},
                "initial": {"I_exponential_current": "100 pA"},
            }
        },
        "populations": {"all": {"cell": "cell", "size": 1}},
    }
    record = Record(state=(StateRecord(variable="v", neurons=1, interval="0.1 ms"),))
    simulation = prepare(build_region(Region.parse(data), dt=H, record=record))
    simulation.advance(500)
    (samples,) = simulation.collect().samples.values()
    t = H * np.arange(1, 501)
    np.testing.assert_allclose(np.ravel(samples), -70 + 100 / C * t * np.exp(-t / TAU), rtol=1e-12)
