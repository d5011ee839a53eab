import brian2 as b2
import numpy as np
import pytest

from tests.trained import make_responses, make_wandering
from twinbrain.analysis import time_scales
from twinbrain.errors import LearnError, SpecError


def test_the_time_scale_of_an_ornstein_uhlenbeck_process_is_found():
    found = time_scales(make_wandering(), by="cell")
    np.testing.assert_allclose(found["time_scale"], [30, 150], rtol=0.1)
    assert (np.abs(found["time_scale"] - [30, 150]) < 4 * found["time_scale_error"]).all()
    assert (found["time_scale_error"] < 0.1 * found["time_scale"]).all()
    assert found["time_scale"].attrs["units"] == "ms"
    np.testing.assert_allclose(found["autocorrelation"].isel(cell=0), np.exp(-found["lag"] / 30), atol=0.05)


def test_spikes_that_follow_a_slow_rate_have_its_time_scale():
    wandering = make_wandering((100.0,), n_neurons=30, n_trials=200)
    count = np.random.default_rng(1).poisson(np.maximum(5 * wandering["rate"].values, 0) * 0.01)
    found = time_scales(wandering.assign(rate=(wandering["rate"].dims, count / 0.01)), by="cell")
    assert found["time_scale"].item() == pytest.approx(100, rel=0.15)
    # Poisson noise takes from the amplitude: a variance of the rate of 625 Hz^2 beside 100 Hz / 10 ms.
    assert found["amplitude"].item() == pytest.approx(625 / (625 + 10000), rel=0.2)


def test_a_response_to_the_class_is_no_memory():
    found = time_scales(make_responses(n_bins=40), by="cell")
    np.testing.assert_allclose(found["autocorrelation"].isel(lag=slice(1, None)), 0, atol=0.05)
    assert np.isnan(found["time_scale"]).all()


def test_constant_rates_have_no_time_scale():
    wandering = make_wandering((30.0,))
    found = time_scales(wandering.assign(rate=wandering["rate"] * 0 + 5), by="cell")
    assert np.isnan(found["time_scale"]).all()
    assert np.isnan(found["autocorrelation"]).all()


def test_bins_must_be_even_and_enough():
    wandering = make_wandering((30.0,))
    with pytest.raises(LearnError, match="at least 5 bins and 3 trials, found 4 and 150"):
        time_scales(wandering.isel(bin=slice(0, 4)))
    with pytest.raises(LearnError, match="even bins, found steps from 10 to 20 ms"):
        time_scales(wandering.isel(bin=[0, 1, 2, 3, 5, 6]))
    with pytest.raises(LearnError, match="coordinate 'time'"):
        time_scales(wandering.drop_vars("time"))


def test_lags_end_where_asked():
    wandering = make_wandering((30.0,))
    found = time_scales(wandering, longest=120.0)
    assert found["lag"].values[-1] == 120
    short = wandering.assign_coords(time=("bin", 0.1 * np.arange(wandering.sizes["bin"])))
    for longest in (0.5, 0.6, 0.7):  # of which 0.7 / 0.1 is below 7
        assert time_scales(short, longest=longest)["lag"].values[-1] == pytest.approx(longest)
    assert time_scales(wandering, longest=0.12 * b2.second)["lag"].values[-1] == 120
    with pytest.raises(SpecError, match="longest as a number of ms above 0 in ms, found some in 'm"):
        time_scales(wandering, longest=120 * b2.mV)
    assert time_scales(wandering, longest=np.inf).sizes["lag"] == wandering.sizes["bin"]
    # Four lags tell more than the three parameters that are fitted to them.
    for fewest in (time_scales(wandering, longest=1e-3), time_scales(wandering.isel(bin=slice(0, 5)))):
        assert fewest.sizes["lag"] == 5
    for wrong in (0, -1.0, np.nan, "5 ms"):
        with pytest.raises(SpecError, match="longest: expected a number of ms above 0, found"):
            time_scales(wandering, longest=wrong)
