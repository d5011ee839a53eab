import numpy as np
import pytest
import xarray as xr
from scipy import stats

from tests.trained import make_responses
from twinbrain.analysis import ablation, ablation_over_seeds
from twinbrain.errors import LearnError


@pytest.fixture
def intact():
    responses = make_responses()
    return responses.assign(decision=responses["label"])


def test_the_drop_of_each_class_and_of_all_is_told(intact):
    label = intact["label"].values
    blind = intact.assign(decision=("trial", np.where(label == 1, 0, label)))
    found = ablation(intact, {"pv": blind, "none": intact})
    np.testing.assert_allclose(found["drop_of_label"].sel(lesion="pv"), [0, 1, 0, 0])
    assert found["drop"].sel(lesion="pv") == 0.25
    assert found["low"].sel(lesion="pv") > 0.15
    assert found["low"].sel(lesion="none") < 0 < found["high"].sel(lesion="none")
    assert found.attrs["intact"] == 1
    assert (found.attrs["n"], found.attrs["interval_over"]) == (160, "trials")


def test_a_lesion_that_helps_has_a_negative_drop(intact):
    worse = intact.assign(decision=("trial", (intact["label"].values + 1) % 4))
    assert ablation(worse, {"helps": intact})["drop"].item() == -1


def test_other_trials_are_refused(intact):
    with pytest.raises(LearnError, match=r"lesion 'pv' tried on the trials of the intact .* found 10 trials, not 160"):
        ablation(intact, {"pv": intact.isel(trial=slice(0, 10))})


def test_trials_without_a_decision_are_refused_and_do_not_count_as_wrong(intact):
    lacking = intact.assign(decision=intact["decision"].where(intact["label"] > 0))
    for given in ((lacking, {"pv": intact}), (intact, {"pv": lacking})):
        with pytest.raises(LearnError, match=r"expected a decision of each trial, found none \(NaN\) in 40 of 160"):
            ablation(*given)


def test_over_seeds_only_those_count_that_were_compared():
    intact = xr.DataArray([0.9, 0.8, np.nan, 0.1], {"seed": [0, 1, 2, 3]}, "seed")
    lesioned = xr.DataArray([[0.5, 0.6, 0.7], [0.5, np.nan, 0.7]], {"seed": [0, 1, 2]}, ("lesion", "seed"))
    lesioned = lesioned.assign_coords(lesion=["pv", "sst"])
    found = ablation_over_seeds(intact, lesioned[:1])
    assert (found["drop"].item(), found.attrs["n"]) == (pytest.approx(0.3), 2)
    assert found.attrs["intact"] == pytest.approx(0.85)
    assert ablation_over_seeds(intact, lesioned).attrs["n"] == "1 to 2"


def test_over_seeds_networks_are_compared_with_themselves():
    intact = xr.DataArray([0.8, 0.9, 0.7], {"seed": [0, 1, 2]}, "seed")
    lesioned = xr.DataArray(
        [[0.69, 0.79, 0.62], [0.8, 0.9, 0.7]], {"lesion": ["pv", "none"], "seed": [0, 1, 2]}, ("lesion", "seed")
    )
    found = ablation_over_seeds(intact, lesioned)
    expected = stats.t.interval(0.95, 2, 0.1, stats.sem([0.11, 0.11, 0.08]))
    assert (found["low"][0], found["high"][0]) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    assert found["drop"].values == pytest.approx([0.1, 0])
    with pytest.raises(LearnError, match="none in common"):
        ablation_over_seeds(intact.assign_coords(seed=[7, 8, 9]), lesioned)
    with pytest.raises(LearnError, match="ablation, lesioned: expected each seed once, found 1 2 times"):
        ablation_over_seeds(intact, lesioned.isel(seed=[0, 1, 1]))
    with pytest.raises(LearnError, match="expected lesioned with dims"):
        ablation_over_seeds(intact, intact)


def test_trials_are_held_against_the_same_ones_in_whatever_order(intact):
    label, n = intact["label"].values, intact.sizes["trial"]
    known = intact.assign_coords(trial_digest=("trial", np.arange(n)))
    whole, lesioned = (
        known.assign(decision=("trial", np.where(np.arange(n) % every, label, label + 1))) for every in (5, 3)
    )
    order = np.random.default_rng(1).permutation(n)
    found = ablation(whole, {"pv": lesioned, "turned": lesioned.isel(trial=order)})
    assert found["drop"].values.tolist() == [pytest.approx(1 / 3 - 1 / 5, abs=0.01)] * 2
    xr.testing.assert_identical(*(found.sel(lesion=name, drop=True) for name in ("pv", "turned")))
    # One input may stand for several classes.
    alike = intact.assign_coords(trial_digest=("trial", np.arange(n) // 40))
    assert ablation(alike, {"pv": alike.isel(trial=order)})["drop"].item() == 0


def test_trials_that_are_others_are_refused_by_what_differs(intact):
    known = intact.assign_coords(trial_digest=("trial", np.arange(intact.sizes["trial"])))
    others = known.assign_coords(trial_digest=known["trial_digest"] + 3)
    with pytest.raises(LearnError, match="network, found other inputs in 3 of 160 trials; run both"):
        ablation(known, {"pv": others})
    with pytest.raises(LearnError, match=r"found other labels in 160 of 160 trials; .* keep their order"):
        ablation(intact, {"pv": intact.assign(label=(intact["label"] + 1) % 4)})


def test_networks_that_do_not_tell_their_seeds_are_as_many():
    intact, lesioned = xr.DataArray([0.8, 0.9, 0.7], dims="seed"), xr.DataArray([[0.8] * 4], dims=("lesion", "seed"))
    with pytest.raises(
        LearnError, match=r"expected as many intact networks as lesioned ones, .* found 3 and 4 without"
    ):
        ablation_over_seeds(intact, lesioned)
    assert ablation_over_seeds(intact, lesioned[:, :3])["drop"].item() == pytest.approx(0)
