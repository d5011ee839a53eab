import numpy as np
import pytest

from twinbrain.analysis import spectrum
from twinbrain.errors import UnitError


def test_a_rhythm_peaks_at_its_frequency(make_run, helpers):
    rng = np.random.default_rng(5)
    probability = 0.002 * (1 + np.sin(2 * np.pi * 40 * np.arange(100_000) / 10_000))
    trains = [np.flatnonzero(rng.random(100_000) < probability) for _ in range(50)]
    run = make_run([("A", "x/a", "e", "glutamate", 50)], trains, duration=10_000.0)
    power = spectrum(run, by="region").sel(region="A")
    assert power["frequency"][power.values.argmax()] == 40
    # The power of the sine, amplitude squared / 2, lies in the peak.
    near = power.where(abs(power["frequency"] - 40) <= 3, 0).sum()
    assert float(near) * 1.0 == pytest.approx(20**2 / 2, rel=0.1)


def test_poisson_spikes_have_a_flat_spectrum_of_twice_rate_by_size(run):
    power = spectrum(run, by="population").sel(population="A/pyr")
    assert power.mean().item() == pytest.approx(2 * 10 / 40, rel=0.05)


def test_resolution_is_the_inverse_of_the_segment(run):
    power = spectrum(run, segment="500 ms")
    assert power.dims == ("frequency", "family")
    np.testing.assert_allclose(power["frequency"], np.arange(2, 501, 2))
    assert power.attrs["units"] == "Hz^2/Hz"
    assert power["frequency"].attrs["units"] == "Hz"


def test_a_short_run_is_one_segment(helpers):
    power = spectrum(helpers.known_run(duration=100.0), segment="10 s")
    assert power.attrs["segment"] == "100 ms"
    assert power["frequency"][0] == 10


def test_too_few_bins_are_refused(run):
    with pytest.raises(UnitError, match="at least 8 bins of 100 ms, found 5"):
        spectrum(run, segment="500 ms", bin="100 ms")
