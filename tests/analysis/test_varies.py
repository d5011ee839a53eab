import numpy as np
import pytest
import xarray as xr

from twinbrain.analysis import decoding, selectivity, time_scales, trajectories
from twinbrain.analysis.varies import STORED, varies
from twinbrain.errors import LearnError


def responses(tables):
    """Return responses of neurons whose counts or rates are the given number in every trial."""
    label = np.arange(30) % 3
    rate = np.tile(np.asarray(tables, np.float64), (30, 8, 1))
    return xr.Dataset(
        {
            "rate": (("trial", "bin", "neuron"), rate),
            "count": (("trial", "neuron"), rate[:, 0]),
            "label": ("trial", label),
        },
        {"time": ("bin", np.arange(8.0)), "population": ("neuron", [f"p{i}" for i in range(len(tables))])},
    )


def test_numbers_that_are_alike_but_for_rounding_do_not_vary():
    assert np.std([0.1] * 3) > 0  # by rounding
    assert varies([[0.1, 1.0], [0.1, 1.001], [0.1, 1.0]]).tolist() == [False, True]
    assert not varies(np.float32([1 / 3, np.nextafter(np.float32(1 / 3), 1), 1 / 3]), precision=STORED)
    assert not varies([0.0, 0.0])
    assert not varies([1.0, np.nan])


def test_constant_rates_that_binary_numbers_do_not_hold_have_no_time_scale_and_no_path():
    alike = responses([0.1, 1 / 3, 1e5 / 3])
    found = time_scales(alike)
    assert np.isnan(found["autocorrelation"]).all()
    assert np.isnan(found["time_scale"]).all()
    with pytest.raises(LearnError, match="found constant ones"):
        trajectories(alike)


def test_a_neuron_without_a_rate_leaves_the_time_scales_of_others():
    rng = np.random.default_rng(0)
    some = responses([1.0, 1.0])
    some["rate"][:] = 10 + rng.standard_normal(some["rate"].shape)
    alone = time_scales(some.isel(neuron=[0]))["autocorrelation"]
    some["rate"][:, :, 1] = np.nan
    np.testing.assert_array_equal(time_scales(some)["autocorrelation"].isel(population=0), alone.isel(population=0))


def test_counts_that_are_alike_have_no_discriminability_and_decode_nothing():
    alike = responses([0.1, 1 / 3])
    assert np.isnan(selectivity(alike)["d_prime"]).all()
    assert decoding(alike)["accuracy"].item() == pytest.approx(1 / 3)
