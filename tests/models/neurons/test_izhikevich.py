"""Izhikevich's neurons: spike times of NEST, rheobase, and what tells his types apart."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.models.simulation import rate, simulate

# NEST 3.10, izhikevich with consistent_integration=True, a constant current of 10 pA, steps of 0.1 ms, 300 ms.
NEST = {
    "rs": "3.7 21.5 66.7 111.8 156.9 202.0 247.1 292.2",
    "ch": "3.7 5.3 7.0 8.8 10.9 13.3 16.3 22.0 70.1 72.2 74.6 77.6 82.7 130.8 132.9 135.3 138.2 143.2 191.3 "
    "193.4 195.8 198.7 203.7 251.8 253.9 256.3 259.2 264.2",
    "fs": "3.7 7.9 13.7 20.9 28.5 36.1 43.8 51.6 59.4 67.1 74.7 82.3 89.9 97.6 105.4 113.1 120.7 128.3 135.9 "
    "143.5 151.1 158.8 166.5 174.2 182.0 189.7 197.3 204.9 212.5 220.1 227.7 235.3 243.0 250.7 258.3 "
    "265.9 273.5 281.2 288.9 296.5",
    "lts": "2.6 5.7 9.5 14.3 21.1 31.6 45.0 58.7 72.4 86.1 99.7 113.3 126.9 140.5 154.2 167.9 181.6 195.2 208.8 "
    "222.4 236.0 249.6 263.2 276.8 290.4",
}


@pytest.mark.parametrize("name", NEST)
def test_spikes_of_2003_are_nests(name):
    _, spikes = simulate(f"izhikevich_2003/{name}", 300.0, 0.1, I_e=10.0)
    # NEST dates a spike at the end of its step.
    np.testing.assert_allclose(spikes[0] + 0.1, [float(time) for time in NEST[name].split()], atol=1e-9)


@pytest.mark.parametrize("name", ["rs", "ib", "ch", "fs", "lts", "tc", "rz"])
def test_cells_of_2003_rest_where_they_begin(name):
    trace, spikes = simulate(f"izhikevich_2003/{name}", 200.0, 0.1)
    assert len(spikes[0]) == 0
    assert np.ptp(trace["v"]) < 0.02


def test_intrinsic_bursting_of_2003_begins_with_a_burst():
    _, spikes = simulate("izhikevich_2003/ib", 300.0, 0.1, I_e=10.0)
    intervals = np.diff(spikes[0])
    assert (intervals[:2] < 4.0).all()
    assert (intervals[3:] > 30.0).all()


def released(name, current, until, **more):
    """Return the spikes after the end of a current."""
    _, spikes = simulate(name, until + 300.0, 0.1, current=lambda t: current if t < until else 0.0, **more)
    assert (spikes[0] >= until).all()
    return spikes[0] - until


def test_rebound_of_2003():
    assert len(released("izhikevich_2003/tc", -20.0, 100.0)) == 5
    assert len(released("izhikevich_2003/lts", -10.0, 100.0)) == 1
    assert len(released("izhikevich_2003/rs", -20.0, 100.0)) == 0


def test_a_resonator_of_2003_rings_at_the_frequency_of_its_equations_and_fires_near_it():
    # About rest (-62.5 mV, where 0.08*v + 5 = 0): v' = -u, u' = 0.026*v - 0.1*u.
    period = 2 * np.pi / np.sqrt(0.026 - 0.05**2)
    trace, _ = simulate("izhikevich_2003/rz", 200.0, 0.01, initial={"v": -62.45})
    rising = np.nonzero(np.diff(np.sign(trace["v"][:, 0] + 62.5)) > 0)[0] * 0.01
    assert np.diff(rising)[:3] == pytest.approx(period, rel=0.01)
    _, spikes = simulate("izhikevich_2003/rz", 600.0, 0.1, n=2, I_e=np.array([0.2, 0.3]))
    assert len(spikes[0]) == 0
    assert np.diff(spikes[1]).mean() == pytest.approx(period, rel=0.2)


def test_regular_spiking_of_2007_has_the_rheobase_of_its_book():
    # Izhikevich (2007), section 8.2.1: the cell (C=100, k=0.7, b=-2) fires from 51.8 pA on.
    _, spikes = simulate("izhikevich_2007", 2000.0, 0.5, n=2, I_e=np.array([50.0, 55.0]))
    assert len(spikes[0]) == 0
    assert len(spikes[1]) >= 2


def test_2007_below_threshold_follows_the_equations():
    def change(_, y):
        v, u = y
        return [(0.7 * (v + 60) * (v + 40) - u + 40.0) / 100, 0.03 * (-2 * (v + 60) - u)]

    trace, _ = simulate("izhikevich_2007", 300.0, 0.1, I_e=40.0)
    times = 0.1 * np.arange(1, 3001)
    v, u = solve_ivp(change, (0, 300), [-60.0, 0.0], "DOP853", times, rtol=1e-11, atol=1e-11).y
    np.testing.assert_allclose(trace["v"][:, 0], v, atol=0.05)
    np.testing.assert_allclose(trace["u"][:, 0], u, atol=0.1)


def intervals(name, current, duration=500.0):
    _, spikes = simulate(f"izhikevich_2007/{name}", duration, 0.05, I_e=current)
    return np.diff(spikes[0])


@pytest.mark.slow
def test_pyramidal_cells_of_2007_spike_regularly_or_begin_with_a_doublet():
    regular, bursting = intervals("rs", 100.0), intervals("ib", 500.0)
    assert np.ptp(regular[1:]) < 0.5
    assert regular[1] > regular[0]
    assert bursting[0] < 0.25 * bursting[1:].min()


def test_a_chattering_cell_of_2007_fires_doublets():
    found = intervals("ch", 200.0)
    assert (found[::2] < 6.0).all()
    assert (found[1::2] > 80.0).all()


@pytest.mark.slow
def test_interneurons_of_2007_adapt_or_do_not():
    adapting, fast = intervals("lts", 200.0), intervals("fs", 400.0)
    assert adapting[3] > 1.5 * adapting[0]
    assert fast[1:].std() / fast[1:].mean() < 0.1
    assert fast[-10:].mean() < 1.1 * fast[1:11].mean()
    assert 1000 / fast.mean() > 100.0


def test_the_recovery_of_a_low_threshold_cell_of_2007_is_bounded():
    trace, spikes = simulate("izhikevich_2007/lts", 300.0, 0.05, I_e=2000.0)
    assert len(spikes[0]) > 20
    reset = np.round(spikes[0] / 0.05).astype(int)
    assert trace["u"][reset].max() == 670.0


@pytest.mark.slow
def test_thalamic_cells_of_2007_burst_after_inhibition_and_spike_singly_otherwise():
    relay = np.diff(released("izhikevich_2007/tc", -1200.0, 120.0))
    assert len(relay) == 3
    assert (np.diff(relay) > 0).all()
    assert len(released("izhikevich_2007/trn", -350.0, 100.0)) == 2
    assert len(released("izhikevich_2007/rs", -350.0, 100.0)) == 0
    single = intervals("tc", 100.0)
    assert single.min() > 40.0
    assert np.ptp(single[-3:]) < 1.0


def test_the_low_slope_of_a_relay_cell_begins_at_its_potential_without_a_step():
    # Izhikevich (2007), section 8.3.1: du/dt = 0.01*(b*(v + 65) - u), b = 15 at and below -65 mV and 0 above.
    v = np.array([-75.0, -65.001, -64.999, -50.0])
    trace, _ = simulate("izhikevich_2007/tc", 0.1, 0.1, n=4, initial={"v": v})
    np.testing.assert_allclose(trace["u"][0], 0.1 * 0.01 * 15 * np.minimum(v + 65, 0), rtol=1e-9, atol=1e-15)


@pytest.mark.slow
def test_dopamine_makes_one_spiny_neuron_harder_to_excite_and_the_other_easier():
    # Humphries et al. (2009): D1 holds the cell down, yet it fires faster once it fires; D2 makes it more excitable.
    spikes = {}
    for name in ("msn", "msn_d1", "msn_d2"):
        _, spikes[name] = simulate(f"izhikevich_2007/{name}", 1000.0, 0.1, n=2, I_e=np.array([260.0, 400.0]))
    assert [len(spikes[name][0]) for name in ("msn", "msn_d1", "msn_d2")] == [2, 0, 3]
    assert spikes["msn_d2"][1][0] < spikes["msn"][1][0] < spikes["msn_d1"][1][0]
    assert rate(spikes["msn_d1"][1]) > 1.1 * rate(spikes["msn"][1])
