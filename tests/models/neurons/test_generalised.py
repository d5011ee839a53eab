"""GLIF, level by level, against NEST and against Teeter et al. (2018)."""

import numpy as np
import pytest

from tests.models.simulation import simulate

# NEST 3.10, glif_psc with its defaults, 400 pA from 0.05 ms on, steps of 0.05 ms: the first twelve spikes, and how many
# there are in a second.
NEST = {
    "1": ([6.5, 16.65, 26.8, 36.95, 47.1, 57.25, 67.4, 77.55, 87.7, 97.85, 108.0, 118.15], 98),
    "2": ([6.5, 11.6, 16.85, 22.2, 27.7, 33.3, 39.0, 44.8, 50.7, 56.7, 62.8, 69.0], 139),
    "3": ([6.5, 22.6, 40.65, 59.35, 78.65, 98.55, 119.05, 140.1, 161.75, 184.0, 206.8, 230.15], 39),
    "4": ([6.5, 18.95, 35.7, 53.2, 71.6, 90.9, 111.05, 132.1, 154.0, 176.7, 200.2, 224.4], 39),
    "5": ([6.7, 20.35, 38.3, 57.15, 77.05, 97.95, 119.85, 142.75, 166.6, 191.35, 216.95, 243.35], 36),
}


@pytest.fixture(scope="module")
def spikes():
    """Those of each level; NEST holds a neuron for one step more."""
    _, found = simulate([f"glif/{level}" for level in NEST], 1000.0, 0.05, I_e=400.0, t_ref=3.8)
    return dict(zip(NEST, found, strict=True))


@pytest.mark.parametrize("level", NEST)
def test_spikes_are_nests(spikes, level):
    times, n = NEST[level]
    # NEST dates spikes at the end of a step, and its current comes two steps late. Level 1 and 2 are exact in both;
    # after-spike currents and threshold are averaged over a step there.
    np.testing.assert_allclose(spikes[level][:12] + 0.15, times, atol=1e-9 if level in "12" else 0.11)
    assert len(spikes[level]) == n


def test_a_spike_resets_by_its_rules_and_what_decays_meanwhile_has_decayed():
    start = {"v": -40.0, "I_1": 10.0, "I_2": -20.0, "theta_s": 1.0, "theta_v": 2.0}
    trace, spikes = simulate("glif", 10.0, 0.05, initial=start)
    assert spikes[0][0] == 0.0
    after = {name: values[:, 0] for name, values in trace.items()}
    before = {"I_1": 10 * np.exp(-0.003 * 0.05), "I_2": -20 * np.exp(-0.1 * 0.05), "theta_s": np.exp(-0.009 * 0.05)}
    assert after["I_1"][0] == pytest.approx(before["I_1"] * np.exp(-0.003 * 3.75) - 9.18)
    assert after["I_2"][0] == pytest.approx(before["I_2"] * np.exp(-0.1 * 3.75) - 198.94)
    assert after["theta_s"][0] == pytest.approx(before["theta_s"] * np.exp(-0.009 * 3.75) + 0.37)
    settled = -78.85 + (10 - 20) / 9.43
    v = settled + (-40 - settled) * np.exp(-9.43 / 58.72 * 0.05)
    assert after["v"][0] == pytest.approx(-78.85 + 0.2 * (v + 78.85) + 18.51)
    for name in ("v", "I_1", "I_2", "theta_s", "theta_v"):
        assert np.ptp(after[name][:75]) == 0.0
        assert after[name][75] != after[name][74]


def test_the_threshold_follows_the_membrane_only_at_level_5():
    for level, expected in (("4", 0.0), ("5", 0.005 * 10 / 0.09)):
        trace, _ = simulate(f"glif/{level}", 300.0, 0.05, I_e=94.3)
        # At 94.3 pA the membrane settles 10 mV above rest, and the threshold a_v/b_v times that.
        assert trace["v"][-1, 0] == pytest.approx(-68.85, abs=1e-6)
        assert trace["theta_v"][-1, 0] == pytest.approx(expected, abs=1e-6)
