import numpy as np
import pytest
import xarray as xr

from tests.trained import make_responses
from twinbrain.analysis import participation_ratio, trajectories
from twinbrain.errors import LearnError, SpecError


def of_rank(k, n_neurons=12, n_labels=5, n_bins=8, seed=0):
    """Return responses whose averages spread equally in k directions."""
    rng = np.random.default_rng(seed)
    n = n_labels * n_bins
    left = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, k))]))[0][:, 1:]  # of mean 0
    right = np.linalg.qr(rng.standard_normal((n_neurons, k)))[0]
    rate = 30 + 50 * (left @ right.T).reshape(n_labels, n_bins, n_neurons)
    return xr.Dataset(
        {"rate": (("trial", "bin", "neuron"), rate), "label": ("trial", np.arange(n_labels))},
        {"time": ("bin", 10.0 * np.arange(n_bins)), "cell": ("neuron", ["a", "b"] * (n_neurons // 2))},
    )


@pytest.mark.parametrize("k", [1, 3, 7])
def test_equal_spread_in_k_directions_has_participation_ratio_k(k):
    assert participation_ratio(of_rank(k)).item() == pytest.approx(k)


def test_unequal_spread_counts_as_the_formula_says():
    rate = np.zeros((1, 4, 2))
    rate[0, :, 0], rate[0, :, 1] = [1, -1, 1, -1], [3, 3, -3, -3]
    responses = xr.Dataset({"rate": (("trial", "bin", "neuron"), rate), "label": ("trial", [0])})
    assert participation_ratio(responses).item() == pytest.approx((1 + 9) ** 2 / (1 + 81))


def test_groups_have_their_own_dimension_and_noise_adds_to_it():
    responses = make_responses()
    found = participation_ratio(responses, "cell")
    assert found.dims == ("cell",)
    assert (found <= 6).all()
    noisy = participation_ratio(responses, "cell", samples="trials")
    assert noisy.sel(cell="pyr") > found.sel(cell="pyr")
    with pytest.raises(SpecError, match="unknown 'all'"):
        participation_ratio(responses, samples="all")


def test_what_does_not_vary_has_no_dimension():
    responses = of_rank(2)
    assert np.isnan(participation_ratio(responses.assign(rate=responses["rate"] * 0 + 7))).all()


def test_trajectories_rebuild_the_averages_from_their_components():
    responses = of_rank(3)
    found = trajectories(responses, 5)
    assert found.sizes["component"] == 3  # there are no more
    assert found["explained"].sum() == pytest.approx(1)
    rebuilt = xr.dot(found["score"], found["loading"], dim="component").values
    mean = responses["rate"].values
    np.testing.assert_allclose(rebuilt, mean - mean.mean(axis=(0, 1)), atol=1e-9)
    assert (found["loading"].values.max(axis=1) >= -found["loading"].values.min(axis=1)).all()
    assert found["time"].dims == ("bin",)


def test_a_neuron_without_a_rate_has_no_loading():
    responses = of_rank(3)
    responses["rate"][:, :, 4] = np.nan
    found = trajectories(responses)
    assert np.isnan(found["loading"].values[:, 4]).all()
    assert np.isfinite(found["score"]).all()


def test_trajectories_of_what_does_not_vary_are_refused():
    responses = of_rank(2)
    with pytest.raises(LearnError, match="vary over time or classes"):
        trajectories(responses.assign(rate=responses["rate"] * 0 + 7))
