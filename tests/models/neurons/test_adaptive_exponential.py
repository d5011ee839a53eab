"""EIF and AdEx: rates, and the eight firing patterns of Naud et al. (2008), each by what defines it."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from tests.models.simulation import rate, simulate


def test_eif_fires_from_its_rheobase_on_at_the_rates_of_its_integral():
    # Fourcaud-Trocme et al. (2003): the rheobase is g_L*(V_T - E_L - Delta_T), here 16.2 pA.
    current = np.array([16.0, 50.0, 100.0, 300.0])
    _, spikes = simulate("eif", 150.0, 0.01, n=4, I_e=current)
    assert len(spikes[0]) == 0

    def slowness(v, amplitude):
        return 100 / (10 * (-65 - v) + 34.8 * np.exp((v + 59.9) / 3.48) + amplitude)

    for times, amplitude in zip(spikes[1:], current[1:], strict=True):
        interval = 1.7 + quad(slowness, -68, -30, args=(amplitude,), points=[-60])[0]
        assert rate(times) == pytest.approx(1000 / interval, rel=0.01)


def adex_solution(times, current):
    """Brette & Gerstner (2005), with their parameters, to nine digits."""

    def change(_, y):
        v, w = y
        return [(30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + current) / 281, (4 * (v + 70.6) - w) / 144]

    return solve_ivp(change, (0, times[-1]), [-70.6, 0.0], "DOP853", times, rtol=1e-11, atol=1e-11).y


def test_adex_below_threshold_follows_the_equations():
    errors = []
    for dt in (0.1, 0.05):
        trace, spikes = simulate("adex", 200.0, dt, I_e=500.0)
        v, w = adex_solution(dt * np.arange(1, len(trace["v"]) + 1), 500.0)
        assert len(spikes[0]) == 0
        errors.append((np.abs(trace["v"][:, 0] - v).max(), np.abs(trace["w"][:, 0] - w).max()))
    # Euler's method: within 0.1 mV and 0.1 pA at 0.1 ms, and half as far off at half the step.
    assert errors[0][0] < 0.1
    assert errors[0][1] < 0.1
    np.testing.assert_allclose(np.array(errors[0]) / errors[1], 2.0, rtol=0.05)


def test_adex_does_not_overflow_under_any_input():
    trace, spikes = simulate("adex", 20.0, 0.1, receptors=("ampa",), inbox={"ampa": 10_000.0})
    assert len(spikes[0]) > 2
    assert all(np.isfinite(values).all() for values in trace.values())


CURRENTS = {
    "tonic": 500.0,
    "adapting": 500.0,
    "initial_burst": 400.0,
    "bursting": 210.0,
    "delayed_accelerating": 300.0,
    "delayed_bursting": 110.0,
    "transient": 180.0,
    "irregular": 160.0,
}


@pytest.fixture(scope="module")
def pattern():
    """What gives the time of the first spike and the intervals, under the step of current of the paper."""
    _, spikes = simulate([f"adex/{name}" for name in CURRENTS], 600.0, 0.025, I_e=np.array([*CURRENTS.values()]))
    found = dict(zip(CURRENTS, spikes, strict=True))
    return lambda name: (found[name][0], np.diff(found[name]))


def bursts(intervals, gap):
    """Return how many spikes each burst has, the last left out."""
    ends = np.nonzero(intervals > gap)[0]
    return np.diff([-1, *ends])


def test_tonic_spiking_is_regular(pattern):
    _, intervals = pattern("tonic")
    assert len(intervals) > 50
    assert np.ptp(intervals[10:]) < 0.1
    assert intervals[-1] / intervals[0] < 1.1


def test_adapting_intervals_grow_to_several_times_the_first_and_settle(pattern):
    _, intervals = pattern("adapting")
    assert (np.diff(intervals[:6]) > 0).all()
    assert intervals[-1] > 5 * intervals[0]
    assert np.ptp(intervals[-3:]) < 0.5


def test_an_initial_burst_is_followed_by_single_spikes(pattern):
    _, intervals = pattern("initial_burst")
    assert bursts(intervals, 30.0)[:3].tolist() == [3, 1, 1]
    assert (intervals[2:] > 50.0).all()
    assert np.ptp(intervals[4:]) < 0.5


def test_regular_bursts_are_alike(pattern):
    _, intervals = pattern("bursting")
    assert bursts(intervals, 30.0)[1:].tolist() == [2, 2, 2]
    gaps = intervals[intervals > 30.0]
    assert np.ptp(gaps[1:]) < 1.0
    assert gaps.min() > 20 * intervals[intervals < 30.0].max()


def test_a_delay_is_followed_by_ever_shorter_intervals(pattern):
    first, intervals = pattern("delayed_accelerating")
    assert first > 1.5 * intervals[0]
    assert (np.diff(intervals) < 0.03).all()  # none is longer than the one before, but for a step of time
    assert intervals[-1] < 0.55 * intervals[0]


def test_a_delay_is_followed_by_regular_bursts(pattern):
    first, intervals = pattern("delayed_bursting")
    assert bursts(intervals, 30.0)[1:].tolist() == [4] * 6
    assert first > 50.0
    assert first > intervals[intervals < 30.0].max() * 5


def test_transient_spiking_ends_while_the_current_goes_on(pattern):
    first, intervals = pattern("transient")
    assert len(intervals) <= 2
    assert first + intervals.sum() < 100.0


def test_irregular_spiking_never_settles_and_depends_on_everything(pattern):
    _, intervals = pattern("irregular")
    late = intervals[5:]
    assert late.std() / late.mean() > 0.4
    # No cycle: no interval is followed by the same three again. And a nanovolt changes the spikes in the end.
    start = np.array([-60.0, -60.0 + 1e-6])
    _, spikes = simulate("adex/irregular", 1500.0, 0.1, n=2, I_e=160.0, initial={"v": start})
    shortest = min(map(len, spikes))
    apart = np.abs(spikes[0][:shortest] - spikes[1][:shortest])
    assert apart[:5].max() < 0.2
    assert apart[-10:].max() > 5.0
