"""Time constants that are equal, or nearly so, give what the limit gives."""

import re

import numpy as np
import pytest

from tests.examples import build_region
from twinbrain.engines.reference import prepare
from twinbrain.network.limits import with_limits
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


EXPONENTIALS = compile("(exp(-h/a) - exp(-h/b))/(a - b)", "<test>", "eval")


def value(a, b, h=0.1):
    namespace = {"a": np.array([a]), "b": np.array([b]), "h": h}
    return float(with_limits(EXPONENTIALS, namespace, {"exp": np.exp}, ["a", "b"])[0])


@pytest.mark.parametrize("apart", [0.0, *(2.0**-52 * n for n in range(1, 9)), 1e-14, 1e-13, 1e-9, 1e-6, 1e-4])
def test_a_formula_that_cancels_has_its_limit(apart):
    # The derivative of exp(-h/t) at t = 10, and the next term of its series.
    derivative = 0.1 / 100 * np.exp(-0.01)
    second = np.exp(-0.01) * (0.1**2 / 1e4 - 2 * 0.1 / 1e3)
    assert value(10.0 * (1 + apart), 10.0) == pytest.approx(derivative + 5 * apart * second, rel=1e-8)


def test_a_formula_far_from_its_limit_keeps_its_bits():
    assert value(10.0, 2.0) == (np.exp(-0.1 / 10.0) - np.exp(-0.1 / 2.0)) / 8.0


def test_a_value_that_is_only_sensitive_is_kept_where_many_digits_cannot_be_had():
    """Near a zero of the cosine every digit depends on the last one of the time; that is no reason to refuse it."""
    code = compile("cosine(h/a)", "<test>", "eval")
    namespace = {"a": np.array([1.0]), "h": np.pi / 2}
    found = with_limits(code, namespace, {"cosine": np.cos}, ["a"])
    np.testing.assert_array_equal(found, np.cos(np.pi / 2))
