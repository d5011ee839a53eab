import re

import numpy as np
import pytest
from scipy.linalg import expm

from tests.models.steps import COMBINATIONS, CONDUCTANCES, SI, brian_step, constants, declared, models, step
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.step import REFRACTORY_LEFT, step_program
from twinbrain.spec.model import NeuronModel, ReceptorModel

N = 400
DT = 0.1


def random_values(rng, texts, defaults):
    """Return parameters as they are usual, no two neurons alike, in the coherent set."""
    values = {}
    for name, unit in declared("\n".join(texts)).items():
        _, usual = SI[unit]
        if unit in ("farad", "second", "1/second", "mM", "1"):
            values[name] = usual * rng.lognormal(0, 0.4, N)
        else:
            values[name] = usual * rng.normal(0, 1, N)
    values["v"] = rng.uniform(-80, -30, N)
    for name in ("E_L", "V_T", "V_th", "V_reset", "v_r", "v_t", "c", "v_low", "v_cubic"):
        values[name] = rng.uniform(-80, -40, N)
    values |= {"Delta_T": rng.uniform(1, 4, N), "V_peak": rng.uniform(-60, 0, N), "v_peak": rng.uniform(-60, 0, N)}
    values |= {"t_ref": rng.choice([0.0, 0.1, 0.5, 2.0], N), "u_max": rng.uniform(10, 200, N)}
    values["theta_inf"] = rng.uniform(-80, -40, N)
    return values | {name: rng.uniform(0.0, 1.0, N) for name in ("m", "h", "n")}


def test_the_combinations_cover_the_library():
    """But for noise, whose equations hold the time step; it has a test of its own."""
    assert {name for name, _ in COMBINATIONS} == set(NEURON_MODELS)
    assert {receptor for _, receptors in COMBINATIONS for receptor in receptors} == set(RECEPTOR_MODELS) - {
        "ou_current"
    }


@pytest.mark.parametrize(("name", "receptors"), COMBINATIONS)
def test_a_step_is_what_brian2_computes(name, receptors):
    model, own = models(name, receptors)
    program = step_program(model, own)
    rng = np.random.default_rng(3)
    texts = [model.equations, *(receptor.equations for receptor in own.values())]
    values = random_values(rng, texts, model.parameters)
    jumps = {receptor.jump for receptor in own.values()}
    units = {key: unit for key, unit in declared("\n".join(texts)).items() if key not in jumps}
    parameters = {key: values[key] for key in units}
    names = {"mV": "volt", "pA": "amp", "nS": "siemens", "mV/ms": "volt/second", "1": "1"}
    state_units = {key: names[program.units[key]] for key in program.state if key != REFRACTORY_LEFT}
    input_units = {key: names[program.units[own[key].jump]] for key in receptors}
    state = {key: values.get(key, SI[unit][1] * rng.normal(1, 1, N)) for key, unit in state_units.items()}
    left = rng.choice([0.0, 1.0, 2.0, 5.0], N) if model.refractory else np.zeros(N)
    inbox = {receptor: rng.integers(-500, 3000, N) for receptor in receptors}
    quantum = 2.0**-8

    si = {key: SI[units[key]][0] for key in units} | {key: SI[unit][0] for key, unit in state_units.items()}
    expected, expected_spiking = brian_step(
        model,
        own,
        {key: values * si[key] for key, values in parameters.items()},
        {key: values * si[key] for key, values in state.items()} | {REFRACTORY_LEFT: left},
        {key: inbox[key] * quantum * SI[input_units[key]][0] for key in receptors},
        DT * 1e-3,
    )
    steps = np.floor(parameters["t_ref"] / DT + 0.5) if model.refractory else 0
    found, spiking = step(
        program, constants(program, parameters, DT, steps), state | {REFRACTORY_LEFT: left}, inbox, quantum
    )

    np.testing.assert_array_equal(spiking, expected_spiking)
    assert 0.05 * N < spiking.sum() < 0.95 * N
    if model.refractory:
        np.testing.assert_array_equal(found[REFRACTORY_LEFT], expected[REFRACTORY_LEFT])
    for key, unit in state_units.items():
        usual = SI[unit][1]
        np.testing.assert_allclose(found[key], expected[key] / si[key], rtol=1e-12, atol=1e-12 * usual, err_msg=key)


@pytest.mark.parametrize("name", NEURON_MODELS)
def test_a_step_computes_nothing_that_depends_on_parameters_alone(name):
    receptors = ("exponential_current",) if NEURON_MODELS[name].method == "exact" else CONDUCTANCES
    program = step_program(*models(name, receptors))
    functions = sum(len(re.findall(r"exponential\(|reciprocal\(", s.expression)) for s in program.integrate)
    # The magnesium block takes two, exponential Euler two, and AdEx's spike current one.
    # The channels of Hodgkin and Huxley take the rest.
    most = {"lif_current": 0, "alif": 0, "lif_conductance": 4, "eif": 3, "adex": 3, "glif": 4}
    most |= {"izhikevich_2003": 2, "izhikevich_2007": 2, "hodgkin_huxley": 20, "wang_buzsaki": 19}
    most |= {"relay": 0, "leaky_integrator": 0}
    assert functions == most[name]
    assert not any("/" in s.expression for s in (*program.integrate, *program.reset))
    assert "dt" not in " ".join(s.expression for s in program.integrate).split()


INTEGRATOR = NeuronModel(
    equations="""
dv/dt = rate : volt (unless refractory)
dw/dt = -rate : volt
rate : volt/second
V_th : volt
t_ref : second
""",
    threshold="v > V_th",
    reset="v = 0*mV; w += 2*mV",
    refractory="t_ref",
)


def run(program, parameters, n_steps, refractory_steps, **state):
    values = constants(program, parameters, 1.0, refractory_steps)
    state = {name: np.zeros(1) for name in program.state} | {name: np.array([value]) for name, value in state.items()}
    spikes, trace = [], []
    for n in range(n_steps):
        state, spiking = step(program, values, state, {})
        trace.append({name: float(value[0]) for name, value in state.items()})
        if spiking[0]:
            spikes.append(n)
    return spikes, trace


def test_a_neuron_spikes_above_its_threshold_not_at_it():
    program = step_program(INTEGRATOR, {})
    spikes, trace = run(program, {"rate": 1.0, "V_th": 3.0, "t_ref": 0.0}, 8, 0)
    assert spikes == [3, 7]
    assert [row["v"] for row in trace] == [1, 2, 3, 0, 1, 2, 3, 0]


@pytest.mark.parametrize("n_steps", [0, 1, 2, 5])
def test_a_refractory_neuron_holds_what_is_to_be_held_for_whole_steps(n_steps):
    program = step_program(INTEGRATOR, {})
    spikes, trace = run(program, {"rate": 1.0, "V_th": 0.5, "t_ref": 1.0}, 20, n_steps)
    # A spike of step n; held in n + 1 … n + r - 1; moving, and able to spike, from n + r on: as in Brian2.
    assert spikes == list(range(0, 20, max(n_steps, 1)))
    assert all(row["v"] == 0 for row in trace)
    assert [row["w"] for row in trace] == [2 * (n // max(n_steps, 1) + 1) - (n + 1) for n in range(20)]


def test_a_neuron_that_may_not_spike_is_not_reset():
    program = step_program(INTEGRATOR, {})
    spikes, trace = run(program, {"rate": 0.0, "V_th": 0.5, "t_ref": 1.0}, 5, 3, v=1.0, refractory_left=3.0)
    assert spikes == [2]
    assert [row["v"] for row in trace] == [1, 1, 0, 0, 0]


def test_resets_are_carried_out_one_after_the_other():
    model = INTEGRATOR.model_copy(update={"reset": "v = w; w = v + 1*mV; v -= 3*mV"})
    _, trace = run(step_program(model, {}), {"rate": 0.0, "V_th": 0.5, "t_ref": 0.0}, 1, 0, v=1.0, w=5.0)
    assert (trace[0]["v"], trace[0]["w"]) == (2, 6)


def test_without_a_refractory_period_there_is_no_counter():
    program = step_program(INTEGRATOR.model_copy(update={"refractory": None}), {})
    assert program.state == ("v", "w")
    spikes, _ = run(program, {"rate": 1.0, "V_th": 0.5, "t_ref": 1.0}, 4, 9)
    assert spikes == [0, 1, 2, 3]


def test_the_inbox_is_added_before_the_integration():
    receptor = RECEPTOR_MODELS["exponential_current"]
    program = step_program(NEURON_MODELS["lif_current"], {"exponential_current": receptor})
    first = program.integrate[0]
    assert str(first) == (
        "I_exponential_current = I_exponential_current + inbox_exponential_current*quantum_exponential_current"
    )


def test_a_condition_may_be_made_of_several():
    model = INTEGRATOR.model_copy(update={"threshold": "(v > V_th or v < -2*V_th) and not w > 1*mV"})
    parameters = {"rate": 0.0, "V_th": 1.0, "t_ref": 0.0}
    cases = {(2.0, 0.0): 1, (-3.0, 0.0): 1, (-1.0, 0.0): 0, (2.0, 5.0): 0}
    for (v, w), n in cases.items():
        assert len(run(step_program(model, {}), parameters, 1, 0, v=v, w=w)[0]) == n


HELD = """
dv/dt = (E_L - v)/tau : volt (unless refractory)
dw/dt = (a*(v - E_L) + I_syn - w)/tau_w : amp
E_L : volt
a : siemens
tau : second
tau_w : second
t_ref : second
"""
DECAYING = ReceptorModel(equations="dI/dt = -I/tau_s : amp\ntau_s : second", jump="I", current="I")


@pytest.mark.parametrize(("method", "tolerance"), [("exact", 1e-11), ("rk4", 1e-6), ("rk2", 1e-3), ("euler", 2e-2)])
def test_what_depends_on_a_variable_that_is_held_moves_as_if_it_stayed(method, tolerance):
    """As in Brian2, where dv/dt is 0 meanwhile: v neither moves nor has moved within a step. The receptor's current is
    solved on its own, and stays for the step, under methods other than exact.
    """
    model = NeuronModel(equations=HELD, threshold="v > 1*volt", reset="v = E_L", refractory="t_ref", method=method)
    program = step_program(model, {"r": DECAYING})
    parameters = {"E_L": -70.0, "a": 20.0, "tau": 10.0, "tau_w": 2.0, "tau_s": 3.0, "t_ref": 9}
    current = 30.0 if method == "exact" else 0.0
    state = {"v": -60.0, "w": 50.0, "I": current, REFRACTORY_LEFT: 100.0}
    names = {name: np.array([value]) for name, value in state.items()}
    found, _ = step(program, constants(program, parameters, DT), names, {})
    rates = np.array(
        [[0, 0, 0, 0], [20 / 2, -1 / 2, 1 / 2, 20 * 70 / 2], [0, 0, -1 / 3, 0], [0, 0, 0, 0]]
    )  # of v, w, I, 1
    expected = expm(DT * rates) @ [-60.0, 50.0, current, 1.0]
    assert found["v"][0] == -60.0
    assert [found[name][0] for name in ("w", "I")] == pytest.approx(expected[1:3], rel=tolerance)


def test_a_variable_that_is_held_alone_needs_no_second_solution():
    program = step_program(NEURON_MODELS["lif_current"], {"alpha_current": RECEPTOR_MODELS["alpha_current"]})
    assert not any(statement.target.startswith("_held") for statement in program.integrate)
