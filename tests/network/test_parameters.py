import numpy as np
import pytest
from scipy import stats

from tests.examples import CORTEX, RELAY, build_brain, build_region, region_data, small_brain, two_population_region
from twinbrain.engines.interpreter import evaluate as evaluate_step
from twinbrain.errors import SpecError
from twinbrain.models.neurons import LIF_CURRENT
from twinbrain.models.step import REFRACTORY_STEPS
from twinbrain.network.parameters import evaluate
from twinbrain.spec.region import Region


def one_population(model, receptors=(), size=2000, **cell):
    return Region.parse(
        {
            "name": "test/one",
            "cells": {"cell": {"model": model, "receptors": list(receptors), **cell}},
            "populations": {"all": {"cell": "cell", "size": size}},
        }
    )


def block_of(model, receptors=(), dt=0.1, **cell):
    (block,) = build_region(one_population(model, receptors, **cell), dt=dt).blocks
    return block


def constant(block, expression):
    """Return the values of the constant that a program computes by an expression of parameters."""
    name = next(name for name, text in block.program.constants.items() if text == expression)
    return block.constants[name]


def test_defaults_are_those_of_the_model():
    block = block_of("lif_conductance", ["ampa"])
    assert set(constant(block, "V_th")) == {-55.0}
    assert set(constant(block, "V_reset")) == {-60.0}
    assert set(block.initial["v"]) == {-70.0}
    assert set(block.initial["g_ampa"]) == {0.0}


def test_parameters_differ_from_neuron_to_neuron_as_declared():
    parameters = {"V_th": {"normal": ["-50 mV", "2 mV"]}, "V_reset": {"uniform": ["-70 mV", "-60 mV"]}}
    block = block_of("lif_conductance", parameters=parameters)
    threshold, reset = constant(block, "V_th"), constant(block, "V_reset")
    assert stats.kstest(threshold, stats.norm(-50, 2).cdf).pvalue > 1e-3
    assert stats.kstest(reset, stats.uniform(-70, 10).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(threshold, reset)[0, 1]) < 5 / np.sqrt(2000)


def test_constants_follow_from_each_neurons_own_parameters():
    region = one_population("lif_current", ["exponential_current"], size=300)
    data = region.to_dict()
    data["cells"]["cell"]["parameters"] = {
        "C_m": {"lognormal": ["250 pF", 0.2]},
        "g_L": {"normal": ["25 nS", "2 nS"]},
        "tau_exponential_current": {"uniform": ["1 ms", "4 ms"]},
    }
    # A threshold that shows what the parameters are.
    shown = "v > 1*volt and C_m > 0*pF and g_L > 0*nS and tau_exponential_current > 0*ms"
    data["models"] = {"shown": LIF_CURRENT.model_copy(update={"threshold": shown}).to_dict()}
    data["cells"]["cell"]["model"] = "shown"
    (block,) = build_region(Region.parse(data)).blocks
    C, g, tau = (block.constants[name] for name in ("C_m", "g_L", "tau_exponential_current"))
    (decay,) = (name for name, text in block.program.constants.items() if text == "exp(-dt/tau_exponential_current)")
    np.testing.assert_array_equal(block.constants[decay], np.exp(-0.1 / tau))
    leak = next(s.expression for s in block.program.integrate if s.target == "_new_v")
    v_factor = next(
        name for name, text in block.program.constants.items() if text in ("exp(-dt*g_L/C_m)", "exp(-g_L*dt/C_m)")
    )
    np.testing.assert_allclose(block.constants[v_factor], np.exp(-0.1 * g / C), rtol=1e-15)
    assert f"{v_factor}*v" in leak
    assert len(np.unique(block.constants[v_factor])) == 300


def test_the_initial_state_can_differ():
    block = block_of("adex", initial={"v": {"uniform": ["-70 mV", "-50 mV"]}, "w": "30 pA"})
    assert stats.kstest(block.initial["v"], stats.uniform(-70, 20).cdf).pvalue > 1e-3
    assert set(block.initial["w"]) == {30.0}
    assert set(block.initial["refractory_left"]) == {0.0}


@pytest.mark.parametrize(
    ("t_ref", "dt", "steps"),
    [("2 ms", 0.1, 20), ("1 ms", 0.3, 3), ("0 ms", 0.1, 0), ("0.06 ms", 0.1, 1), ("0.27 ms", 0.1, 3)],
)
def test_refractory_periods_are_whole_steps(t_ref, dt, steps):
    block = block_of("lif_conductance", dt=dt, parameters={"t_ref": t_ref})
    assert set(block.constants[REFRACTORY_STEPS]) == {steps}


def test_refractory_periods_may_differ():
    block = block_of("lif_conductance", parameters={"t_ref": {"uniform": ["1 ms", "3 ms"]}})
    steps = block.constants[REFRACTORY_STEPS]
    assert set(steps) == set(range(10, 31))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            {"parameters": {"C_M": "1 pF"}},
            "parameters.C_M: unknown parameter 'C_M'; did you mean 'C_m'? Known: C_m, E_L, ",
        ),
        (
            {"parameters": {"C_m": "1 pA"}},
            "parameters.C_m: expected a quantity in pF, found '1 pA', which is of another dim",
        ),
        ({"parameters": {"C_m": 1}}, "parameters.C_m: expected a quantity in pF, found 1.0 without a unit; write"),
        (
            {"parameters": {"C_m": {"normal": ["1 pF", "-1 pF"]}}},
            "parameters.C_m: expected a standard deviation of at least 0",
        ),
        (
            {"parameters": {"tau_ampa": {"normal": ["2 ms", "1 ms"]}}},
            "parameters.tau_ampa: expected tau_ampa > 0, found tau_ampa = -",
        ),
        ({"parameters": {"C_m": "-1 pF"}}, "parameters.C_m: expected C_m > 0, found C_m = -1 pF"),
        ({"initial": {"V": "1 mV"}}, "initial.V: unknown state variable 'V'; Known: g_ampa, v"),
        (
            {"initial": {"v": "1 pA"}},
            "initial.v: expected a quantity in mV, found '1 pA', which is of another dimension",
        ),
        ({"parameters": {"E_gaba_a": "-80 mV"}}, "parameters.E_gaba_a: unknown parameter 'E_gaba_a'"),
    ],
)
def test_a_cell_with_a_wrong_parameter_is_refused_with_its_place(cell, message):
    with pytest.raises(SpecError) as caught:
        build_region(one_population("lif_conductance", ["ampa"], **cell))
    assert str(caught.value).startswith(f"region test/one: population all: {message}")
    assert len(caught.value.problems) == 1


def test_a_parameter_without_a_default_must_be_given():
    model = LIF_CURRENT.model_copy(
        update={"parameters": {k: v for k, v in LIF_CURRENT.parameters.items() if k != "g_L"}}
    )
    data = one_population("mine").to_dict() | {"models": {"mine": model.to_dict()}}
    with pytest.raises(
        SpecError, match=r"population all: parameters.g_L: expected a value in nS, found none; give one$"
    ):
        build_region(Region.parse(data))


@pytest.mark.parametrize(
    ("model", "receptor", "parameters", "names"),
    [
        ("lif_conductance", "alpha_conductance", {"C_m": "1e-320 pF"}, "C_m"),
        ("lif_conductance", "ampa", {"C_m": "1e-320 pF"}, "C_m"),
    ],
)
def test_constants_that_are_not_finite_are_refused(model, receptor, parameters, names):
    message = rf"parameters\.{names}: expected values that give finite constants, found some that divide by zero or"
    with pytest.raises(SpecError, match=message):
        build_region(one_population(model, [receptor], parameters=parameters))


def test_a_fault_of_one_population_is_reported_once_however_many_regions():
    data = region_data(RELAY)
    data["cells"]["relay"]["parameters"]["kk"] = "1 nS"
    brain = small_brain(9)
    brain = brain.model_copy(update={"regions": {"TH-*": Region.parse(data), "CX-*": two_population_region()}})
    with pytest.raises(SpecError) as caught:
        build_brain(brain)
    assert [problem.where for problem in caught.value.problems] == [
        "region test/relay: population relay: parameters.kk"
    ]


def test_cells_of_one_model_may_have_different_parameters():
    data = region_data(CORTEX)
    data["cells"]["pv"] = {"model": "adex", "receptors": ["ampa", "gaba_a"], "parameters": {"V_peak": "10 mV"}}
    (block,) = build_region(Region.parse(data)).blocks
    assert constant(block, "V_peak").tolist() == [0.0] * 40 + [10.0] * 10


@pytest.mark.parametrize(("period", "passes"), [("0 ms", True), ("0.05 ms", True), ("0.04 ms", False)])
def test_a_refractory_period_that_is_no_step_is_refused(period, passes):
    cell = {"model": "lif_current", "parameters": {"t_ref": period}}
    region = Region.parse({"name": "some", "cells": {"a": cell}, "populations": {"a": {"cell": "a", "size": 2}}})
    if passes:
        build_region(region)
        return
    with pytest.raises(SpecError, match=r"parameters\.t_ref: expected 0 ms, or half a step of 0\.1 ms at least, found"):
        build_region(region)


@pytest.mark.parametrize("x", [0.0, 1.0, 2.0, 3.0, 4.0])
def test_a_clip_whose_bounds_are_exchanged_is_the_same_in_constants_and_in_steps(x):
    names = {"x": np.array([x]), "low": np.array([3.0]), "high": np.array([1.0])}
    (constant,) = evaluate("clip(x, low, high)", names, {})
    assert constant == evaluate_step("bounded(x, low, high)", names)[0]


OWN = {
    "name": "test/own",
    "models": {
        "m": {
            "equations": "dv/dt = (E_L - v + R*I_syn)/tau : volt\nE_L : volt\nR : ohm\ntau : second",
            "threshold": "v > E_L + 1000*mV",
            "reset": "v = E_L",
            "method": "euler",
            "parameters": {"E_L": "-65 mV", "R": "40 Mohm", "tau": "10 ms"},
            "initial": {"v": "-65 mV"},
        }
    },
    "receptors": {
        "s": {
            "equations": "I_s = g_s*(E_s - v)*tau_d/(tau_d - tau_s) : amp\ndg_s/dt = -g_s/tau_s : siemens\n"
            "E_s : volt\ntau_s : second\ntau_d : second",
            "jump": "g_s",
            "current": "I_s",
            "ranges": ["tau_s < tau_d"],
        }
    },
    "cells": {
        "a": {
            "model": "m",
            "receptors": ["s"],
            "parameters": {"tau_s": {"values": [3.0, 4.0], "unit": "ms"}, "tau_d": "5 ms", "E_s": "0 mV"},
        },
        "b": {"model": "m"},
    },
    "populations": {"b": {"cell": "b", "size": 3}, "a": {"cell": "a", "size": 2}},
}


def test_a_cell_needs_no_parameters_of_a_receptor_that_others_alone_list():
    (block,) = build_region(Region.parse(OWN)).blocks
    assert block.size == 5
    assert all(np.isfinite(values).all() for values in block.constants.values())


@pytest.mark.parametrize("kind", ["initial", "parameters"])
@pytest.mark.parametrize("alone", [True, False])
def test_names_of_a_receptor_mean_nothing_to_a_cell_that_does_not_list_it(kind, alone):
    given = {"initial": {"g_s": "5 nS"}, "parameters": {"E_s": "0 mV"}}[kind]
    data = OWN | {"cells": OWN["cells"] | {"b": {"model": "m", kind: given}}}
    if alone:
        data["populations"] = {"b": OWN["populations"]["b"]}
    with pytest.raises(SpecError, match=rf"population b: {kind}\.{next(iter(given))}: unknown "):
        build_region(Region.parse(data))


def test_an_initial_value_of_a_model_for_a_receptor_reaches_no_cell_without_it():
    model = OWN["models"]["m"] | {"initial": {"v": "-65 mV", "g_s": "5 nS"}}
    with pytest.raises(SpecError, match=r"^region test/own: population b: initial\.g_s: unknown state variable 'g_s'"):
        build_region(Region.parse(OWN | {"models": {"m": model}}))
    alone = OWN | {"models": {"m": model}, "populations": {"a": OWN["populations"]["a"]}}
    (block,) = build_region(Region.parse(alone)).blocks
    assert set(block.initial["g_s"]) == {5.0}
