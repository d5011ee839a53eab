"""Time constants that are equal, or nearly so, give what the limit gives."""

import re

import numpy as np
import pytest
from scipy.linalg import expm

from tests.examples import build_region
from twinbrain.engines.interpreter import execute
from twinbrain.engines.reference import prepare
from twinbrain.errors import SpecError
from twinbrain.models.step import step_program
from twinbrain.network.parameters import evaluate, program_constants
from twinbrain.spec.model import NeuronModel
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region
from twinbrain.units import coherent

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


EXPONENTIALS = "(exp(-h/a) - exp(-h/b))/(a - b)"


def value(text, **values):
    return float(evaluate(text, {name: np.array([value]) for name, value in values.items()}, {})[0])


@pytest.mark.parametrize("apart", [0.0, *(2.0**-52 * n for n in range(1, 9)), 1e-14, 1e-13, 1e-9, 1e-6, 1e-4])
def test_a_formula_that_cancels_has_its_limit(apart):
    # The derivative of exp(-h/t) at t = 10, and the next term of its series.
    derivative = 0.1 / 100 * np.exp(-0.01)
    second = np.exp(-0.01) * (0.1**2 / 1e4 - 2 * 0.1 / 1e3)
    found = value(EXPONENTIALS, a=10.0 * (1 + apart), b=10.0, h=0.1)
    assert found == pytest.approx(derivative + 5 * apart * second, rel=1e-8)


def test_a_formula_far_from_its_limit_keeps_its_bits():
    assert value(EXPONENTIALS, a=10.0, b=2.0, h=0.1) == (np.exp(-0.1 / 10.0) - np.exp(-0.1 / 2.0)) / 8.0


def test_a_value_that_is_only_sensitive_keeps_its_bits():
    """Near a zero of the cosine every digit depends on the last one of the time."""
    assert value("cos(h/a)", a=1.0, h=np.pi / 2) == np.cos(np.pi / 2)


@pytest.mark.parametrize("apart", [0.0, 1e-15, 1e-9])
@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        ("exp", np.exp(0.5)),
        ("exprel", (0.5 * np.exp(0.5) - np.expm1(0.5)) / 0.25),
        ("log", 2.0),
        ("log10", 2.0 / np.log(10)),
        ("sqrt", np.sqrt(0.5)),
        ("sin", np.cos(0.5)),
        ("cos", -np.sin(0.5)),
        ("tan", 1 / np.cos(0.5) ** 2),
        ("sinh", np.cosh(0.5)),
        ("cosh", np.sinh(0.5)),
        ("tanh", 1 / np.cosh(0.5) ** 2),
        ("abs", 1.0),
    ],
)
def test_a_difference_quotient_of_every_function_is_its_derivative_where_it_cancels(function, derivative, apart):
    text = f"({function}(a) - {function}(b))/(a - b)"
    assert value(text, a=0.5 * (1 + apart), b=0.5) == pytest.approx(derivative, rel=1e-8)


def test_a_power_a_bound_and_a_condition_have_limits_too():
    assert value("(a**c - b**c)/(a - b)", a=2.0, b=2.0, c=0.5) == pytest.approx(0.5 / np.sqrt(2))
    assert value("(clip(a, 0, 1) - clip(b, 0, 1))/(a - b)", a=0.5, b=0.5) == pytest.approx(1)
    assert value("int((a > c) & ~(c > b))*(exp(a) - exp(b))/(a - b)", a=1.0, b=1.0, c=0.5) == pytest.approx(np.e)


@pytest.mark.parametrize("text", ["1/(a - b)", "abs(a - b)/(a - b)", "sqrt(-a)", "log(a - b)", "exp(exp(exp(10*a)))"])
def test_what_has_no_limit_is_refused(text):
    with pytest.raises(SpecError, match="divide by zero or overflow"):
        value(text, a=1.0, b=1.0)


@pytest.mark.parametrize("leak", [1e-13, 1e-9])
def test_a_leak_that_vanishes_leaves_a_perfect_integrator(leak):
    block = block_of("lif_current", "exponential_current", g_L=f"{leak} nS", I_e="100 pA", E_L="0 mV")
    constant = block.constants[re.search(r"_new_v = .* (k\d+)$", "\n".join(map(str, block.program.integrate)), re.M)[1]]
    assert constant == pytest.approx(100 / C * H, rel=1e-9)
    assert value("i*(1 - exp(-h*g))/g", i=0.0, h=H, g=0.0) == pytest.approx(0)
    assert value("i*(1 - exp(-h*g))/g", i=1.0, h=H, g=0.0) == pytest.approx(H)


def noise_gain(tau):
    """Return how much of a normal number that is held for a step reaches v in it, by a current of 1 pA."""
    of_noise = {"sigma_ou_current": "1 pA", "tau_ou_current": f"{tau!r} ms"}
    return factor(
        block_of("lif_current", "ou_current", C_m="123 pF", g_L="8.2 nS", **of_noise), "v", "noise_ou_current"
    )


@pytest.mark.parametrize("apart", [0.0, 1e-15, 1e-12, 1e-9])
def test_noise_as_slow_as_the_membrane_is_integrated_exactly(apart):
    """C_m/g_L is 15 ms, yet floats make C_m - g_L*tau another number than 0."""
    x = H / 15
    filtered = 1 - np.exp(-x) * (1 + x)
    expected = filtered / 8.2 / np.sqrt(np.tanh(x / 2))
    assert noise_gain(15 * (1 + apart)) == pytest.approx(expected, rel=1e-7)


EQUATIONS = """
dv/dt = (-g_L*v + I_syn)/C_m : volt
g_L : siemens
C_m : farad
"""


def test_a_decay_given_as_a_rate_may_be_that_of_the_membrane():
    data = {
        "name": "test/one",
        "models": {
            "m": {
                "equations": EQUATIONS,
                "threshold": "v > 1*volt",
                "reset": "v = 0*mV",
                "method": "exact",
                "parameters": {"g_L": "7 nS", "C_m": "210 pF"},
            }
        },
        "receptors": {
            "syn": {"equations": "dI/dt = -k*I : amp\nk : 1/second", "jump": "I", "current": "I", "parameters": {}}
        },
        "cells": {"cell": {"model": "m", "receptors": ["syn"]}},
        "populations": {"all": {"cell": "cell", "size": 1}},
    }
    for k in (0.0333333333333333, 0.0333333333, 7 / 210):
        data["receptors"]["syn"]["parameters"] = {"k": f"{k!r}/ms"}
        (block,) = build_region(Region.parse(data), dt=H).blocks
        assert factor(block, "v", "I") == pytest.approx(H / 210 * np.exp(-H / 30), rel=1e-9)


RESONATOR = """
dv/dt = (-v - R*w)/tau : volt
dw/dt = (a*v - w)/tau_w : amp
R : ohm
a : siemens
tau : second
tau_w : second
"""


@pytest.mark.parametrize("a", ["20 nS", "0.4 nS", "0 nS"])
@pytest.mark.parametrize("tau_w", ["5 ms", "10 ms"])
def test_a_resonator_is_integrated_exactly(a, tau_w):
    """Its eigenvalues are complex at 20 nS, and for time constants of 10 ms equal at 0 nS."""
    parameters = {"R": "100 Mohm", "a": a, "tau": "10 ms", "tau_w": tau_w}
    model = NeuronModel(
        equations=RESONATOR, threshold="v > 1*volt", reset="v = 0*mV", method="exact", parameters=parameters
    )
    program = step_program(model, {})
    values = {name: np.array([coherent(parameters[name], unit)]) for name, unit in program.parameters.items()}
    constants = program_constants(program, model, values, H, 1)
    r, a, tau, tau_w = (values[name][0] for name in ("R", "a", "tau", "tau_w"))
    expected = expm(H * np.array([[-1 / tau, -r / tau], [a / tau_w, -1 / tau_w]]))
    for row, target in enumerate(("v", "w")):
        names = {"v": np.array([1.0]), "w": np.array([0.0])}, {"v": np.array([0.0]), "w": np.array([1.0])}
        for column, start in enumerate(names):
            execute(program.integrate, scope := {**constants, **start})
            assert scope[target][0] == pytest.approx(expected[row, column], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "value"), [("tanh(20.0) - 1.0", -8.496708510583178e-18), ("log(tanh(10.0))", -4.122307244877116e-09)]
)
def test_a_constant_of_numbers_alone_loses_no_digits(text, value):
    """By series: tanh(x) - 1 = -2/(exp(2*x) + 1), and log(tanh(x)) = -2*(exp(-2*x) + exp(-6*x)/3 + ...)."""
    assert evaluate(text, {}, {}) == pytest.approx(value, rel=1e-11)
    assert evaluate(f"0.001*dt*({text})", {"dt": 0.1}, {}) == pytest.approx(1e-4 * value, rel=1e-11)
