import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinbrain as tb
from tests.learn.tasks.strategies import N_CHANNELS, dense, same, trials
from twinbrain.learn.tasks.disturb import add_spikes, drop_spikes, keep_labels, warp

SHARES = st.floats(0, 1)


@given(trials(), st.floats(0, 200), st.integers(0, 3))
def test_noise_adds_spikes_and_takes_none(found, rate, seed):
    noisy = add_spikes(found, rate, 1.0, N_CHANNELS, seed)
    assert (dense(noisy) >= dense(found)).all()
    assert same(noisy, add_spikes(found, rate, 1.0, N_CHANNELS, seed))
    assert same(add_spikes(found, 0, 1.0, N_CHANNELS, seed), found)


def test_noise_has_its_rate():
    silent = tb.trials_of(np.zeros((50, 100, 20), np.uint8), np.zeros(50, np.int64))
    noisy = add_spikes(silent, 10, 2.0, 20)
    expected = 50 * 20 * 0.2 * 10  # trials × channels × seconds × rate
    # Of two in one cell the second is lost: 1 % of 10 Hz in steps of 2 ms.
    assert abs(len(noisy.step) - expected * 0.99) < 4 * np.sqrt(expected)


@given(trials(), SHARES, SHARES)
def test_what_a_smaller_share_loses_a_larger_one_loses_too(found, one, other):
    few, many = (dense(drop_spikes(found, share)) for share in sorted((one, other)))
    assert (many <= few).all()
    assert (few <= dense(found)).all()
    assert same(drop_spikes(found, 0), found)
    assert len(drop_spikes(found, 1).step) == 0


def test_dropped_spikes_are_a_share_of_all():
    full = tb.trials_of(np.ones((10, 100, 10), np.uint8), np.zeros(10, np.int64))
    kept = drop_spikes(full, 0.3, seed=5)
    assert abs(len(kept.step) - 7000) < 4 * np.sqrt(10_000 * 0.3 * 0.7)
    assert (np.diff(kept.start) > 0).all()


@given(trials() | trials(regression=True))
def test_a_warp_by_1_is_no_change(found):
    assert same(warp(found, 1), found)


@given(trials() | trials(regression=True), st.integers(2, 5))
def test_a_slower_trial_made_faster_again_is_as_it_was(found, factor):
    slow = warp(found, factor)
    assert slow.n_steps == factor * found.n_steps
    np.testing.assert_array_equal(slow.step, factor * found.step)
    np.testing.assert_array_equal(slow.scored, found.scored.repeat(factor, 1))
    if found.target.ndim == 3:
        np.testing.assert_array_equal(slow.target, found.target.repeat(factor, 1))
    else:
        np.testing.assert_array_equal(slow.features, found.features.repeat(factor, 1))
        np.testing.assert_array_equal(slow.n_frames, found.n_frames * factor)
    assert same(warp(slow, 1 / factor), found)


@given(trials(), st.floats(0.1, 4))
def test_a_warped_trial_still_has_steps_that_count_and_fits_its_task(found, factor):
    warped = warp(found, factor)
    tb.Task("t", "", N_CHANNELS, 3, "classification", 1.0, found, found, warped, 0.5)
    assert (np.diff(warped.start) <= np.diff(found.start)).all()
    assert ((np.diff(warped.start) > 0) == (np.diff(found.start) > 0)).all()


@given(trials(), SHARES, SHARES)
def test_fewer_labels_are_a_part_with_every_class(found, one, other):
    few, many = (keep_labels(found, share) for share in sorted((one, other)))
    assert set(few.group) <= set(many.group)
    assert set(few.target) == set(found.target)
    assert len(many) >= round(max(one, other) * len(found))
    assert same(keep_labels(found, 1), found)


def test_shares_rates_and_factors_that_are_none_are_refused():
    found = tb.trials_of(np.ones((2, 3, 1), np.uint8), np.zeros((2, 3, 1), np.float32))
    with pytest.raises(tb.LearnError, match=r"share: expected a number from 0 to 1, found 1\.5"):
        drop_spikes(found, 1.5)
    with pytest.raises(tb.LearnError, match="at least 0 Hz, found -1"):
        add_spikes(found, -1, 1.0, 1)
    with pytest.raises(tb.LearnError, match="at least 0 Hz, found nan"):
        add_spikes(found, np.nan, 1.0, 1)
    with pytest.raises(tb.LearnError, match=r"add_spikes: seed: expected a whole number of at least 0, found 0\.5"):
        add_spikes(found, 1, 1.0, 1, 0.5)
    with pytest.raises(tb.LearnError, match="factor: expected a number above 0, found 0"):
        warp(found, 0)
    with pytest.raises(tb.LearnError, match="found those of a regression"):
        keep_labels(found, 0.5)
