import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbrain.analysis import cv_isi, interval_statistics


def test_a_poisson_process_has_cv_1_and_cv2_1(run):
    cv = interval_statistics(run).isel(neuron=slice(0, 40))
    # 200 intervals a neuron: the standard error of a CV is about 1/sqrt(200), that of the mean of 40 is 0.011.
    assert abs(cv["cv"].mean() - 1) < 4 / np.sqrt(200 * 40)
    assert abs(cv["cv2"].mean() - 1) < 4 / np.sqrt(200 * 40)
    assert cv["cv"].std() < 3 / np.sqrt(200)


def test_a_regular_train_has_cv_0_and_its_period_as_mean(run):
    found = interval_statistics(run).isel(neuron=slice(40, 50))
    assert (found["cv"] == 0).all()
    assert (found["cv2"] == 0).all()
    np.testing.assert_allclose(found["mean"], 40.0)


def test_two_alternating_intervals_have_the_cv_of_the_formula(make_run):
    train = np.cumsum([0, *([10, 30] * 50)])
    run = make_run([("A", "x/a", "e", "glutamate", 1)], [train], duration=1000.0)
    found = interval_statistics(run)
    assert found["cv"].item() == pytest.approx(0.5)  # standard deviation 10, mean 20
    assert found["cv2"].item() == pytest.approx(1.0)  # 2 * 20 / 40


@pytest.mark.parametrize("n", [10_800, 12_000])
def test_an_hour_with_a_long_gap_has_the_cv_of_its_intervals(make_run, n):
    """The number of intervals times the sum of their squares in steps is beyond 64 bits."""
    train = [*range(0, 1000 * n, 100), 35_999_000]
    run = make_run([("A", "x/a", "e", "glutamate", 1)], [train], duration=3.6e6, rate_bin=1000.0)
    intervals = np.diff(train).astype(float)
    assert cv_isi(run).item() == pytest.approx(intervals.std() / intervals.mean(), rel=1e-12)


def test_neurons_with_fewer_than_3_spikes_are_left_out(make_run):
    run = make_run([("A", "x/a", "e", "glutamate", 4)], [[], [5], [5, 9], [0, 10, 40]], duration=100.0)
    assert np.isnan(interval_statistics(run)["cv"].values).tolist() == [True, True, True, False]
    cv = cv_isi(run)
    assert cv.item() == pytest.approx(10 / 20)
    assert cv["n_included"].item() == 1
    assert "fewer than 3" in cv.attrs["excluded"]


def test_a_population_of_which_none_counts_has_no_cv(run):
    cv = cv_isi(run, by="population")
    assert np.isnan(cv.sel(population="B/silent"))
    assert cv["n_included"].sel(population="B/silent") == 0
    assert cv.attrs["units"] == "1"


def test_the_mean_of_a_region_is_over_its_neurons(run):
    of_neuron = interval_statistics(run)["cv"].values
    assert cv_isi(run, by="region").sel(region="A").item() == pytest.approx(of_neuron[:50].mean())


def test_time_outside_counts_for_nothing(make_run):
    train = [3, 50, 200, 300, 400, 500, 777]
    run = make_run([("A", "x/a", "e", "glutamate", 1)], [train], duration=100.0)
    assert cv_isi(run, start="20 ms", stop="50.1 ms").item() == 0


trains = st.lists(st.lists(st.integers(0, 999), unique=True, max_size=40).map(sorted), min_size=1, max_size=5)


@settings(max_examples=40)
@given(trains=trains, spikes_at_once=st.integers(1, 50), window=st.sampled_from([1.0, 7.0, 100.0]))
def test_streaming_gives_what_all_at_once_gives(make_run, trains, spikes_at_once, window):
    run = make_run([("A", "x/a", "e", "glutamate", len(trains))], trains, duration=100.0, window=window)
    streamed = interval_statistics(run, spikes_at_once=spikes_at_once)
    at_once = interval_statistics(run, spikes_at_once=10**9)
    np.testing.assert_array_equal(streamed["cv"], at_once["cv"])
    np.testing.assert_allclose(streamed["cv2"], at_once["cv2"], rtol=1e-12)
    for train, cv, cv2 in zip(trains, streamed["cv"].values, streamed["cv2"].values, strict=True):
        intervals = np.diff(train)
        if len(intervals) < 2:
            assert np.isnan(cv)
            assert np.isnan(cv2)
        else:
            assert cv == pytest.approx(intervals.std() / intervals.mean(), abs=1e-7)
            pairs = np.abs(np.diff(intervals)) / (intervals[1:] + intervals[:-1])
            assert cv2 == pytest.approx(2 * pairs.mean())
