import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.models.steps import constants, models, step
from twinbrain import units
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.step import step_program


def simulate(name, receptors, duration, dt, inbox=None, **parameters):
    """Return the state after each step, and the steps of spikes; ``inbox`` arrives in the first."""
    model, own = models(name, receptors)
    program = step_program(model, own)
    texts = dict(model.parameters)
    for receptor in own.values():
        texts |= receptor.parameters
    values = {k: units.coherent(texts[k], program.parameters[k]) for k in texts} | parameters
    fixed = constants(program, values, dt, np.floor(values.get("t_ref", 0.0) / dt + 0.5))
    initial = {k: units.coherent(v, program.units[k]) for k, v in model.initial.items()}
    state = {key: np.array([initial.get(key, 0.0)]) for key in program.state}
    trace, spikes = {key: [] for key in program.state}, []
    for n in range(round(duration / dt)):
        state, spiking = step(program, fixed, state, (inbox or {}) if n == 0 else {})
        for key, value in state.items():
            trace[key].append(float(value[0]))
        if spiking[0]:
            spikes.append(n)
    return {key: np.array(value) for key, value in trace.items()}, spikes


def test_lif_current_follows_the_closed_form_of_a_postsynaptic_potential():
    # Rotter & Diesmann (1999), for a current of time constant s and a membrane of time constant m.
    trace, _ = simulate("lif_current", ("exponential_current",), 100.0, 0.1, {"exponential_current": 300.0})
    m, s, C = 250 / 25, 2.0, 250.0
    t = 0.1 * np.arange(1, 1001)
    expected = -70 + 300 / C * m * s / (m - s) * (np.exp(-t / m) - np.exp(-t / s))
    np.testing.assert_allclose(trace["v"], expected, rtol=1e-12)
    assert trace["v"].max() > -68.5


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_lif_current_does_not_depend_on_the_time_step(dt):
    trace, _ = simulate("lif_current", ("exponential_current",), 20.0, dt, {"exponential_current": 300.0}, I_e=200.0)
    fine, _ = simulate("lif_current", ("exponential_current",), 20.0, 0.05, {"exponential_current": 300.0}, I_e=200.0)
    every = round(dt / 0.05)
    np.testing.assert_allclose(trace["v"], fine["v"][every - 1 :: every], rtol=1e-12)


@pytest.mark.parametrize("name", ["lif_current", "lif_conductance"])
def test_lif_fires_at_the_rate_of_the_closed_form(name):
    parameters = {"C_m": 250.0, "g_L": 25.0, "V_reset": -70.0, "I_e": 500.0, "t_ref": 2.0}
    _, spikes = simulate(name, (), 100.0, 0.01, **parameters)
    # From reset at rest, v reaches threshold after tau*log(I/(I - g(V_th - E_L))).
    interval = 10 * np.log(500 / (500 - 25 * 15)) + 2
    assert np.diff(spikes).tolist() == pytest.approx([interval / 0.01] * (len(spikes) - 1), abs=2)
    assert len(spikes) == int((100 - interval + 2) / interval) + 1


def test_lif_conductance_settles_where_currents_balance():
    trace, _ = simulate("lif_conductance", ("ampa",), 300.0, 0.1, {"ampa": 20.0}, tau_ampa=1e12, V_th=100.0)
    assert trace["v"][-1] == pytest.approx((16.6667 * -70 + 20 * 0) / (16.6667 + 20), rel=1e-9)


def adex_solution(times, current):
    """Brette & Gerstner (2005), with their parameters, to nine digits."""

    def change(_, y):
        v, w = y
        return [(30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + current) / 281, (4 * (v + 70.6) - w) / 144]

    return solve_ivp(change, (0, times[-1]), [-70.6, 0.0], "DOP853", times, rtol=1e-11, atol=1e-11).y


def test_adex_below_threshold_follows_the_equations():
    errors = []
    for dt in (0.1, 0.05):
        trace, spikes = simulate("adex", (), 200.0, dt, I_e=500.0)
        v, w = adex_solution(dt * np.arange(1, len(trace["v"]) + 1), 500.0)
        assert spikes == []
        errors.append((np.abs(trace["v"] - v).max(), np.abs(trace["w"] - w).max()))
    # Euler's method: within 0.1 mV and 0.1 pA at 0.1 ms, and half as far off at half the step.
    assert errors[0][0] < 0.1
    assert errors[0][1] < 0.1
    np.testing.assert_allclose(np.array(errors[0]) / errors[1], 2.0, rtol=0.05)


def test_adex_adapts():
    _, spikes = simulate("adex", (), 500.0, 0.1, I_e=1000.0)
    intervals = np.diff(spikes)
    assert len(intervals) > 5
    assert intervals[-1] > 1.5 * intervals[0]


def test_adex_does_not_overflow_under_any_input():
    trace, spikes = simulate("adex", ("ampa",), 20.0, 0.1, {"ampa": 10_000.0})
    assert len(spikes) > 2
    assert all(np.isfinite(values).all() for values in trace.values())


def test_izhikevich_has_the_rheobase_of_its_book():
    # Izhikevich (2007), section 8.2.1: the regular spiking cell (C=100, k=0.7, b=-2) fires from 51.8 pA on.
    _, silent = simulate("izhikevich_2007", (), 2000.0, 0.5, I_e=50.0)
    _, spikes = simulate("izhikevich_2007", (), 2000.0, 0.5, I_e=55.0)
    assert silent == []
    assert len(spikes) >= 2


def test_izhikevich_below_threshold_follows_the_equations():
    def change(_, y):
        v, u = y
        return [(0.7 * (v + 60) * (v + 40) - u + 40.0) / 100, 0.03 * (-2 * (v + 60) - u)]

    trace, _ = simulate("izhikevich_2007", (), 300.0, 0.1, I_e=40.0)
    times = 0.1 * np.arange(1, 3001)
    v, u = solve_ivp(change, (0, 300), [-60.0, 0.0], "DOP853", times, rtol=1e-11, atol=1e-11).y
    np.testing.assert_allclose(trace["v"], v, atol=0.05)
    np.testing.assert_allclose(trace["u"], u, atol=0.1)


@pytest.mark.parametrize("name", NEURON_MODELS)
def test_every_neuron_has_a_source_all_its_defaults_and_rests(name):
    model = NEURON_MODELS[name]
    program = step_program(model, {})
    assert model.references
    assert set(model.parameters) == set(program.parameters)
    trace, spikes = simulate(name, (), 500.0, 0.1)
    assert spikes == []
    assert trace["v"][-1] == pytest.approx(units.number(model.initial["v"], "mV"), abs=0.1)
