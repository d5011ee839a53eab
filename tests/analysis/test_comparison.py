import numpy as np
import pytest

from tests.trained import make_comparison
from twinbrain.analysis import compare, compare_contrasts
from twinbrain.errors import LearnError


def test_differences_are_taken_seed_by_seed():
    study = make_comparison({"a": 0.5, "b": 0.6})
    # A spread that both share takes nothing from the difference.
    shared = np.linspace(-0.1, 0.1, 6)
    study["accuracy"][:] = np.array([0.5, 0.6])[:, None] + shared + np.array([[0], [1]]) * 0.001 * np.array([1, -1] * 3)
    found = compare(study)
    assert found["overlaps_best"].values.tolist() == [True, True]
    assert 0.098 < found["difference_low"][1] < found["difference_high"][1] < 0.102
    assert found["difference"][0] == found["difference_low"][0] == found["difference_high"][0] == 0
    assert found.attrs["reference"] == "a"


def test_conditions_are_apart_where_intervals_are():
    found = compare(make_comparison())
    assert found["overlaps_best"].sel(condition="LSTM")
    assert not found["overlaps_best"].sel(condition="homogeneous, tuned")
    assert compare(make_comparison(), "LSTM")["difference"].sel(condition="homogeneous, tuned") < -0.1


def test_a_failed_seed_counts_for_nothing():
    study = make_comparison()
    study["accuracy"][1, 3:] = np.nan
    study["accuracy"][2] = np.nan
    found = compare(study)
    assert found["n_seeds"].values.tolist() == [6, 3, 0, 6, 6, 6]
    assert found["accuracy"][1] == pytest.approx(float(study["accuracy"][1, :3].mean()))
    assert np.isnan(found["accuracy"][2])


def test_shares_stay_within_0_and_1_and_one_seed_has_no_interval():
    study = make_comparison({"a": 0.99})
    study["accuracy"][0] = [1, 1, 1, 0.9, 1, 1]
    assert compare(study)["accuracy_high"].item() == 1
    alone = compare(study.isel(seed=[0]))
    assert np.isnan(alone["accuracy_low"]).all()
    assert alone["overlaps_best"].all()


def test_disturbed_accuracies_keep_their_dimensions():
    found = compare(make_comparison())
    assert set(found["disturbed"].dims) == {"condition", "disturbance", "level"}
    assert (found["disturbed_low"] <= found["disturbed"]).all()


def test_an_unknown_reference_is_refused():
    with pytest.raises(LearnError, match="unknown reference 'lstm'"):
        compare(make_comparison(), "lstm")
    with pytest.raises(LearnError, match="'accuracy' with the dimensions condition and seed"):
        compare(make_comparison().drop_vars("accuracy"))


def test_seeds_and_conditions_that_are_there_twice_are_refused():
    study = make_comparison({"a": 0.5, "b": 0.6})
    for function in (compare, lambda found: compare_contrasts(found, {"c": ("a", "b")})):
        with pytest.raises(LearnError, match="expected each seed once, found 0 4 times"):
            function(study.assign_coords(seed=range(6)).isel(seed=[0, 1] * 4))
        with pytest.raises(LearnError, match="expected each condition once, found 'a' 2 times"):
            function(study.assign_coords(condition=["a", "a"]))
