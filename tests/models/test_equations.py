import numpy as np
import pytest

from tests.models.steps import constants, step
from twinbrain.errors import SpecError
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.rule import rule_program
from twinbrain.models.step import step_program
from twinbrain.network.parameters import program_constants
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.plasticity import PlasticityModel

EQUATIONS = """
dv/dt = (E - v)/tau + I_syn/C : volt (unless refractory)
I_own = C*(v - E)/tau : amp
E : volt
b : volt
tau : second
t_ref : second
C : farad
"""


def neuron(equations=EQUATIONS, threshold="v > E + 10*mV", reset="v = E", refractory="t_ref", method="euler"):
    return NeuronModel(equations=equations, threshold=threshold, reset=reset, refractory=refractory, method=method)


def drift(text):
    return neuron(EQUATIONS.replace("(E - v)/tau", text))


def receptor(equations, jump="g", current="I"):
    return {"own": ReceptorModel(equations=equations, jump=jump, current=current)}


TEMPORAL = (
    "of state variables and parameters alone, found '{}'; for input that changes in time or is random, use drives"
)
FUNCTIONS = r"one of the functions exp, exprel, log, .*, found '?{}.*; write it otherwise"
UNKNOWN = "names of variables, parameters or units in the equations, found '{}'; declare it"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"equations": "dv/dt = (E - v /tau : volt"}, r"equations: line 1, column 21 .*expected an operator or \"\)\""),
        ({"equations": "dv/dt = (E - v)/tau"}, 'expected an operator, or ":" and a unit, found the end'),
        ({"equations": EQUATIONS + "E : volt\n"}, "equations: line 9, column 1: expected each name once, found 'E'"),
        ({"equations": EQUATIONS.replace("(E - v)/tau", "foo(v/b)*b/tau")}, FUNCTIONS.format("foo")),
        ({"equations": EQUATIONS.replace("(E - v)/tau", "b*rand()/tau")}, FUNCTIONS.format("rand")),
        ({"equations": EQUATIONS.replace("(E - v)/tau", "sign(v/b)*b/tau")}, FUNCTIONS.format("sign")),
        ({"threshold": "v > E + randn()*mV"}, FUNCTIONS.format("randn")),
        ({"reset": "v = b*poisson(3)"}, FUNCTIONS.format("poisson")),
        ({"reset": "v = b*floor(v/b)"}, FUNCTIONS.format("floor")),
        ({"reset": "v = v % b"}, "reset: line 1, column 7 .*operators and parentheses alone, found '%'"),
        ({"threshold": "v - E"}, "threshold: expected a condition such as \"v > V_th\", found 'v - E'"),
        ({"threshold": "True"}, "expected a number, a name or"),
        ({"threshold": "v >"}, "threshold: line 1, column 4 .*expected a number, a name or .*, found the end"),
        ({"threshold": "v > E > b"}, 'threshold: line 1, column 7 .*one comparison, or several joined by "and"'),
        ({"threshold": "v > E and b"}, "expected conditions beside 'and', found a number"),
        ({"reset": "v == E"}, "reset: line 1, column 3 .*expected \"=\" .*found '=='"),
        ({"reset": "v"}, 'expected "=" .*found the end'),
        ({"reset": "v = "}, "expected a number, a name or .*found the end"),
        ({"reset": "v = v > E"}, "expected a number, found a condition"),
        ({"refractory": "t ref"}, "refractory: expected a name of ASCII letters.*found 't ref'"),
        ({"equations": EQUATIONS + "k0 : volt\n"}, "names? that the step does not use itself, found 'k0'; rename it"),
        ({"equations": EQUATIONS + "z : integer\n"}, 'expected \'z\' with a unit, found "integer"; write "z : 1"'),
        ({"equations": EQUATIONS + "z : volt (slow)\n"}, "expected a flag that is one of .*, found 'slow'"),
        ({"equations": EQUATIONS + "z : 2*volt\n"}, "expected a unit such as .*, found '2"),
        ({"equations": EQUATIONS + "m = n : 1\nn = m : 1\n"}, "found that m, n need each other"),
    ],
)
def test_a_model_that_cannot_be_read_is_refused_when_it_is_declared(fields, message):
    with pytest.raises(SpecError, match=message) as caught:
        neuron(**fields)
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (neuron(EQUATIONS + "I_syn : amp\n"), "rejects: Duplicate definition of variable 'I_syn'"),
        (drift("(E - v)"), "expected equations whose units agree, found: .* uses inconsistent units"),
        (neuron(threshold="v > 3"), "whose units agree, found: Comparison of expressions with different units"),
        (neuron(reset="v = 3*ms"), r'whose units agree, found: The right-hand-side of code statement "v = 3 \* ms"'),
        (drift("(F - v)/tau"), UNKNOWN.format("F")),
        (neuron(threshold="v > V_th"), UNKNOWN.format("V_th")),
        (neuron(reset="v = V_reset"), UNKNOWN.format("V_reset")),
        (neuron(reset="x = v; v = x"), UNKNOWN.format("x")),
        (neuron(threshold="v > E and v > N*mV"), UNKNOWN.format("N")),
        (drift("b/tau*sin(t/tau)"), TEMPORAL.format("t")),
        (drift("(E - v)/tau + b/dt"), TEMPORAL.format("dt")),
        (neuron(threshold="v > E and t > 3*ms"), TEMPORAL.format("t")),
        (neuron(reset="v = E*(t/ms)"), TEMPORAL.format("t")),
        (drift("(E - v)/tau + b*xi/tau**0.5"), TEMPORAL.format("xi")),
        (drift("(E - v)/tau + b*xi_1/tau**0.5"), TEMPORAL.format("xi_1")),
        (neuron(threshold="E > b"), "expected a threshold condition"),
        (neuron(reset="E = v"), "expected a reset of state variables, found 'E'; Known: v"),
        (neuron(reset="I_own = 0*amp"), "expected a reset of state variables, found 'I_own'"),
        (neuron(refractory="t_rf"), "expected 'refractory' to name a parameter, found 't_rf'; did you mean 't_ref'?"),
        (neuron(refractory="v"), "expected 'refractory' to name a parameter, found 'v'"),
        (neuron(refractory="b"), "expected the refractory period 'b' in seconds"),
        (neuron(method="eulr"), "unknown method 'eulr'; did you mean 'euler'?"),
        (neuron(method="gsl"), "unknown method 'gsl'"),
        (
            neuron(EQUATIONS.replace("(E - v)/tau", "(E - v)**2/tau/b"), method="exponential_euler"),
            "equations that method 'exponential_euler' can integrate, found some that it cannot .*; use \"euler\"",
        ),
        (
            neuron(EQUATIONS.replace("(E - v)/tau", "(E - v)**2/tau/b"), method="exact"),
            "expected equations that method 'exact' can integrate",
        ),
        (neuron(EQUATIONS + "z : volt (shared)\n"), r"expected no flag \(shared\) for 'z'"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused(model, message):
    with pytest.raises(SpecError, match=message) as caught:
        step_program(model, {}, "model mine")
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith("model mine: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            receptor("dg/dt = -g**2/tau_r/nS : siemens\nI = g*(E - v) : amp\ntau_r : second"),
            "method 'exact' can integrate",
        ),
        (receptor("dg/dt = -g/tau_r : siemens\nI = g : siemens\ntau_r : second"), "whose units agree"),
        (
            receptor("dg/dt = -g/tau_r : siemens\nI = g*(E - v) : amp\ntau_r : second", jump="h"),
            r"receptor 'own': .*'jump'.*found 'h'",
        ),
        (receptor("dg/dt = -g/ms + nS*sin(t/ms)/ms : siemens\nI = g*(E - v) : amp"), "use drives and stimuli"),
        (receptor("dv/dt = -v/ms : volt\nI = v*nS : amp", jump="v"), "Duplicate definition of variable 'v'"),
        (
            {"ampa": RECEPTOR_MODELS["ampa"], "again": RECEPTOR_MODELS["ampa"]},
            "Duplicate definition of variable 'I_ampa'",
        ),
    ],
)
def test_a_receptor_that_cannot_be_used_is_refused(own, message):
    with pytest.raises(SpecError, match=message):
        step_program(neuron(), own)


def test_a_receptor_may_use_the_time_step():
    equations = "dg/dt = (x*nS/sqrt(dt/tau_r) - g)/tau_r : siemens\nI = g*(E - v) : amp\nx : 1\ntau_r : second"
    program = step_program(neuron(), receptor(equations, jump="x"))
    assert "tau_r" in program.parameters
    assert not {"dt", "time_step"} & set(program.parameters)
    values = constants(program, VALUES | {"tau_r": 2.0}, 0.1)
    state = {name: np.zeros(1) for name in program.state} | {"g": np.full(1, 3.0)}
    after, _ = step(program, values, state, {"own": 0.5})
    decay = np.exp(-0.1 / 2)
    assert after["g"][0] == pytest.approx(3 * decay + 0.5 / np.sqrt(0.05) * (1 - decay), rel=1e-12)


def test_the_time_step_in_a_receptor_has_the_unit_of_time():
    with pytest.raises(SpecError, match="whose units agree"):
        step_program(neuron(), receptor("dg/dt = -g/tau_r*dt : siemens\nI = g*(E - v) : amp\ntau_r : second"))


def test_a_receptor_names_its_current():
    with pytest.raises(SpecError, match="expected 'current' to name a variable of the equations, found 'J'"):
        ReceptorModel(equations="dg/dt = -g/ms : siemens\nI = g*v : amp", jump="g", current="J")


def test_the_variable_of_a_jump_has_no_default():
    with pytest.raises(SpecError, match=r"expected no default for 'I', .* found '3 pA'"):
        ReceptorModel(equations="I : amp", jump="I", current="I", parameters={"I": "3 pA"})


def test_exact_integration_with_a_conductance_is_refused():
    with pytest.raises(SpecError, match=r"method 'exact' can integrate, .*; use .*\"exponential_euler\""):
        step_program(neuron(method="exact"), {"ampa": RECEPTOR_MODELS["ampa"]})


VALUES = {"E": -70.0, "b": 3.0, "tau": 20.0, "t_ref": 0.0, "C": 200.0}


def one_step(model, v, own=None, values=VALUES, **state):
    program = step_program(model, own or {})
    state = {name: np.zeros(1) for name in program.state} | {"v": np.array([v])} | state
    found, spiking = step(program, constants(program, values, 0.1), state, {})
    return float(found["v"][0]), bool(spiking[0])


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "exponential_euler", "exact", "linear"])
def test_every_method_integrates_a_decay_to_its_order(method):
    order = {"euler": 1, "rk2": 2, "rk4": 4}.get(method)
    found, _ = one_step(neuron(method=method), -65.0)
    h = 0.1 / 20
    expected = -70 + 5 * np.exp(-h)
    if order is None:
        assert found == pytest.approx(expected, rel=1e-15)
    else:
        # The first term that a method of this order leaves out.
        left_out = 5 * h ** (order + 1) / np.prod(np.arange(1, order + 2))
        assert abs(found - expected) == pytest.approx(left_out, rel=0.05)


def test_a_function_of_the_state_may_stand_in_threshold_and_reset():
    model = neuron(threshold="I_own > 20*pA", reset="v = E + 0.5*I_own*tau/C")
    assert one_step(model, -67.0, refractory_left=np.zeros(1)) == (pytest.approx(-70 + 0.5 * 3 * (1 - 0.1 / 20)), True)
    assert one_step(model, -69.0)[1] is False


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("exp(v/b)", np.exp),
        ("sin(v/b)", np.sin),
        ("tanh(v/b)", np.tanh),
        ("sinh(v/b/10)", lambda x: np.sinh(x / 10)),
        ("cosh(v/b/10)", lambda x: np.cosh(x / 10)),
        ("exprel(v/b)", lambda x: np.expm1(x) / x),
        ("log(-v/b)", lambda x: np.log(-x)),
        ("log10(-v/b)", lambda x: np.log10(-x)),
        ("(-v/b)**1.7", lambda x: (-x) ** 1.7),
        ("(1 - v/b)**5/1e6", lambda x: (1 - x) ** 5 / 1e6),
        ("(v/b)**7/1e6", lambda x: x**7 / 1e6),
        ("abs(v/b)", np.abs),
        ("clip(v/b, -1, 1)", lambda x: np.clip(x, -1, 1)),
        ("sqrt(-v/b)", lambda x: np.sqrt(-x)),
        ("int(v > E)", lambda x: float(x > -70 / 3)),
        ("(v/b)**3", lambda x: x**3),
        ("(v/b)**-1", lambda x: 1 / x),
        ("1/(1 + (v/b)**2)", lambda x: 1 / (1 + x**2)),
        ("(b/v)**2*(v/b)**5", lambda x: x**3),
        # Of a power, which may be complex to sympy, it takes the real part.
        ("abs(exp((-v/b)**(tau/C*pF/ms)))/1e9", lambda x: np.exp((-x) ** (20 / VALUES["C"])) / 1e9),
        ("abs(exp(exp(-(-v/b)**0.3)))", lambda x: np.exp(np.exp(-((-x) ** 0.3)))),
    ],
)
@pytest.mark.parametrize("v", [-75.5, -2.25])
def test_functions_of_the_state_are_computed(text, function, v):
    found, _ = one_step(neuron(EQUATIONS.replace("(E - v)/tau", f"{text}*b/tau"), threshold="v > 900*mV"), v)
    assert found == pytest.approx(v + 0.1 / 20 * 3 * function(v / 3), rel=1e-14)


@pytest.mark.parametrize("x", [1e-12, -1e-3, 0.3, -40.0, 300.0])
@pytest.mark.parametrize("name", ["tanh", "sinh"])
def test_hyperbolic_functions_lose_nothing_near_zero(name, x):
    model = neuron(f"dv/dt = {name}(v/mV)*b/tau : volt\nb : volt\ntau : second", "v > 1e300*volt", "v = b", None)
    found, _ = one_step(model, x, values={"b": 200.0, "tau": 1.0})
    assert found - x == pytest.approx(20.0 * getattr(np, name)(x), rel=1e-14, abs=1e-27)


@pytest.mark.parametrize("n", range(2, 7))
def test_integer_powers_are_products(n):
    program = step_program(drift(f"b*(v/b)**{n}/tau"), {})
    text = " ".join(s.expression for s in program.integrate)
    assert "power" not in text
    assert "**" not in text


def test_high_powers_of_sums_are_not_multiplied_out():
    # At v = -70.3 mV the sum is -0.1; multiplied out, terms of (70/3)**6 would have to cancel.
    found, _ = one_step(drift("b*((v - E)/b)**6/tau"), -70.3)
    assert found + 70.3 == pytest.approx(0.1 * 3 * 1e-6 / 20, abs=2e-14)
    assert step_program(drift("b*((v - E)/b)**6/tau"), {}).integrate[-2].expression.count("v") < 9


def test_units_in_equations_are_converted():
    text = "20*nA/(2*nF) + 0.003*volt/second + 5*uvolt/us + 1*Mohm*3*nA/(30*second)"
    found, _ = one_step(drift(text), -70.0)
    assert found == pytest.approx(-70 + 0.1 * (10 + 0.003 + 5 + 1e-4), rel=1e-14)


def test_comments_and_several_lines_are_allowed():
    model = neuron("# a neuron\n" + EQUATIONS, reset="v = E  # back\nv += b # and up\n\n")
    assert one_step(model, -30.0) == (-67.0, True)


def test_receptors_need_no_newline_at_their_end():
    own = receptor("dg/dt = -g/tau_r : siemens\nI = g*(E - v) : amp\ntau_r : second")
    other = receptor("dh/dt = -h/tau_h : siemens\nJ = h*(E - v) : amp\ntau_h : second", jump="h", current="J")
    program = step_program(neuron(), {"one": own["own"], "two": other["own"]})
    assert program.state == ("v", "g", "h", "refractory_left")
    assert program.jumps == {"one": "g", "two": "h"}


def test_a_model_may_do_without_receptors_current():
    model = neuron("dv/dt = (E - v)/tau : volt\nE : volt\ntau : second", refractory=None)
    program = step_program(model, {"ampa": RECEPTOR_MODELS["ampa"]})
    assert program.state == ("v", "g_ampa")
    assert program.parameters == {"E": "mV", "tau": "ms", "E_ampa": "mV", "tau_ampa": "ms"}
    assert program.units == {"v": "mV", "g_ampa": "nS"}


def system(rates):
    lines = [f"dx{i}/dt = ({rate} - x{i})/tau : 1" for i, rate in enumerate(rates)]
    return neuron("\n".join([*lines, "tau : second"]), "x0 > 1", "x0 = 0", None, "exact")


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        (["x1", "x2", "x0"], "a circle of x0, x1, x2"),
        (["x1", "x2", "x3", "1"], "a chain of 4 that ends in x0"),
        (["x1", "x0 + x2", "1"], "a circle of x0, x1 with others before or behind it"),
        (["x1", "x0", "x1"], "a circle of x0, x1 with others before or behind it"),
        (["1"] * 31, "31 variables"),
    ],
)
def test_systems_that_would_be_solved_without_end_are_refused(rates, found):
    with pytest.raises(SpecError, match=f"for method 'exact' at most .*, found {found}; use"):
        step_program(system(rates), {})


def test_rules_whose_solutions_would_not_end_are_refused():
    squares = "\n".join(f"dx{i}/dt = (x{i - 1}*x{i - 1} - x{i})/tau : 1" for i in range(1, 12))
    rule = PlasticityModel(equations=f"dx0/dt = -x0/tau : 1\n{squares}\ntau : second")
    with pytest.raises(SpecError, match="solutions have at most 400 terms, found more"):
        rule_program(rule, "nS")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int(v <= p - int(v > 0))", r"found \(int.* \(Invalid comparison of non-real .*\); leave int"),
        ("tanh(int(w > 1.5) - (u + v))", r"found \(tanh.* \(it does not come to an end\); leave int"),
    ],
)
def test_a_condition_as_a_number_where_sympy_cannot_take_it_is_refused(text, message):
    equations = f"dv/dt = ({text} - v)/second : 1\nw : 1\nu : 1\np : 1"
    with pytest.raises(SpecError, match=message):
        step_program(neuron(equations, "v > 1", "v = 0", None), {})


@pytest.mark.parametrize("text", ["(v - v)/(v - v)*b/tau", "b*b/tau/(E - E)", "log(-E/E)*b/tau"])
def test_what_has_no_value_is_refused(text):
    with pytest.raises(SpecError, match=r"expected (real numbers|what has a value)"):
        step_program(drift(text), {})


def test_conditions_of_parameters_and_large_numbers_are_constants():
    program = step_program(drift("b*int(E < b and b > 0*mV)/tau + b*tanh(10**20*tau/tau)/tau"), {})
    found = program_constants(program, neuron(), {k: np.full(2, v) for k, v in VALUES.items()}, 0.1, 2)
    assert all(np.isfinite(values).all() for values in found.values())
