import numpy as np
import xarray as xr

from tests.trained import make_responses
from twinbrain.analysis import tuning


def test_means_and_errors_are_those_of_each_class():
    responses = make_responses()
    found = tuning(responses)
    some = responses["count"].values[responses["label"].values == 2]
    np.testing.assert_allclose(found["mean"].sel(label=2), some.mean(axis=0))
    np.testing.assert_allclose(found["sem"].sel(label=2), some.std(axis=0, ddof=1) / np.sqrt(40))
    assert found["n_trials"].values.tolist() == [40] * 4
    assert found["mean"].attrs["units"] == "spikes/trial"
    assert found["cell"].dims == ("neuron",)


def test_neurons_prefer_the_class_that_drives_them():
    found = tuning(make_responses())
    np.testing.assert_array_equal(found["preferred"][:6], np.arange(6) % 4)


def test_a_silent_neuron_prefers_nothing_and_labels_may_be_words():
    responses = make_responses()
    responses["count"][:, 0] = 0
    responses["label"] = ("trial", np.array(["a", "b", "c", "d"])[responses["label"].values])
    found = tuning(responses)
    assert found["preferred"][0] == -1
    assert found["label"].values[found["preferred"][1]] == "b"


def test_a_neuron_that_lacks_one_count_prefers_nothing():
    responses = make_responses()
    expected = tuning(responses)
    responses["count"] = responses["count"].astype(float)
    responses["count"][0, 0] = np.nan
    found = tuning(responses)
    assert found["preferred"].values.tolist() == [-1, *expected["preferred"].values[1:]]
    assert np.isnan(found["mean"].values[:, 0]).tolist() == [True, False, False, False]


def test_a_class_of_one_trial_has_no_error():
    count = xr.DataArray([[1], [3], [5]], dims=("trial", "neuron"))
    found = tuning(xr.Dataset({"count": count, "label": ("trial", [0, 1, 1])}))
    assert np.isnan(found["sem"].values[0, 0])
    assert found["sem"].values[1, 0] == 1
