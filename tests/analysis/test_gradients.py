import numpy as np
import pytest
import xarray as xr

from tests.trained import make_gradients
from twinbrain.analysis import gradient_health
from twinbrain.errors import LearnError, SpecError


def test_a_norm_that_changes_by_a_factor_a_step_has_that_factor():
    found = gradient_health(make_gradients((0.9, 1.0, 1.1)))
    np.testing.assert_allclose(found["factor"], [0.9, 1.0, 1.1])
    assert found["state"].values.tolist() == ["vanishing", "steady", "exploding"]
    assert found["reach"][0] == pytest.approx(-1 / np.log(0.9))
    assert np.isinf(found["reach"][1])


def test_the_limit_says_what_vanishes():
    gradients = make_gradients((0.95, 1.05))
    assert gradient_health(gradients)["state"].values.tolist() == ["steady", "steady"]
    assert gradient_health(gradients, limit=10)["state"].values.tolist() == ["vanishing", "exploding"]


def test_layers_without_a_finite_gradient_are_told():
    gradients = make_gradients((1.0, 1.0, 1.0))
    gradients["norm"][0] = 0
    gradients["norm"][1, 7] = np.nan
    gradients["norm"][2, :50] = 0
    found = gradient_health(gradients)
    assert found["state"].values.tolist() == ["none", "not finite", "vanishing"]
    assert np.isnan(found["factor"].values[:2]).all()


def test_steps_after_the_loss_are_left_out():
    gradients = make_gradients((1.0, 0.9))
    padded = gradients.pad(step=(0, 40), constant_values=0)
    np.testing.assert_allclose(gradient_health(padded)["ratio"], gradient_health(gradients)["ratio"])


def test_epochs_stay_a_dimension():
    gradients = xr.concat([make_gradients((0.9,)), make_gradients((1.0,))], "epoch")
    assert gradient_health(gradients)["state"].sel(layer="input").values.tolist() == ["vanishing", "steady"]


def test_too_few_steps_are_refused():
    with pytest.raises(LearnError, match="at least 2 steps, found 1"):
        gradient_health(make_gradients(n_steps=1))
    with pytest.raises(LearnError, match="'norm' with the dimensions layer and step"):
        gradient_health(make_gradients().rename(norm="size"))


@pytest.mark.parametrize("limit", [0, -1.0, np.nan])
def test_a_limit_that_is_no_factor_is_refused(limit):
    norm = xr.Dataset({"norm": (("layer", "step"), np.ones((1, 20)))}, {"layer": ["a"]})
    with pytest.raises(SpecError, match="limit: expected a number above 0, found"):
        gradient_health(norm, limit)


@pytest.mark.parametrize("taken", [slice(None, None, -1), slice(None, None, 2)])
def test_steps_that_do_not_follow_each_other_are_refused(taken):
    norm = xr.DataArray(np.geomspace(1e-6, 1, 40)[None], {"layer": ["l"], "step": np.arange(40)}, ("layer", "step"))
    gradients = norm.to_dataset(name="norm")
    assert gradient_health(gradients.isel(step=slice(5, 30)))["factor"].item() == pytest.approx(10 ** (-6 / 39))
    with pytest.raises(LearnError, match="expected steps that follow each other, found some left out"):
        gradient_health(gradients.isel(step=taken))
