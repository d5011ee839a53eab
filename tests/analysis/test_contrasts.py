"""Chosen pairs of conditions, seed by seed, with intervals that hold together."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import twinbrain as tb
from tests.analysis.test_conditions import study
from twinbrain import analysis

PAIRS = {"spread": ("many", "one"), "gates": ("LSTM", "many")}


def comparison(accuracy, names=("one", "many", "LSTM")):
    return xr.Dataset({"accuracy": (("condition", "seed"), np.array(accuracy))}, {"condition": list(names)})


def test_intervals_are_student_s_of_paired_differences_at_a_level_shared_by_all_contrasts():
    accuracy = np.random.default_rng(0).uniform(0.4, 0.9, (3, 7))
    found = analysis.compare_contrasts(comparison(accuracy), PAIRS)
    assert found.attrs["level"] == pytest.approx(0.975)
    for i, (first, second) in enumerate(((1, 0), (2, 1))):
        expected = stats.ttest_rel(accuracy[first], accuracy[second]).confidence_interval(0.975)
        one = found.isel(contrast=i)
        assert float(one["difference"]) == pytest.approx(np.mean(accuracy[first] - accuracy[second]))
        assert (float(one["difference_low"]), float(one["difference_high"])) == pytest.approx(tuple(expected))
    assert found["condition"].values.tolist() == ["many", "LSTM"]
    assert found["against"].values.tolist() == ["one", "many"]


def test_intervals_hold_together_where_there_is_nothing_to_find():
    rng, missed, names = np.random.default_rng(1), 0, [f"c{i}" for i in range(7)]
    pairs = {str(i): (f"c{i}", f"c{i + 1}") for i in range(6)}
    for _ in range(400):
        found = analysis.compare_contrasts(comparison(rng.normal(0.5, 0.05, (7, 5)), names), pairs)
        missed += bool(((found["difference_low"] > 0) | (found["difference_high"] < 0)).any())
    assert missed / 400 < 0.08  # 5 % at most are wrong anywhere; one by one, more than 20 % would be


def test_a_seed_that_one_condition_lacks_is_left_out_of_the_pair():
    found = analysis.compare_contrasts(comparison([[0.5, 0.6, np.nan], [0.7, 0.8, 0.9], [np.nan] * 3]), PAIRS)
    assert found["n_seeds"].values.tolist() == [2, 0]
    assert float(found["difference"][0]) == pytest.approx(0.2)
    assert np.isnan(found["difference"][1])


def test_the_tuned_cases_of_a_sweep_stand_for_their_groups_in_its_contrasts():
    contrasts = {"spread": ["many", "one"], "of what is not there": ["many", "two"]}
    sweep = study().assign_attrs(spec=json.dumps({"sweep": {"contrasts": contrasts}}))
    found = analysis.compare_contrasts(analysis.compare_conditions(sweep))
    assert found["contrast"].values.tolist() == ["spread"]
    assert found["against"].values.tolist() == ["one: 50 ms"]


def test_an_unknown_condition_is_named():
    with pytest.raises(tb.LearnError, match="contrast: unknown condition 'man'; did you mean 'many'"):
        analysis.compare_contrasts(comparison(np.zeros((3, 2))), {"x": ("man", "one")})
