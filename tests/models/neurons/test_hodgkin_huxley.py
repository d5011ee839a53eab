"""Neurons with channels, against the original equations solved to many digits, and against NEST."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.models.simulation import rate, simulate


def traub_miles(_, y, current):
    """The equations as printed in Brette et al. (2007), with E_L = -65 mV; u = v - V_T."""
    v, m, h, n = y
    u = v + 63
    alpha_m, beta_m = 0.32 * (13 - u) / (np.exp((13 - u) / 4) - 1), 0.28 * (u - 40) / (np.exp((u - 40) / 5) - 1)
    alpha_h, beta_h = 0.128 * np.exp((17 - u) / 18), 4 / (1 + np.exp((40 - u) / 5))
    alpha_n, beta_n = 0.032 * (15 - u) / (np.exp((15 - u) / 5) - 1), 0.5 * np.exp((10 - u) / 40)
    channels = 20000 * m**3 * h * (50 - v) + 6000 * n**4 * (-90 - v)
    return [
        (10 * (-65 - v) + channels + current) / 200,
        alpha_m * (1 - m) - beta_m * m,
        alpha_h * (1 - h) - beta_h * h,
        alpha_n * (1 - n) - beta_n * n,
    ]


def wang_buzsaki(_, y, current):
    """The equations as printed in Wang & Buzsaki (1996), for a current in uA/cm2."""
    v, h, n = y
    alpha_m, beta_m = -0.1 * (v + 35) / (np.exp(-0.1 * (v + 35)) - 1), 4 * np.exp(-(v + 60) / 18)
    alpha_h, beta_h = 0.07 * np.exp(-(v + 58) / 20), 1 / (np.exp(-0.1 * (v + 28)) + 1)
    alpha_n, beta_n = -0.01 * (v + 34) / (np.exp(-0.1 * (v + 34)) - 1), 0.125 * np.exp(-(v + 44) / 80)
    m = alpha_m / (alpha_m + beta_m)
    return [
        0.1 * (-65 - v) + 35 * m**3 * h * (55 - v) + 9 * n**4 * (-90 - v) + current,
        5 * (alpha_h * (1 - h) - beta_h * h),
        5 * (alpha_n * (1 - n) - beta_n * n),
    ]


def solved(equations, start, current, duration):
    """Return the times at which v rises through -20 mV, and the membrane potential at every 0.1 ms."""

    def crossing(t, y, current):
        return y[0] + 20

    crossing.direction = 1.0
    found = solve_ivp(
        equations,
        (0, duration),
        start,
        "LSODA",
        np.arange(0, duration, 0.1),
        events=crossing,
        args=(current,),
        rtol=1e-8,
        atol=1e-8,
    )
    return found.t_events[0], found.y[0]


HH_START = [-64.7646, 0.0102273, 0.99741, 0.028167]
WB_START = [-64.0176, 0.780792, 0.089078]


def test_hodgkin_huxley_fires_as_its_equations_and_as_in_nest():
    # NEST 3.10, hh_cond_exp_traub with E_L = -65 mV, in Hz.
    nest = {100.0: 23.524, 500.0: 77.095, 1000.0: 128.308}
    _, spikes = simulate("hodgkin_huxley", 110.0, 0.01, n=4, I_e=np.array([0.0, *nest]))
    assert len(spikes[0]) == 0
    for times, amplitude in zip(spikes[1:], nest, strict=True):
        exact, _ = solved(traub_miles, HH_START, amplitude, 110.0)
        assert rate(times) == pytest.approx(rate(exact), rel=0.015)
        assert rate(times) == pytest.approx(nest[amplitude], rel=0.02)
        assert times[0] == pytest.approx(exact[0], abs=0.1)


@pytest.fixture(scope="module")
def wang_buzsaki_spikes():
    return simulate("wang_buzsaki", 110.0, 0.01, n=5, I_e=np.array([15.0, 22.0, 50.0, 100.0, 300.0]))[1]


def test_wang_buzsaki_fires_as_its_equations(wang_buzsaki_spikes):
    # It begins at about 0.16 uA/cm2.
    assert [len(times) for times in wang_buzsaki_spikes[:2]] == [0, 1]
    for times, amplitude in zip(wang_buzsaki_spikes[2:], (0.5, 1.0, 3.0), strict=True):
        exact, _ = solved(wang_buzsaki, WB_START, amplitude, 110.0)
        assert rate(times) == pytest.approx(rate(exact), rel=0.04)
    # The paper, figure 2: about 60 Hz at 1 uA/cm2.
    assert 50.0 < rate(wang_buzsaki_spikes[3]) < 65.0


def test_the_exponential_neuron_fires_at_the_rates_of_wang_buzsaki_to_which_it_was_fitted(wang_buzsaki_spikes):
    # Fourcaud-Trocme et al. (2003), figure 3.
    _, eif = simulate("eif", 110.0, 0.02, n=2, I_e=np.array([50.0, 100.0]))
    np.testing.assert_allclose(
        [rate(times) for times in eif], [rate(times) for times in wang_buzsaki_spikes[2:4]], rtol=0.06
    )


@pytest.mark.parametrize(
    ("name", "equations", "start", "current"),
    [("hodgkin_huxley", traub_miles, HH_START, 1000.0), ("wang_buzsaki", wang_buzsaki, WB_START, 3.0)],
)
def test_a_spike_has_the_shape_that_the_equations_give_it(name, equations, start, current):
    _, exact = solved(equations, start, current, 7.0)
    errors = []
    for dt in (0.02, 0.01):
        trace, spikes = simulate(name, 7.0, dt, I_e=current if name == "hodgkin_huxley" else 100 * current)
        assert len(spikes[0]) == 1
        found = trace["v"][round(0.1 / dt) - 1 :: round(0.1 / dt), 0]
        errors.append(np.abs(found[:69] - exact[1:]).mean())
    assert exact.max() > 20.0
    assert errors[0] < 4.0
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.25)  # of first order


@pytest.mark.parametrize(("name", "points"), [("hodgkin_huxley", (-50, -23, -48)), ("wang_buzsaki", (-35, -34))])
def test_where_a_rate_is_nought_by_nought_it_is_its_limit(name, points):
    around = np.array([p + d for p in points for d in (-1e-7, 0.0, 1e-7)], float)
    trace, _ = simulate(name, 0.05, 0.05, n=len(around), initial={"v": around})
    for values in trace.values():
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values[0, 1::3], (values[0, ::3] + values[0, 2::3]) / 2, rtol=1e-11)


def test_a_neuron_that_stays_depolarised_is_silent():
    trace, spikes = simulate("wang_buzsaki", 100.0, 0.02, I_e=20_000.0)
    assert trace["v"][-1, 0] > -20.0
    assert (spikes[0] < 5.0).all()
