import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.learn.tasks.signals import in_steps, signal_trials, standardised


def test_training_trials_have_mean_0_and_deviation_1_and_padding_is_0():
    frames = np.random.default_rng(0).normal(5, 3, (6, 8, 2)).astype(np.float32)
    n_frames = np.array([8, 3, 5, 8, 1, 2])
    training = np.array([0, 1, 2])
    found = standardised(frames, n_frames, training)
    is_data = np.arange(8) < n_frames[:, None]
    assert (found[~is_data] == 0).all()
    known = found[training][is_data[training]].astype(float)
    np.testing.assert_allclose(known.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(known.std(0), 1, atol=1e-6)


@given(st.integers(1, 6), st.integers(1, 5))
def test_a_signal_has_the_frames_at_their_centres_and_then_nothing(n, half):
    steps_per_frame = 2 * half - 1  # odd, so that a step lies at the centre
    frames = np.arange(12, dtype=np.float32).reshape(1, 6, 2) ** 2
    signal = in_steps(frames, np.array([n]), steps_per_frame, 6 * steps_per_frame)
    np.testing.assert_allclose(signal[0, half - 1 :: steps_per_frame][:n], frames[0, :n])
    assert np.isnan(signal[0, n * steps_per_frame :]).all()
    assert not np.isnan(signal[0, : n * steps_per_frame]).any()
    held = in_steps(frames, np.array([n]), steps_per_frame, 6 * steps_per_frame, hold=True)
    np.testing.assert_array_equal(held[0, : n * steps_per_frame], frames[0, :n].repeat(steps_per_frame, 0))


@pytest.mark.parametrize("coding", ["population", "delta"])
def test_nothing_spikes_or_counts_after_the_last_frame(coding):
    frames = np.random.default_rng(1).normal(size=(200, 5, 3)).astype(np.float32)  # more than one block
    n_frames = np.arange(200) % 5 + 1
    options = {"name": "any", "dt": 1.0, "frame": 6.4, "n_encoders": 4, "peak": 200.0, "threshold": 0.3}
    trials = signal_trials(frames, n_frames, np.zeros(200, np.int64), coding=coding, **options)
    last = np.ceil(n_frames * 6.4)
    assert (trials.step < last[trials.trial]).all()
    assert trials.n_steps == 32
    assert (trials.scored.sum(1) == last - last // 2).all()
    assert (trials.scored[:, ::-1].argmax(1) == 32 - last).all()


def test_trials_of_whole_frames_have_no_step_more_by_rounding():
    frames = np.zeros((1, 7, 1), np.float32)
    options = {"name": "any", "coding": "delta", "n_encoders": 1, "peak": 200.0, "threshold": 0.3}
    trials = signal_trials(frames, np.array([7]), np.zeros(1, np.int64), dt=0.7, frame=12.8, **options)
    assert 7 * (12.8 / 0.7) > 128
    assert trials.n_steps == 128
