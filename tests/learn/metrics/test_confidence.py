import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from twinbrain.analysis.confidence import paired_difference
from twinbrain.errors import LearnError
from twinbrain.learn.metrics.confidence import compare, confidence_interval

# Student's own example (Biometrika 6, 1908): hours of sleep gained by ten patients with two drugs.
SLEEP = ([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])

BY_SEED = xr.DataArray([0.5, 0.7], {"seed": [1, 2]}, ["seed"])


def test_the_t_interval_of_students_sleep_data():
    found = confidence_interval(np.subtract(*SLEEP[::-1]))
    # R, t.test(extra ~ group, paired): mean 1.58, interval 0.70 to 2.46.
    assert (found.mean, found.low, found.high) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=1e-6)
    assert str(found) == "1.58 [0.7, 2.46] (95%, n = 10)"


@pytest.mark.parametrize("method", ["t", "bootstrap"])
def test_intervals_hold_the_true_mean_about_as_often_as_they_say(method):
    rng = np.random.default_rng(0)
    n = 200
    held = [
        found.low <= 0 <= found.high
        for _ in range(n)
        if (found := confidence_interval(rng.standard_normal(20), level=0.8, method=method))
    ]
    low, high = stats.binom.ppf((0.001, 0.999), n, 0.8) / n
    assert low - 0.04 * (method == "bootstrap") <= np.mean(held) <= high


def test_the_bootstrap_is_the_same_for_the_same_seed_and_close_to_student_where_values_are_normal():
    values = np.random.default_rng(1).normal(3, 1, 60)
    one, same, other = (confidence_interval(values, method="bootstrap", seed=seed) for seed in (1, 1, 2))
    assert one == same != other
    student = confidence_interval(values)
    assert (one.low, one.high) == pytest.approx((student.low, student.high), abs=0.05)


@pytest.mark.parametrize("method", ["t", "bootstrap"])
def test_values_that_are_all_alike_have_an_interval_of_no_width(method):
    found = confidence_interval([0.5] * 5, method=method)
    assert found.low == found.mean == found.high == 0.5


def test_a_comparison_is_made_pair_by_pair():
    found = compare(SLEEP[1], SLEEP[0])
    assert found.difference.mean == pytest.approx(1.58)
    assert found.effect == pytest.approx(1.58 / np.std(np.subtract(*SLEEP), ddof=1))
    assert (found.n_wins, found.n_ties) == (9, 1)
    assert found.sign_p == pytest.approx(2 * 0.5**9)
    assert found.wilcoxon_p < 0.01
    assert "larger in 9 of 10" in str(found)
    back = compare(*SLEEP)
    assert back.effect == -found.effect
    assert (back.n_wins, back.sign_p, back.wilcoxon_p) == (0, found.sign_p, found.wilcoxon_p)


def test_five_seeds_cannot_be_significant_however_clear_they_are():
    found = compare([1.0, 1.1, 1.2, 1.3, 1.4], [0.0, 0.0, 0.0, 0.0, 0.0])
    assert found.wilcoxon_p == found.sign_p == 0.0625


def test_what_is_the_same_does_not_differ():
    found = compare([0.5, 0.7, 0.6], [0.5, 0.7, 0.6])
    assert (found.effect, found.n_wins, found.n_ties, found.sign_p, found.wilcoxon_p) == (0, 0, 3, 1, 1)


def test_what_differs_always_by_as_much_has_an_infinite_effect():
    assert compare([1.0, 2.0], [0.0, 1.0]).effect == np.inf
    assert compare([0.7, 0.8], [0.8, 0.9]).effect == -np.inf  # whose differences are rounded to two numbers


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confidence_interval([1.0]), "at least 2 values"),
        (lambda: confidence_interval([1.0, np.nan]), "finite numbers"),
        (lambda: confidence_interval([1.0, 2.0], level=95), "between 0 and 1"),
        (lambda: confidence_interval(np.ma.masked_array([1.0, 2, 99], mask=[0, 0, 1])), "values: .* found 1 masked"),
        (lambda: compare([1.0, 2.0], [1.0, 2.0, 3.0]), "expected pairs, found 2 and 3"),
        (
            lambda: compare(BY_SEED, BY_SEED[::-1]),
            "expected pairs with the same labels, in the same order, found others",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    with pytest.raises(LearnError, match=message):
        call()


def test_rows_of_a_long_table_are_paired_by_their_places():
    table = pd.DataFrame({"case": list("abab"), "seed": [1, 1, 2, 2], "accuracy": [0.5, 0.4, 0.7, 0.5]})
    a, b = (table[table["case"] == case] for case in "ab")
    assert compare(a["accuracy"], b["accuracy"]) == compare([0.5, 0.7], [0.4, 0.5])
    right = (a["accuracy"] > 0.45, b["accuracy"] > 0.45)
    assert paired_difference(*right) == paired_difference([True, True], [False, True])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pd.Series({1: 0.5, 2: 0.7}), pd.Series({3: 0.4, 4: 0.5})),  # by seed
        (pd.Series([0.5, 0.7], [1, 2], name="accuracy"), pd.Series([0.4, 0.5], [2, 1], name="accuracy")),
        (pd.Series([0.5, 0.7], [1, 2], name="accuracy"), pd.Series([0.4, 0.5], [2, 3], name="accuracy")),
        (BY_SEED.to_series().rename("accuracy"), BY_SEED.to_series().rename("accuracy").rename(lambda seed: seed + 2)),
        (pd.Series([0.5, 0.7], [3, 4], name="accuracy"), BY_SEED),
    ],
)
def test_labels_of_seeds_are_not_taken_for_numbers_of_rows(first, second):
    with pytest.raises(LearnError, match="expected pairs with the same labels"):
        compare(first, second)
