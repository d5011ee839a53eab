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
    with pytest.raises(LearnError, match="lesion 'pv' tried on the trials of the intact"):
        ablation(intact, {"pv": intact.isel(trial=slice(0, 10))})


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


def test_trials_in_another_order_are_refused_where_they_can_be_known(intact):
    """Within a class their labels agree, and the pairs would be of different trials."""
    known = intact.assign_coords(trial_digest=("trial", np.arange(intact.sizes["trial"])))
    label = intact["label"].values
    turned = np.empty(len(label), np.int64)
    for each in np.unique(label):
        turned[label == each] = np.flatnonzero(label == each)[::-1]
    assert ablation(known, {"pv": known})["drop"].item() == 0
    with pytest.raises(LearnError, match="in their order, found other inputs in 160 of 160 trials"):
        ablation(known, {"pv": known.isel(trial=turned)})


def test_networks_that_do_not_tell_their_seeds_are_as_many():
    intact, lesioned = xr.DataArray([0.8, 0.9, 0.7], dims="seed"), xr.DataArray([[0.8] * 4], dims=("lesion", "seed"))
    with pytest.raises(
        LearnError, match=r"expected as many intact networks as lesioned ones, .* found 3 and 4 without"
    ):
        ablation_over_seeds(intact, lesioned)
    assert ablation_over_seeds(intact, lesioned[:, :3])["drop"].item() == pytest.approx(0)
