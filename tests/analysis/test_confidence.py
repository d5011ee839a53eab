import brian2 as b2
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from twinbrain.analysis.confidence import mean_over, paired_difference, wilson
from twinbrain.errors import LearnError, SpecError


def test_wilsons_interval_is_that_of_scipy():
    low, high = wilson([0, 3, 81, 263], [10, 10, 263, 263])
    expected = [
        stats.binomtest(k, n).proportion_ci(method="wilson") for k, n in [(0, 10), (3, 10), (81, 263), (263, 263)]
    ]
    np.testing.assert_allclose(low, [interval.low for interval in expected], atol=1e-12)
    np.testing.assert_allclose(high, [interval.high for interval in expected], atol=1e-12)


def test_a_share_of_nothing_has_no_interval():
    assert np.isnan(wilson(0, 0)).all()


def test_the_paired_interval_is_the_published_one():
    # Airway hyper-responsiveness before and after (Bentur et al. 2009): 1 both, 1 first alone, 7 second alone, 12
    # neither; -0.507 to -0.026 in Fagerland et al. 2014, doi 10.1002/sim.6148.
    first = np.repeat([True, True, False, False], [1, 1, 7, 12])
    second = np.repeat([True, False, True, False], [1, 1, 7, 12])
    assert paired_difference(first, second) == pytest.approx((-6 / 21, -0.507, -0.026), abs=5e-4)


def test_the_paired_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(600):
        first = rng.random(60) < 0.8
        second = first & (rng.random(60) < 0.75)  # a difference of 0.2
        _, low, high = paired_difference(first, second)
        held += low <= 0.2 <= high
    assert 0.92 < held / 600 <= 1


def test_equal_trials_differ_by_nothing_and_no_trial_has_no_difference():
    right = np.array([True, True, False])
    difference, low, high = paired_difference(right, right)
    assert difference == 0
    assert low < 0 < high
    assert np.isnan(paired_difference([], [])).all()


def test_the_mean_over_seeds_has_students_interval_and_leaves_failed_seeds_out():
    values = xr.DataArray(
        [[1.0, 2.0, 4.0, np.nan], [3.0, np.nan, np.nan, np.nan]], {"condition": ["a", "b"]}, ("condition", "seed")
    )
    found = mean_over(values)
    expected = stats.t.interval(0.95, 2, np.mean([1, 2, 4]), stats.sem([1, 2, 4]))
    assert (found["low"][0], found["high"][0]) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    assert found["n"].values.tolist() == [3, 1]
    assert found["mean"][1] == 3
    assert np.isnan(found["low"][1])
    assert found["condition"].values.tolist() == ["a", "b"]
    with pytest.raises(LearnError, match="expected each seed once, found 2 2 times"):
        mean_over(values.assign_coords(seed=[1, 2, 2, 3]))


def test_infinite_values_are_not_left_out_of_a_mean():
    found = mean_over(xr.DataArray([[1, 2, np.inf], [np.nan, 1, 3], [-np.inf, 0, np.inf]], dims=("case", "seed")))
    np.testing.assert_array_equal(found["mean"], [np.inf, 2, np.nan])
    assert found["n"].values.tolist() == [3, 2, 3]
    assert np.isnan(found["low"]).values.tolist() == np.isnan(found["high"]).values.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (xr.Dataset({"x": ("seed", [1.0])}), "expected an array of xarray, one of its variables, .* found a Dataset"),
        ([1.0, 2.0], "expected an array of xarray, found a list"),
        (xr.DataArray([[1.0]], dims=("case", "level")), "expected an array with this dimension, found 'case', 'level'"),
        (xr.DataArray(1.0), "expected an array with this dimension, found none"),
        (xr.DataArray(["a"], dims="seed"), "expected numbers, found values of type <U1"),
    ],
)
def test_a_mean_is_that_of_an_array_of_numbers_by_seed(values, message):
    with pytest.raises(LearnError, match="mean over 'seed': " + message):
        mean_over(values)


@pytest.mark.parametrize("level", [0, 1, 95, np.nan, "95 %", True, 0.95 * b2.volt])
def test_a_confidence_is_between_0_and_1(level):
    calls = (
        lambda: mean_over(xr.DataArray([1.0, 2.0], dims="seed"), level=level),
        lambda: wilson(1, 2, level),
        lambda: paired_difference([True], [False], level),
    )
    for call in calls:
        with pytest.raises(SpecError, match="level: expected a confidence between 0 and 1"):
            call()


def test_a_number_of_values_has_no_unit_and_names_of_results_are_their_own():
    rate = xr.DataArray([[1.0, 2.0]], dims=("case", "seed"), attrs={"units": "Hz"})
    found = mean_over(rate)
    assert {name: array.attrs["units"] for name, array in found.items()} == dict.fromkeys(
        ("mean", "low", "high"), "Hz"
    ) | {"n": "1"}
    for taken in (rate.rename(case="n"), rate.assign_coords(mean=("case", ["x"]))):
        with pytest.raises(LearnError, match=r"expected other names of dimensions and coordinates, found '(n|mean)'"):
            mean_over(taken)


def test_pairs_of_trials_have_the_same_labels():
    right = xr.DataArray([True, False], {"trial": [3, 7]}, ["trial"])
    assert paired_difference(right, right.to_series())[0] == 0
    with pytest.raises(SpecError, match="expected trials with the same labels, in the same order, found others"):
        paired_difference(right, right[::-1])


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1.0, 0, np.nan, 1], [1.0, 0, 0, 0], "first: expected whether each trial .*, True or False, found nan; leave"),
        ([0, 0], [0.0, 0.5], "second: expected whether each trial succeeded, True or False, found 0.5; leave"),
        (["yes", "no"], [True, False], "found 'yes'"),
        ([None, True], [True, False], "found None"),
        (np.ma.masked_array([True, False], [False, True]), [True, False], "found 1 masked"),
        ([True], [False, True, True], "expected pairs of trials, found 1 and 3; take the same trials of both"),
        ([[True], [False]], [True, False], r"first: expected whether each trial succeeded, found shape \(2, 1\)"),
        (True, [True], r"found shape \(\)"),
    ],
)
def test_what_is_no_pair_of_successes_is_refused(first, second, message):
    with pytest.raises(SpecError, match=message):
        paired_difference(first, second)


def test_zero_and_one_stand_for_failure_and_success():
    right = np.array([True, False, True])
    other = ~right
    for kind in (float, np.int8, object):
        assert paired_difference(right.astype(kind), list(other)) == paired_difference(right, other)
