import numpy as np
import pytest

from twinbrain.connectome import synthetic_connectome
from twinbrain.errors import ConnectomeError


@pytest.fixture(scope="module")
def brain():
    return synthetic_connectome(200, seed=1)


def test_the_same_seed_makes_the_same_connectome(brain):
    assert synthetic_connectome(200, seed=1) == brain
    assert synthetic_connectome(200, seed=2).digest != brain.digest


def test_hemispheres_mirror_each_other(brain):
    left, right = brain.select("L-*"), brain.select("R-*")
    assert left.labels[0] == "L-001"
    assert (left.hemisphere == "left").all()
    assert (right.hemisphere == "right").all()
    np.testing.assert_array_equal(left.centroids * [-1, 1, 1], right.centroids.values)
    assert (left.centroids.sel(axis="x") < 0).all()


def test_it_is_the_size_of_a_human_brain(brain):
    extent = np.ptp(brain.centroids.values, axis=0)
    np.testing.assert_allclose(extent, [120, 150, 100], rtol=0.1)
    np.testing.assert_allclose(brain.length.max(), 150, rtol=0.1)


def test_the_density_is_the_one_asked_for(brain):
    assert np.count_nonzero(brain.weight) == round(0.3 * 200 * 199)
    assert not np.diag(brain.weight).any()
    assert np.count_nonzero(synthetic_connectome(10, density=1.0).weight) == 90
    assert np.count_nonzero(synthetic_connectome(10, density=0.0).weight) == 0


def test_weights_fall_exponentially_and_are_log_normal_about_that(brain):
    within = np.zeros((200, 200), dtype=bool)
    within[:100, :100] = within[100:, 100:] = True
    present = within & (brain.weight.values > 0)
    distance, logs = brain.length.values[present], np.log(brain.weight.values[present])
    slope, intercept = np.polyfit(distance, logs, 1)
    assert -1 / slope == pytest.approx(15, rel=0.05)
    residual = logs - slope * distance - intercept
    assert residual.std() == pytest.approx(1, rel=0.05)
    assert abs((residual**3).mean()) < 0.1


def test_near_regions_are_connected_more_often(brain):
    connected = brain.weight.values > 0
    assert brain.length.values[connected].mean() < 0.8 * brain.length.values[~connected].mean()


def test_hemispheres_are_joined_by_few_connections_but_strong_ones_of_mirror_images(brain):
    weight = brain.weight.values
    across, within, pairs = weight[:100, 100:], weight[:100, :100], np.diag(weight[:100, 100:])
    assert np.count_nonzero(across) < 0.5 * np.count_nonzero(within)
    assert np.count_nonzero(pairs) > 95
    assert pairs.mean() > 3 * within[within > 0].mean()


@pytest.mark.parametrize(("n", "labels"), [(1, ["L-01"]), (3, ["L-01", "L-02", "R-01"])])
def test_small_and_odd_numbers_of_regions_are_possible(n, labels):
    assert synthetic_connectome(n).labels == labels


def test_hemispheres_may_be_apart():
    weight = synthetic_connectome(20, across=0.0, density=1.0, name="split").weight
    assert np.count_nonzero(weight[:10, 10:]) == 10  # the mirror images alone


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_regions": 0}, "n_regions: expected a whole number of at least 1, found 0"),
        ({"n_regions": 3.5}, "n_regions: expected a whole number of at least 1, found 3.5"),
        ({"seed": -1}, "seed: expected a whole number of at least 0, found -1"),
        ({"density": "0.3"}, "expected density as a number, found '0.3'"),
        ({"density": 1.5}, "density from 0 to 1, found 1.5"),
        ({"across": -1}, "across from 0 to 1"),
        ({"decay_length": 0}, "decay_length .* greater than 0"),
        ({"spread": float("nan")}, "spread"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(ConnectomeError, match=message):
        synthetic_connectome(**({"n_regions": 4} | options))
