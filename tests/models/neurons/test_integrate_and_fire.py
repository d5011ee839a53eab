import numpy as np
import pytest
from scipy.optimize import brentq

from tests.models.simulation import rate, simulate

PULSE = {"receptors": ("exponential_current",), "inbox": {"exponential_current": 300.0}}


def test_lif_current_follows_the_closed_form_of_a_postsynaptic_potential():
    # Rotter & Diesmann (1999), for a current of time constant s and a membrane of time constant m.
    trace, _ = simulate("lif_current", 100.0, 0.1, **PULSE)
    m, s, C = 250 / 25, 2.0, 250.0
    t = 0.1 * np.arange(1, 1001)
    expected = -70 + 300 / C * m * s / (m - s) * (np.exp(-t / m) - np.exp(-t / s))
    np.testing.assert_allclose(trace["v"][:, 0], expected, rtol=1e-12)
    assert trace["v"].max() > -68.5


def test_the_potential_of_an_alpha_current_is_the_closed_form_and_nests():
    trace, _ = simulate("lif_current", 60.0, 0.1, receptors=("alpha_current",), inbox={"alpha_current": 300.0})
    m, s, C = 10.0, 2.0, 250.0
    t, a = 0.1 * np.arange(1, 601), 1 / s - 1 / m
    expected = -70 + np.e * 300 / (s * C) * np.exp(-t / m) * (1 - np.exp(-a * t) * (1 + a * t)) / a**2
    np.testing.assert_allclose(trace["v"][:, 0], expected, rtol=1e-12)
    # NEST 3.10, iaf_psc_alpha with tau_syn_ex = 2 ms and a weight of 300 pA: 2, 10 and 20 ms after the spike arrives.
    nest = [-68.40422151815325, -66.59341822916376, -68.62461717649501]
    np.testing.assert_allclose(trace["v"][[19, 99, 199], 0], nest, rtol=1e-13)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_lif_current_does_not_depend_on_the_time_step(dt):
    trace, _ = simulate("lif_current", 20.0, dt, **PULSE, I_e=200.0)
    fine, _ = simulate("lif_current", 20.0, 0.05, **PULSE, I_e=200.0)
    every = round(dt / 0.05)
    np.testing.assert_allclose(trace["v"], fine["v"][every - 1 :: every], rtol=1e-12)


@pytest.mark.parametrize("name", ["lif_current", "lif_conductance"])
def test_lif_fires_at_the_rates_of_the_closed_form(name):
    current = np.array([370.0, 380.0, 400.0, 500.0, 800.0, 1500.0])
    _, spikes = simulate(name, 200.0, 0.01, n=6, C_m=250.0, g_L=25.0, V_reset=-70.0, I_e=current, t_ref=2.0)
    assert len(spikes[0]) == 0  # the rheobase is g_L*(V_th - E_L) = 375 pA
    for times, amplitude in zip(spikes[1:], current[1:], strict=True):
        # From reset at rest, v reaches threshold after tau*log(I/(I - g(V_th - E_L))).
        interval = 10 * np.log(amplitude / (amplitude - 25 * 15)) + 2
        assert np.diff(times) == pytest.approx(interval, abs=0.02)
        assert len(times) == int((200 - interval + 2) / interval) + 1


def test_lif_conductance_settles_where_currents_balance():
    ampa = {"receptors": ("ampa",), "inbox": {"ampa": 20.0}}
    trace, _ = simulate("lif_conductance", 300.0, 0.1, **ampa, tau_ampa=1e12, V_th=100.0)
    assert trace["v"][-1] == pytest.approx((16.6667 * -70 + 20 * 0) / (16.6667 + 20), rel=1e-9)


def test_a_delta_jumps_by_its_weight_and_spikes_at_once():
    for weight, crossed in ((14.9, False), (15.1, True)):
        trace, spikes = simulate("lif_current", 5.0, 0.1, receptors=("delta",), inbox={"delta": weight})
        assert spikes[0].tolist() == ([0.0] if crossed else [])
        if not crossed:
            np.testing.assert_allclose(trace["v"][:, 0], -70 + weight * np.exp(-0.01 * np.arange(50)), rtol=1e-13)


# One of Bellec et al. (2020), without units: decay of the membrane over a step of 1 ms, and of the adaptation.
ALIF = {"C_m": 20.0, "g_L": 1.0, "E_L": 0.0, "V_th": 0.6, "beta": 0.07, "tau_a": 200.0, "t_ref": 0.0}


def test_alif_is_the_recursion_of_e_prop_but_for_the_step_of_its_reset():
    rng = np.random.default_rng(4)
    drive = rng.uniform(0.0, 0.12, 2000)
    alpha, rho = np.exp(-1 / 20), np.exp(-1 / 200)
    jump = drive / (1 - alpha)  # a current that flows for a step adds (1 - alpha) of itself, for g_L = 1
    _, spikes = simulate("alif", 2000.0, 1.0, current=lambda t: jump[round(t)], initial={"v": 0.0}, **ALIF)
    # There, reset and jump come after the next step's decay: 0.6 and 1 stand where 0.6*alpha and rho do here.
    v = a = z = 0.0
    expected = []
    for t in range(2000):
        v = alpha * v + drive[t] - z * 0.6 * alpha
        a = rho * a + z * rho
        z = float(v > 0.6 + 0.07 * a)
        expected += [t] * int(z)
    assert spikes[0].tolist() == expected
    assert len(expected) > 50


def test_alif_adapts_to_the_rate_at_which_its_threshold_is_as_far_off_as_its_input():
    _, spikes = simulate("alif", 1500.0, 0.05, I_e=400.0, t_ref=0.0)

    def missing(interval):
        a = 1 / (np.exp(interval / 200) - 1)  # just before a spike
        start = -70 + 1.7 * a
        return -30 + (start + 30) * np.exp(-interval / 20) - (-55 + 1.7 * a)

    settled = 1000 / brentq(missing, 1.0, 200.0)
    assert rate(spikes[0]) == pytest.approx(settled, rel=0.01)
    first = 1000 / np.diff(spikes[0])[0]
    assert first > 1.5 * settled
