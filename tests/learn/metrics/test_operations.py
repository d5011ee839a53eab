import numpy as np
import pytest

from twinbrain.errors import LearnError
from twinbrain.learn.metrics.energy import CAVEATS, break_even_spikes, energy
from twinbrain.learn.metrics.operations import (
    Operations,
    activation_sparsity,
    connection_sparsity,
    dense_operations,
    is_binary,
    membrane_updates,
    spike_operations,
)

WEIGHT = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]])  # two targets, three sources: out-degrees 1, 0, 2
SPIKES = np.array([[[1, 1, 0], [0, 0, 0]], [[1, 0, 1], [0, 1, 1]]])  # two steps, two trials


def test_operations_by_hand():
    # Trial 1: source 1 twice, source 3 once: 2·1 + 1·2; trial 2: source 2 once, source 3 once: 0 + 2.
    assert dense_operations(SPIKES, WEIGHT) == Operations(dense=12.0, macs=0.0, acs=3.0)
    assert dense_operations(0.5 * SPIKES, WEIGHT) == Operations(dense=12.0, macs=3.0, acs=0.0)


def test_spikes_times_out_degrees_are_the_effective_accumulates_of_the_matrix():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((30, 20)) * (rng.random((30, 20)) < 0.3)
    spikes = (rng.random((40, 5, 20)) < 0.2).astype(np.uint8)
    expected = dense_operations(spikes, weight).acs
    assert spike_operations(spikes, np.count_nonzero(weight, axis=0)) == expected
    assert spike_operations(spikes.sum(0, dtype=np.int64), np.count_nonzero(weight, axis=0)) == expected


def test_many_spikes_do_not_overflow():
    spikes = np.ones((1000, 1, 1), np.uint8)
    assert spike_operations(spikes, np.array([10_000_000])) == 1e10


def test_signed_spikes_are_binary_and_rates_are_not():
    assert is_binary(np.array([-1, 0, 1.0]))
    assert not is_binary(np.array([0, 0.5]))


def test_sparsity_is_the_share_of_zeros_over_all_layers():
    assert connection_sparsity([WEIGHT, np.ones((1, 2))]) == 3 / 8
    assert activation_sparsity([SPIKES]) == 6 / 12
    assert np.isnan(activation_sparsity([]))


def test_a_membrane_is_updated_at_first_and_whenever_it_changes():
    potential = np.array([[[0.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.5]]])  # one trial
    assert membrane_updates(potential) == 4
    assert membrane_updates(np.repeat(potential, 3, axis=1)) == 4


def test_trials_first_is_refused():
    with pytest.raises(LearnError, match="put time first"):
        dense_operations(SPIKES.transpose(0, 2, 1), WEIGHT)
    with pytest.raises(LearnError, match="expected 4 neurons"):
        spike_operations(SPIKES, np.ones(4, np.int64))


def test_energy_is_horowitzs():
    # Horowitz 2014: multiplication 3.7 pJ, addition 0.9 pJ, in float32.
    assert energy(Operations(macs=1000, acs=0)) == pytest.approx(4600)
    assert energy(Operations(macs=0, acs=1000)) == pytest.approx(900)
    assert energy(Operations(dense=1e9)) == 0
    assert energy(Operations(macs=1), "int8") < energy(Operations(macs=1), "float16") < energy(Operations(macs=1))
    assert "memory" in CAVEATS


def test_at_break_even_spikes_take_as_much_as_one_pass_of_rates():
    assert break_even_spikes() == pytest.approx(5.1, abs=0.02)
    spikes = Operations(acs=break_even_spikes() * 700)
    assert energy(spikes) == pytest.approx(energy(Operations(macs=700)))
