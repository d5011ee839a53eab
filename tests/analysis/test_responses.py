import numpy as np
import pytest
import xarray as xr

from tests.trained import make_responses
from twinbrain import analysis
from twinbrain.analysis.responses import classes_of, neuron_groups
from twinbrain.errors import LearnError, SpecError


def test_groups_come_in_the_order_of_their_neurons_and_keep_what_they_share():
    responses = make_responses()
    groups = neuron_groups(responses, "cell")
    assert groups.names == ["pyr", "pv", "sst"]
    assert groups.coords["n_neurons"][1].tolist() == [6, 6, 6]
    assert groups.coords["region"][1].tolist() == ["cortex"] * 3
    assert neuron_groups(responses, "region").names == ["cortex"]


def test_means_of_groups_leave_out_neurons_without_a_value():
    responses = make_responses()
    values = np.arange(18.0)
    values[:6] = [1, 3, np.nan, np.nan, np.nan, np.nan]
    values[6:12] = np.nan
    found = neuron_groups(responses, "cell").means(responses[[]].assign(x=("neuron", values)))
    assert found["x"].values.tolist() == pytest.approx([2, np.nan, 14.5], nan_ok=True)
    assert found["x_n"].values.tolist() == [2, 0, 6]
    assert found["x_sem"][0] == pytest.approx(1.0)


def test_an_unknown_group_is_answered_with_the_known_ones():
    with pytest.raises(SpecError, match=r"'cells'.*did you mean 'cell'\? Known: cell, population, region"):
        analysis.selectivity(make_responses(), by="cells")


ANALYSES = (
    analysis.selectivity,
    analysis.tuning,
    analysis.decoding,
    analysis.time_scales,
    analysis.participation_ratio,
    analysis.trajectories,
)


@pytest.mark.parametrize("function", ANALYSES)
def test_labels_that_are_missing_or_have_no_common_order_are_refused(function):
    responses = make_responses(n_neurons=1, n_trials=5)
    lacking = responses.assign(label=responses["label"].where(responses["label"] != 2))
    with pytest.raises(LearnError, match=r"expected a label of each trial, found none \(NaN\) in 5 of 20; leave"):
        function(lacking)
    label = responses["label"].astype(object)
    label[0] = "a"
    with pytest.raises(LearnError, match="expected label of one kind, found int and str; make all of them texts"):
        function(responses.assign(label=label))


@pytest.mark.parametrize("function", ANALYSES)
def test_responses_of_no_neuron_are_refused(function):
    with pytest.raises(LearnError, match="expected at least one neuron, found none"):
        function(make_responses(n_neurons=1).isel(neuron=[]))


def test_a_neuron_without_a_group_is_refused():
    responses = make_responses()
    responses["cell"] = responses["cell"].astype(object)
    responses["cell"][3] = np.nan
    with pytest.raises(SpecError, match=r"by: expected a cell of each neuron, found none \(NaN\) of 1 of 18"):
        analysis.decoding(responses, "cell")


@pytest.mark.parametrize("function", [analysis.participation_ratio, analysis.time_scales])
def test_neurons_that_lack_a_rate_are_told_to_be_left_out(function):
    responses = make_responses(n_neurons=3, n_trials=10, n_bins=8)
    responses["rate"][0, 0, 0] = np.nan
    found = function(responses, "population")
    assert found["n_neurons"].values.tolist() == [3, 3, 3]
    assert found["n_complete"].values.tolist() == [2, 3, 3]
    expected = function(responses.isel(neuron=slice(1, None)), "population").drop_vars("n_neurons")
    assert found.drop_vars("n_neurons").equals(expected)


@pytest.mark.parametrize("function", [analysis.selectivity, analysis.tuning, analysis.decoding])
def test_counts_of_whole_trials_are_not_taken_for_those_of_selected_bins(function):
    responses = make_responses(n_neurons=1, n_trials=10, n_bins=8)
    along_time = responses.drop_vars("output").swap_dims(bin="time")
    for window in (responses.isel(bin=slice(0, 3)), along_time.sel(time=slice(0, 20))):
        with pytest.raises(LearnError, match=r"expected all 8 bins .*, found 3 that are neither; .* count anew"):
            function(window)
    for left_out in (slice(0, 4), slice(4, 8), slice(None, None, 2), slice(1, None, 2), [0, 2, 3, 7]):
        with pytest.raises(LearnError, match="found 4 that are neither"):
            function(responses.isel(bin=left_out))
    with pytest.raises(LearnError, match="found 2 that are neither"):
        function(responses.coarsen(bin=3, boundary="trim").mean())
    for one in (0, [0], [3]):
        with pytest.raises(LearnError, match="found 1 that are neither"):
            function(responses.isel(bin=one))


@pytest.mark.parametrize("rest", [{}, {"left_over": 5.0}])
def test_selected_bins_that_stand_where_means_of_all_do_are_told_by_their_spikes(rest):
    responses = make_responses(n_neurons=3, n_trials=10, n_bins=50, width=2.0)
    responses["count"].attrs |= rest
    every_fifth = responses.isel(bin=slice(2, None, 5))
    np.testing.assert_allclose(every_fifth["time"], responses["time"].coarsen(bin=5).mean())
    for wrong in (every_fifth, responses.coarsen(bin=5).mean().drop_vars("rate")):
        with pytest.raises(LearnError, match="found 10 that are neither"):
            analysis.selectivity(wrong)


def test_of_what_lies_behind_the_last_bin_wider_ones_need_no_spikes():
    responses = make_responses(n_neurons=1, n_trials=10, n_bins=12)
    responses["count"] = (responses["count"] + 1).assign_attrs(n_bins=12)
    with pytest.raises(LearnError, match="found 6 that are neither"):
        analysis.tuning(responses.coarsen(bin=2).mean())
    responses["count"].attrs["left_over"] = 5.0
    found = analysis.tuning(responses.coarsen(bin=2).mean())
    xr.testing.assert_allclose(found, analysis.tuning(responses))


@pytest.mark.parametrize("function", [analysis.selectivity, analysis.tuning, analysis.decoding])
def test_wider_bins_of_whole_trials_change_nothing_that_is_counted(function):
    responses = make_responses(n_neurons=1, n_trials=10, n_bins=12, width=2.5)
    responses["rate"] = responses["rate"].astype(np.float32)
    of_two = responses.coarsen(bin=2).mean()
    for wider in (of_two, of_two.coarsen(bin=3).mean(), responses.coarsen(bin=12).mean()):
        xr.testing.assert_allclose(function(wider), function(responses))


def test_counts_of_all_bins_or_counted_anew_in_some_are_taken():
    responses = make_responses(n_neurons=1, n_trials=10, n_bins=8)
    early = responses.isel(bin=slice(0, 3))
    anew = early.assign(count=(early["rate"].sum("bin") * 0.01).round())
    assert float(analysis.tuning(anew)["mean"].mean()) == pytest.approx(float(anew["count"].mean()))
    assert {of.attrs["units"] for of in analysis.tuning(anew)[["mean", "sem"]].values()} == {"spikes/trial"}
    expected = analysis.tuning(responses)["mean"]
    for whole in (responses.isel(trial=slice(None, None, -1)), responses.drop_vars(["rate", "time"])):
        np.testing.assert_allclose(analysis.tuning(whole)["mean"], expected)


def test_what_is_missing_is_named():
    responses = make_responses()
    with pytest.raises(LearnError, match="expected the variable 'count', found rate"):
        analysis.tuning(responses.drop_vars("count"))
    with pytest.raises(LearnError, match="at least one trial"):
        analysis.tuning(responses.isel(trial=[]))
    with pytest.raises(LearnError, match=r"dimensions \(trial, neuron\), found \(trial, unit\)"):
        analysis.tuning(responses[["count", "label"]].rename(neuron="unit"))


def test_the_turn_of_a_trial_counts_within_its_class():
    responses = make_responses().isel(trial=slice(0, 6)).assign(label=("trial", list("abaabb")))
    classes = classes_of(responses)
    assert classes.label.tolist() == ["a", "b"]
    assert classes.turn().tolist() == [0, 0, 1, 2, 1, 2]
