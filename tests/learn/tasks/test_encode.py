import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinbrain import LearnError
from twinbrain.learn.tasks import encode

UNIT = st.floats(0, 1, width=32)
SIGNALS = hnp.arrays(np.float64, (2, 10, 2), elements=st.floats(-3, 3) | st.just(np.nan))


def test_rates_are_the_values_times_the_gain():
    values = np.array([[0.0, 0.2, 1.0]], np.float32).repeat(20, 0)
    spikes = encode.rate(values, 500, seed=1, gain=0.5)
    assert spikes.shape == (20, 500, 3)
    # 10,000 draws: the standard error of a share is under 0.005.
    np.testing.assert_allclose(spikes.mean((0, 1)), [0, 0.1, 0.5], atol=4 * 0.005)


def test_rates_may_vary_over_time():
    values = np.zeros((3, 10, 2), np.float32)
    values[:, 4:6, 1] = 1
    np.testing.assert_array_equal(encode.rate(values, 10, seed=0), values)


def test_random_spikes_depend_on_the_seed_alone_and_leave_torch_as_it_was():
    values = np.full((2, 8), 0.5, np.float32)
    torch.manual_seed(7)
    first = encode.rate(values, 30, seed=3)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(torch.rand(1), drawn)
    np.testing.assert_array_equal(encode.rate(values, 30, seed=3), first)
    assert (encode.rate(values, 30, seed=4) != first).any()


@given(hnp.arrays(np.float32, (3, 4), elements=UNIT), st.integers(2, 20), st.none() | st.floats(1, 10))
def test_the_larger_value_spikes_no_later_and_once_at_most(values, n_steps, tau):
    spikes = encode.latency(values, n_steps, tau)
    n_spikes = spikes.sum(1)
    assert (n_spikes <= (values >= 0.01)).all()
    time = np.where(n_spikes > 0, spikes.argmax(1), n_steps)
    order = np.argsort(values, axis=1)
    assert (np.diff(np.take_along_axis(time, order, 1), axis=1) <= 0).all()
    if tau is None:
        assert (n_spikes == (values >= 0.01)).all()


def test_latency_is_linear_in_the_value_or_that_of_a_charged_membrane():
    values = np.array([[1.0, 0.75, 0.5, 0.02]], np.float32)
    assert encode.latency(values, 101).argmax(1).tolist() == [[0, 25, 50, 98]]
    # A membrane driven by x reaches the threshold h at tau log(x / (x - h)): 100 log 2 = 69.3 for 0.02 and 0.01.
    assert encode.latency(values, 101, tau=100).argmax(1).tolist() == [[1, 1, 2, 69]]


@pytest.mark.parametrize("code", [lambda x: encode.rate(x, 3, seed=0), lambda x: encode.latency(x, 3)])
@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_values_outside_0_to_1_are_refused(code, value):
    with pytest.raises(LearnError, match="expected values from 0 to 1"):
        code(np.array([[0.5, value]], np.float32))


def test_changes_spike_in_channels_of_rises_and_falls():
    signal = np.array([0.0, 1.0, 1.1, 0.0, np.nan, 5.0])[None, :, None]
    assert encode.delta(signal, 0.5)[0].tolist() == [[0, 0], [1, 0], [0, 0], [0, 1], [0, 0], [0, 0]]


def test_levels_that_are_crossed_spike():
    signal = np.array([0.0, 1.0, 0.6, 0.0, np.nan, 1.0])[None, :, None]
    found = encode.crossings(signal, np.array([0.3, 0.8]))[0]
    assert found.tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


@given(SIGNALS, st.lists(st.floats(-2, 2), min_size=1, max_size=4, unique=True).map(sorted))
def test_rises_and_falls_through_a_level_take_turns(signal, levels):
    signal = np.nan_to_num(signal)
    rises, falls = np.split(encode.crossings(signal, np.array(levels)).astype(int), 2, axis=2)
    assert set(np.unique(np.cumsum(rises - falls, axis=1))) <= {0, 1}


@given(SIGNALS, st.integers(2, 6), st.floats(0.01, 1))
def test_a_neuron_of_the_population_code_spikes_as_often_as_its_summed_drive_rounded(signal, n_encoders, peak):
    spikes = encode.population(signal, n_encoders, peak=peak)
    preferred = np.linspace(-2, 2, n_encoders)
    sigma = 4 / (n_encoders - 1)
    drive = peak * np.exp(-((signal[..., None] - preferred) ** 2) / (2 * sigma**2))
    drive = np.where(np.isnan(drive), 0, drive).reshape(2, 10, -1)
    assert (abs(spikes.sum(1) - drive.sum(1)) <= 0.5 + 1e-9).all()
    assert spikes.max() <= 1


def test_the_neuron_that_prefers_the_value_spikes_most():
    signal = np.linspace(-2, 2, 8)[:, None, None].repeat(100, 1)
    spikes = encode.population(signal, 8)
    assert spikes.sum(1).argmax(1).tolist() == list(range(8))


def test_more_than_one_spike_a_step_is_refused():
    with pytest.raises(LearnError, match="gain: expected a number from 0 to 1 spike a step, found 2; lower the rate"):
        encode.rate(np.ones((1, 1), np.float32), 3, seed=0, gain=2)


X, SIGNAL = np.full((2, 3), 0.5), np.zeros((1, 3, 1))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: encode.rate(X, 2.5, 1), "rate code: n_steps: expected a whole number of at least 1, found 2.5"),
        (lambda: encode.rate(X, 5, 1.5), "seed: expected a whole number of at least 0, found 1.5"),
        (lambda: encode.rate(X, 5, 2**64), "seed: expected a whole number below 18446744073709551616, found 1844"),
        (lambda: encode.latency(X, 0), "latency code: n_steps: expected a whole number of at least 1, found 0"),
        (lambda: encode.latency(X, 5, tau=0), "tau: expected a number of steps above 0, found 0"),
        (lambda: encode.latency(X, 5, threshold=0), "threshold: expected a number above 0 and below 1, found 0"),
        (lambda: encode.delta(SIGNAL, 0), "delta code: threshold: expected a number above 0, found 0"),
        (lambda: encode.delta(SIGNAL * 1j, 1), "expected an array of real numbers, found complex128"),
        (lambda: encode.crossings(SIGNAL, [0.8, 0.5]), "expected finite levels that ascend, found 0.8, 0.5; sort"),
        (lambda: encode.crossings(SIGNAL, [0.5, np.nan]), "expected finite levels that ascend, found 0.5, nan"),
        (lambda: encode.crossings(SIGNAL, []), "expected finite levels that ascend, found none"),
        (lambda: encode.crossings(SIGNAL, 0.5), r"expected levels of shape \(level\), found one of 0 dimensions"),
        (
            lambda: encode.crossings(SIGNAL, pd.Series([0.5, 0.8], index=[1, 0])),
            "expected the labels of levels along level to ascend",
        ),
        (lambda: encode.population(SIGNAL, 1), "n_encoders: expected a whole number of at least 2, found 1"),
        (
            lambda: encode.population(SIGNAL, peak=1.5),
            "above 0 and up to 1 spike a step, found 1.5; lower it, or short",
        ),
        (
            lambda: encode.population(SIGNAL, peak=0),
            "peak: expected a number above 0 and up to 1 spike a step, found 0",
        ),
        (lambda: encode.population(SIGNAL, width=0), "width: expected a number above 0, found 0"),
        (lambda: encode.population(SIGNAL, low=1, high=1), "high: expected a number that is finite, and not 1 as low"),
    ],
)
def test_what_a_code_cannot_take_is_refused(code, message):
    with pytest.raises(LearnError, match=message):
        code()


def test_small_changes_of_large_numbers_are_seen():
    """In single precision a million has steps of 0.06, and a hundred million of 8."""
    ramp = np.array([0.0, 0.02, 0.04, 0.06])[None, :, None]
    assert not encode.delta(1e6 + ramp, 0.05).any()
    assert encode.delta(1e8 + 100 * ramp, 1.5).tolist() == [[[0, 0], [1, 0], [1, 0], [1, 0]]]


def test_values_are_held_against_a_threshold_in_their_own_precision():
    assert not encode.latency(np.array([[0.01 - 1e-12]]), 5).any()
    assert encode.latency(np.array([[0.01]], np.float32), 5).any()
    assert encode.delta(np.array([[[0.0], [0.01]]], np.float32), 0.01).any()


@pytest.mark.parametrize("of_signal", [np.float32, np.float64])
@pytest.mark.parametrize("of_levels", [np.float32, np.float64])
def test_a_level_is_crossed_in_the_coarser_precision_of_both(of_signal, of_levels):
    signal, levels = np.array([[[0.0], [0.1], [0.7]]], of_signal), np.array([0.1, 0.7], of_levels)
    assert encode.crossings(signal, levels)[0].tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]]


def test_no_trials_have_no_spikes():
    assert encode.latency(np.zeros((0, 3)), 5).shape == (0, 5, 3)
    assert encode.population(np.zeros((0, 4, 1))).shape == (0, 4, 8)


@pytest.mark.parametrize(
    "code", [lambda x: encode.delta(x, 0.5), encode.population, lambda x: encode.crossings(x, np.array([0.0, 1.0]))]
)
def test_dimensions_count_by_their_names(code):
    signal = np.random.default_rng(1).standard_normal((2, 7, 3))
    named = xr.DataArray(signal, dims=("trial", "step", "feature"))
    np.testing.assert_array_equal(code(named.transpose("trial", "feature", "step")), code(signal))
    with pytest.raises(LearnError, match="found dimensions called trial, electrode, time"):
        code(xr.DataArray(signal, dims=("trial", "electrode", "time")))
    with pytest.raises(LearnError, match=r"an array of shape \(trial, step, feature\), found one of 2 dimensions"):
        code(pd.DataFrame(signal[0]))


def test_tables_are_coded_as_what_they_hold():
    values = np.array([[0.0, 0.5], [1.0, 0.25]])
    for code in (lambda x: encode.rate(x, 4, 1), lambda x: encode.latency(x, 4)):
        np.testing.assert_array_equal(code(pd.DataFrame(values)), code(values))
