"""Rules are checked and rewritten: what is refused, and what a program holds."""

import numpy as np
import pytest

from tests.protocols import Protocol
from twinbrain.engines.interpreter import execute
from twinbrain.errors import SpecError
from twinbrain.models.rule import LAST_UPDATE, rule_program
from twinbrain.network.parameters import evaluate
from twinbrain.spec.plasticity import PlasticityModel


def program(unit="nS", **fields):
    return rule_program(PlasticityModel(**fields), unit)


@pytest.mark.parametrize("unit", ["nS", "pA", "mV", "1", "pA/ms"])
def test_weight_stands_for_the_unit_of_the_receptor(unit):
    found = program(unit, equations="w_max : weight", on_pre="release = clip(w, 0*weight, w_max)")
    assert found.units["w"] == unit
    assert found.parameters == {"w_max": unit}
    assert found.in_weights == {"w": 1, "w_max": 1}


def test_a_rule_without_equations_keeps_no_time():
    assert program().state == ("w",)
    assert LAST_UPDATE in program(equations="dx/dt = -x/tau : 1\ntau : second").state


@pytest.mark.parametrize(
    ("release", "is_summed"),
    [
        ("w", False),
        ("w*n*(1 - n)**2/half", False),
        ("clip(w*n, 0*weight, 3*nS) + abs(w)*int(n > 1)", False),
        ("w/n", True),
        ("w*sqrt(1 - n)", True),
        ("w*exp(half*n)", True),
        ("clip(w*log(n), 0*weight, 3*nS)", True),
        ("w*exp(-half)", False),
    ],
)
def test_what_is_released_is_summed_where_it_may_be_no_number(release, is_summed):
    found = program(equations="n : 1\nhalf : 1", on_pre=f"n += 1; release = {release}")
    assert found.state == ("w", "n", *(("_released",) if is_summed else ()))


def test_a_parameter_that_is_assigned_is_a_variable():
    found = program(equations="n : 1\nstep : 1", on_pre="n += step; release = w*n")
    assert found.state == ("w", "n")
    assert set(found.parameters) == {"step"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on_pre": "w = 0*weight"}, "assign release once"),
        ({"on_pre": "release = w; release = w"}, "found it 2 times"),
        ({"on_pre": "release = w*v_post"}, "'v_post'.* no variables of neurons"),
        ({"on_pre": "release = w*gain"}, "declare it"),
        ({"on_pre": "release = 3*second"}, "units agree"),
        ({"on_pre": "release = w; y = 2"}, "on_pre: expected an assignment to a variable of the synapse, found 'y'"),
        ({"on_post": "release = w"}, "on_post: expected an assignment to a variable"),
        ({"on_post": "w = release"}, "assigned alone"),
        ({"on_post": "w = w*modulator_spikes"}, "'on_modulator' alone"),
        ({"equations": "w : weight"}, "already, found 'w'"),
        ({"equations": "elapsed : 1"}, "already, found 'elapsed'"),
        ({"equations": "x_pre : 1"}, "found 'x_pre'"),
        ({"equations": "dx/dt = -x/tau : 1"}, "found 'tau'"),
        ({"equations": "dx/dt = -x/tau : weight\ntau : volt"}, "units agree"),
        ({"equations": "dx/dt = -x : 1"}, "units agree"),
        ({"equations": "dx/dt = x*x/second : 1"}, r'linear in x.* method = "euler"'),
        ({"equations": "dx/dt = exp(x)/second : 1"}, "polynomial"),
        ({"equations": "dx/dt = y/second : 1\ndy/dt = x/second : 1"}, "one after the other"),
        ({"equations": "dx/dt = -x/second : 1 (unless refractory)"}, "no flag"),
        ({"equations": "x : integer"}, "with a unit"),
        ({"method": "magic"}, "unknown method 'magic'"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        program(**fields)


def solution(equations, parameters, initial, n_steps, method):
    """Return a synapse's variables after time alone has acted."""
    model = {"equations": equations, "method": method}
    protocol = Protocol({"model": "own", "parameters": parameters, "initial": initial}, models={"own": model})
    protocol.run(n_steps)
    return protocol.synapses()


CHAIN = """
da/dt = -a/tau : 1
db/dt = (a - b)/tau : 1
dc/dt = rate*b*b - c/slow + a/slow : 1
dd/dt = rate : 1
tau : second
slow : second
rate : hertz
"""


def test_chains_of_linear_equations_are_solved_in_closed_form():
    """Also where time constants are equal, and where there is nothing but a drift."""
    parameters = {"tau": "20 ms", "slow": "30 ms", "rate": "40 Hz"}
    initial = {"a": 1.0, "b": 0.5, "c": -0.2, "d": 3.0}
    exact = solution(CHAIN, parameters, initial, 400, "exact")
    small_steps = solution(CHAIN, parameters, initial, 400, "rk4")
    t, tau = 40.0, 20.0
    assert exact["a"].item() == pytest.approx(np.exp(-t / tau), rel=1e-12)
    assert exact["b"].item() == pytest.approx((0.5 + t / tau) * np.exp(-t / tau), rel=1e-12)
    assert exact["d"].item() == pytest.approx(3 + 0.04 * t, rel=1e-12)
    for name in "abcd":
        assert exact[name].item() == pytest.approx(small_steps[name].item(), rel=1e-8), name


@pytest.mark.parametrize("apart", [0.0, 1e-15, 1e-9, 1e-3])
@pytest.mark.parametrize("elapsed", [1, 300, 10**8])
def test_a_variable_that_decays_as_fast_as_what_drives_it_is_solved_exactly(apart, elapsed):
    """x = exp(-k t) drives w, which is g*t*exp(-k t) where both decays are k, and follows its series nearby."""
    rule = program(
        equations="dx/dt = -ka*x : 1\ndw/dt = g*x - kb*w : weight\nka : 1/second\nkb : 1/second\ng : weight/second",
        on_pre="release = w",
    )
    parameters = {"dt": 0.1, "ka": np.array([1 / 30]), "kb": np.array([(1 + apart) / 30]), "g": np.array([2.0])}
    names = {name: evaluate(text, parameters, {}) for name, text in rule.constants.items()}
    execute(rule.advance, names := {**names, "x": np.ones(1), "w": np.zeros(1), "elapsed": float(elapsed), "dt": 0.1})
    t, d = 0.1 * elapsed, -apart / 30
    series = 1 + d * t / 2 + (d * t) ** 2 / 6 if abs(d * t) < 1e-4 else np.expm1(d * t) / (d * t)
    assert names["w"][0] == pytest.approx(2 * t * np.exp(-t / 30) * series, rel=1e-10, abs=1e-300)


COUNTED = {
    "equations": "dx/dt = -x/tau : 1\ntau : second\nn_events : 1",
    "on_pre": "release = w; x += 1",
    "parameters": {"tau": "20 ms"},
}


@pytest.mark.parametrize("method", ["exact", "euler", "exponential_euler"])
def test_what_a_rule_does_before_events_is_done_once_for_each_whatever_the_method(method):
    own = COUNTED | {"method": method, "on_event": "n_events += 1; w = 0.9*w", "on_post": "x += 1"}
    protocol = Protocol("own", models={"own": own})
    for step in (10, 50, 90):
        protocol.arrive(step)
    protocol.spike(70)
    protocol.run(200)
    found = protocol.synapses()
    assert float(found["n_events"][0]) == 4
    np.testing.assert_allclose(found["w"], 0.9**4, rtol=1e-12)


@pytest.mark.parametrize(
    ("before", "read"),
    [("w = clip(w, 0*weight, 2*pA)", 2.0), ("w = clip(w, 0*weight, 2*pA); n_events += 1", 21.0), ("", 21.0)],
)
def test_bounds_hold_of_a_weight_that_is_read_between_events(before, read):
    own = {"equations": "dw/dt = rise : weight\nrise : weight/second\nn_events : 1", "on_event": before}
    own |= {"on_pre": "release = w; n_events += 1", "parameters": {"rise": "1 nA/s"}}
    protocol = Protocol("own", models={"own": own})
    protocol.run(200)
    np.testing.assert_allclose(protocol.synapses()["w"], read, rtol=1e-9)
    np.testing.assert_allclose(protocol.simulation.state().variables["synapses/exponential_current_own/w"], 1.0)
