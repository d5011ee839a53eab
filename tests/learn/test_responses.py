"""Responses are what the trained network does, with names."""

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from tests.learn.small import integral_task
from twinbrain.learn.responses import _steps_of

TASK = which_channels(n_trials=32)
SETTINGS = {"epochs": 2, "batch_size": 16, "learning_rate": 0.05, "precision": "float64"}


@pytest.fixture(scope="module")
def trained():
    return tb.train(recurrent(), TASK, **SETTINGS)


def test_they_are_labelled(trained):
    found = trained.responses()
    assert found.sizes == {"trial": 30, "neuron": 35, "bin": 4, "output": 3}
    assert found["rate"].attrs["units"] == "Hz"
    np.testing.assert_array_equal(found["time"], [0, 10, 20, 30])
    names = xr.Dataset(found.coords)["population"].to_series().value_counts().to_dict()
    assert names == {"e": 16, "input": 12, "i": 4, "readout": 3}
    assert set(found["region"].values) == {"test/recurrent"}
    np.testing.assert_array_equal(found["label"], TASK.test.target)
    assert (found.attrs["task"], found.attrs["chance"]) == ("which channels", TASK.chance)


def test_counts_rates_and_decisions_are_those_of_the_spikes(trained):
    found = trained.responses()
    spikes, output = trained.activity(TASK.test, np.arange(30))
    np.testing.assert_array_equal(found["count"], spikes.sum(0))
    np.testing.assert_allclose(found["rate"].sum("bin") * 0.01, found["count"])
    assert found["count"].attrs["n_bins"] == found.sizes["bin"]
    np.testing.assert_allclose(found["output"], output.mean(0))
    np.testing.assert_array_equal(found["decision"], found["output"].argmax("output"))
    assert float((found["decision"] == found["label"]).mean()) == trained.score == float(found["score"].mean())
    inputs = found["count"].isel(neuron=found["population"].values == "input")
    np.testing.assert_array_equal(inputs, TASK.test.spikes(np.arange(30), 12).sum(0))


def test_trials_shorter_than_a_bin_have_one(trained):
    short = tb.trials_of(np.ones((2, 6, 12), np.uint8), [0, 1])
    found = trained.responses(short)
    assert found.sizes["bin"] == 1
    np.testing.assert_allclose(found["rate"].sum("bin") * 0.006, found["count"], rtol=1e-6)


@pytest.mark.parametrize(("dt", "n_steps", "every"), [(1.0, 40, 10), (3.0, 40, 3), (20.0, 40, 1), (1.0, 6, 6)])
def test_bins_are_of_whole_steps_by_themselves(dt, n_steps, every):
    assert _steps_of(None, dt, n_steps) == every


def test_other_trials_and_bins_can_be_asked_for(trained):
    found = trained.responses(TASK.train, "20 ms")
    assert (found.sizes["trial"], found.sizes["bin"]) == (32, 2)
    assert found["count"].attrs == {"n_bins": 2}
    uneven = trained.responses(TASK.train, "7 ms")
    assert uneven["count"].attrs == {"n_bins": 5, "left_over": 5.0}
    assert "mean" in tb.analysis.tuning(uneven.coarsen(bin=5).mean())
    for bin in ("1.5 ms", "50 ms", "0 ms"):
        with pytest.raises(tb.LearnError, match=rf"bin: expected whole steps of 1 ms, up to .* 40, found {bin}"):
            trained.responses(bin=bin)


def test_a_regression_has_an_error_and_no_decision():
    trained = tb.train(recurrent(), integral_task(n_steps=40), **SETTINGS)
    found = trained.responses()
    assert "decision" not in found
    assert "error" in trained.curves
    assert float(found["score"].mean()) == trained.score > 0


def test_a_trial_is_known_by_its_input_wherever_it_stands(trained):
    found, turned = trained.responses(), trained.responses(TASK.test.take(np.arange(30)[::-1]))
    assert len(np.unique(found["trial_digest"])) == 30
    np.testing.assert_array_equal(turned["trial_digest"], found["trial_digest"][::-1])
