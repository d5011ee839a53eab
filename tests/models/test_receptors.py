import numpy as np
import pytest

from tests.models.steps import constants, models, step
from twinbrain import units
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.step import step_program
from twinbrain.spec.model import NeuronModel

DT = 0.1
# A membrane that only adds up its current: one step changes v by I*dt/C.
ELECTROMETER = NeuronModel(equations="dv/dt = I_syn/C : volt\nC : farad", threshold="v > 10*volt", reset="v = 0*volt")


def defaults(receptor):
    program = step_program(ELECTROMETER, {receptor: RECEPTOR_MODELS[receptor]})
    values = RECEPTOR_MODELS[receptor].parameters
    return program, {k: units.coherent(values[k], program.parameters[k]) for k in values} | {"C": 1.0}


def response(receptor, weight, n_steps):
    """Return the receptor's variable after each step, for one spike that arrives in the first."""
    program, parameters = defaults(receptor)
    values = constants(program, parameters, DT)
    state = {name: np.zeros(1) for name in program.state}
    trace = []
    for n in range(n_steps):
        state, _ = step(program, values, state, {receptor: weight if n == 0 else 0})
        trace.append({name: float(value[0]) for name, value in state.items()})
    return trace


@pytest.mark.parametrize(("receptor", "rise", "decay"), [("nmda", 4.0, 40.0), ("gaba_b", 60.0, 200.0)])
def test_a_double_exponential_peaks_at_its_weight(receptor, rise, decay):
    n = round(4 * decay / DT)
    found = np.array([row[f"g_{receptor}"] for row in response(receptor, 3.0, n)])
    t = DT * np.arange(1, n + 1)
    peak_time = np.log(decay / rise) * rise * decay / (decay - rise)
    shape = np.exp(-t / decay) - np.exp(-t / rise)
    peak = np.exp(-peak_time / decay) - np.exp(-peak_time / rise)
    np.testing.assert_allclose(found, 3.0 * shape / peak, rtol=1e-11)
    assert found.max() == pytest.approx(3.0, rel=1e-5)
    assert t[found.argmax()] == pytest.approx(peak_time, abs=DT)


@pytest.mark.parametrize(
    ("receptor", "variable", "decay"),
    [("ampa", "g_ampa", 2.0), ("gaba_a", "g_gaba_a", 7.0), ("exponential_current", "I_exponential_current", 2.0)],
)
def test_a_single_exponential_begins_at_its_weight_and_decays(receptor, variable, decay):
    found = [row[variable] for row in response(receptor, 5.0, 100)]
    np.testing.assert_allclose(found, 5.0 * np.exp(-DT * np.arange(1, 101) / decay), rtol=1e-12)


@pytest.mark.parametrize(
    ("receptor", "variable"), [("alpha_current", "I_alpha_current"), ("alpha_conductance", "g_alpha_conductance")]
)
def test_an_alpha_function_peaks_at_its_weight_after_its_time_constant(receptor, variable):
    found = np.array([row[variable] for row in response(receptor, 5.0, 300)])
    t = DT * np.arange(1, 301)
    np.testing.assert_allclose(found, 5.0 * t / 2 * np.exp(1 - t / 2), rtol=1e-12)
    assert found.max() == pytest.approx(5.0, rel=1e-14)
    assert t[found.argmax()] == pytest.approx(2.0)


def test_a_current_flows_for_its_step_alone():
    # The electrometer of 1 pF rises by I*dt.
    assert [row["v"] for row in response("current", 5.0, 3)] == pytest.approx([0.5, 0.5, 0.5])


def test_a_delta_jumps_after_the_integration():
    assert [row["v"] for row in response("delta", 5.0, 3)] == [5.0, 5.0, 5.0]


def current(receptor, v, **state):
    program, parameters = defaults(receptor)
    start = {name: np.zeros(1) for name in program.state} | {k: np.array([x]) for k, x in state.items()}
    after, _ = step(program, constants(program, parameters, DT), start | {"v": np.array([v])}, {})
    return (float(after["v"][0]) - v) / DT


@pytest.mark.parametrize(
    ("v", "open_share"),
    # Jahr and Stevens (1990) at 1 mM, equation 4: 1/(1 + exp(-0.062 v)/3.57).
    [
        (-80.0, 0.024424653),
        (-60.0, 0.079626369),
        (-40.0, 0.230155318),
        (-20.0, 0.50814068),
        (20.0, 0.925018034),
        (40.0, 0.977080156),
    ],
)
def test_magnesium_blocks_nmda_at_rest_and_lets_go_on_depolarisation(v, open_share):
    assert current("nmda", v, g_nmda=2.0) == pytest.approx(-2.0 * v * open_share, rel=1e-6)


@pytest.mark.parametrize(
    ("receptor", "reversal"),
    [("ampa", 0.0), ("alpha_conductance", 0.0), ("nmda", 0.0), ("gaba_a", -70.0), ("gaba_b", -90.0)],
)
def test_a_conductance_drives_towards_its_reversal(receptor, reversal):
    assert current(receptor, reversal, **{f"g_{receptor}": 2.0}) == pytest.approx(0.0, abs=1e-9)
    assert (
        current(receptor, reversal + 5, **{f"g_{receptor}": 2.0})
        < 0
        < current(receptor, reversal - 5, **{f"g_{receptor}": 2.0})
    )


@pytest.mark.parametrize("dt", [0.01, 0.1, 5.0])
def test_an_ou_current_is_updated_exactly(dt):
    # Gillespie (1996), doi 10.1103/PhysRevE.54.2084, equation 2.15a.
    program, parameters = defaults("ou_current")
    values = constants(program, parameters | {"tau_ou_current": 4.0}, dt)
    state = {name: np.zeros(1) for name in program.state} | {"y_ou_current": np.array([0.7])}
    after, _ = step(program, values, state, {"ou_current": -1.3})
    a = np.exp(-dt / 4.0)
    assert after["y_ou_current"][0] == pytest.approx(0.7 * a - 1.3 * np.sqrt(1 - a**2), rel=1e-12)
    assert after["v"][0] == pytest.approx(0.7 * 50.0 * dt, rel=1e-12)


def test_currents_of_receptors_add_up():
    program = step_program(*models("lif_conductance", ("ampa", "gaba_a")))
    assert program.jumps == {"ampa": "g_ampa", "gaba_a": "g_gaba_a"}
    assert program.units["g_ampa"] == program.units["g_gaba_a"] == "nS"


@pytest.mark.parametrize("name", RECEPTOR_MODELS)
def test_every_receptor_has_a_source_and_all_its_defaults(name):
    receptor = RECEPTOR_MODELS[name]
    assert receptor.references
    program = step_program(ELECTROMETER, {name: receptor})
    assert set(receptor.parameters) == set(program.parameters) - {"C"}
