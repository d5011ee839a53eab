import numpy as np
import pytest

from twinbrain.analysis import (
    cv_isi,
    functional_connectivity,
    mean_rates,
    rates,
    spectrum,
    spikes,
    summarise,
    synchrony,
    warm_up,
)
from twinbrain.errors import SpecError, StoreError, UnitError


@pytest.fixture
def small(make_run):
    """Three neurons of A, one of B; 40 ms."""
    populations = [("A", "x/a", "e", "glutamate", 2), ("A", "x/a", "i", "gaba", 1), ("B", "y/b", "e", "glutamate", 1)]
    trains = [[0, 99, 100], [50], [199, 399], [200, 201, 202, 300]]
    return make_run(populations, trains, duration=40.0)


def test_rate_of_a_population_is_count_by_size_and_bin(small):
    rate = rates(small, bin="10 ms", by="population")
    counts = np.array([[3, 0, 0], [1, 1, 0], [0, 0, 3], [0, 1, 1]])
    np.testing.assert_allclose(rate, counts / [2, 1, 1] / 0.01, rtol=1e-6)
    assert rate["population"].values.tolist() == ["A/e", "A/i", "B/e"]
    assert rate["transmitter"].values.tolist() == ["glutamate", "gaba", "glutamate"]


@pytest.mark.parametrize(
    ("start", "stop", "counts"), [("9.8 ms", "10.1 ms", [2, 0, 0]), ("19.9 ms", "20.3 ms", [0, 1, 3])]
)
def test_spikes_are_counted_where_no_whole_bin_of_the_rates_lies_within(small, start, stop, counts):
    found = mean_rates(small, "population", start=start, stop=stop)
    seconds = (float(stop[:-3]) - float(start[:-3])) / 1000
    np.testing.assert_allclose(found, np.array(counts) / [2, 1, 1] / seconds)
    assert not {"start", "stop"} & {*found.attrs}
    for refused in (
        lambda: mean_rates(small.drop_nodes("spikes"), start=start, stop=stop),
        lambda: rates(small, start=start, stop=stop),
    ):
        with pytest.raises(UnitError, match="a whole bin of its rates, which are 1 ms wide, found none from '"):
            refused()


@pytest.mark.parametrize("taken", [slice(10, None), slice(None, 30), slice(None, None, 2), slice(None, None, -1)])
def test_a_run_of_which_some_times_were_selected_is_refused(small, taken):
    selected = small.isel(time=taken)
    of_rates = (rates, mean_rates, lambda run: spectrum(run, segment="10 ms"))
    for analysis in (*of_rates, summarise, cv_isi, synchrony, spikes, warm_up):
        with pytest.raises(
            StoreError, match=r"expected the rates of the whole run, .* give the whole run, and start= "
        ):
            analysis(selected)


def test_rate_of_a_region_counts_each_neuron_once(small):
    rate = rates(small, bin="20 ms", by="region")
    np.testing.assert_allclose(rate, np.array([[5 / 3, 0], [1 / 3, 4]]) / 0.02, rtol=1e-6)
    assert rate["time"].values.tolist() == [0, 20]
    assert rate["family"].values.tolist() == ["x", "y"]


def test_groups_keep_the_order_of_their_first_neurons(make_run):
    populations = [("Z", "z/b", "e", "glutamate", 1), ("A", "a/b", "e", "glutamate", 1), ("M", "z/b", "e", "gaba", 2)]
    run = make_run(populations, [[0], [0, 1], [], [0, 1, 2]], duration=10.0)
    assert rates(run, by="region")["region"].values.tolist() == ["Z", "A", "M"]
    kinds = mean_rates(run, by="kind")
    assert kinds["kind"].values.tolist() == ["z/e", "a/e"]
    np.testing.assert_allclose(kinds, [4 / 3 / 0.01, 200], rtol=1e-6)
    assert kinds["n_neurons"].values.tolist() == [3, 1]
    assert "transmitter" not in kinds.coords  # it differs within a group


def test_rates_of_every_grouping_tell_the_same_number_of_spikes(run):
    n_spikes = run["spikes"].sizes["spike"]
    for by in ("population", "region", "kind", "family"):
        rate = mean_rates(run, by=by)
        assert float((rate * rate["n_neurons"]).sum()) * 20 == pytest.approx(n_spikes, rel=1e-6)


def test_poisson_rate_lies_within_its_standard_error(run):
    rate = mean_rates(run, by="population").sel(population="A/pyr")
    assert abs(rate - 10) < 4 * np.sqrt(10 / (40 * 20))


def test_a_part_of_the_run_is_what_its_bins_say(small):
    rate = rates(small, bin="10 ms", by="population", start="10 ms", stop="30 ms")
    assert rate["time"].values.tolist() == [10, 20]
    np.testing.assert_allclose(mean_rates(small, by="region", start="20 ms").values, [1 / 3 / 0.02, 200], rtol=1e-6)


def test_a_mean_is_that_of_the_part_that_is_asked_for(small):
    """Whatever the bins: those of the run are 1 ms wide, and a tenth of one is asked for at both ends."""
    part = {"start": "9.9 ms", "stop": "20.1 ms"}
    mean = mean_rates(small, by="population", **part)
    np.testing.assert_allclose(mean, np.array([2, 1, 1]) / [2, 1, 1] / 0.0102, rtol=1e-6)
    assert "start" not in mean.attrs
    without = small.copy()
    del without["spikes"]
    told = mean_rates(without, by="population", **part)
    assert (told.attrs["start"], told.attrs["stop"]) == ("10 ms", "20 ms")


def test_a_last_bin_that_is_not_full_is_left_out(small):
    assert rates(small, bin="15 ms")["time"].values.tolist() == [0, 15]


def test_results_carry_units_and_names(small):
    rate = rates(small, bin="0.01 s")
    assert rate.attrs == {"long_name": "firing rate", "units": "Hz", "bin": "10 ms"}
    assert rate["time"].attrs["units"] == "ms"
    assert rate.dims == ("time", "region")


def test_rates_are_computed_when_they_are_asked_for(run, save_run):
    rate = rates(save_run(run), bin="50 ms", by="family")
    assert rate.chunks is not None
    np.testing.assert_allclose(rate, rates(run, bin="50 ms", by="family"))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"bin": "10"}, UnitError, "found '10' without a unit; write \"10 ms\""),
        ({"bin": 10.0}, UnitError, "without a unit"),
        ({"bin": "1.5 ms"}, UnitError, r"multiple of the recorded 1 ms, found '1.5 ms'; see record.rate_bin"),
        ({"bin": "1 s"}, UnitError, "at least one bin of 1000 ms, found 40 ms"),
        ({"start": "50 ms"}, UnitError, "within the 40 ms that the run holds, found start '50 ms'"),
        ({"start": "20 ms", "stop": "10 ms"}, UnitError, "expected start before stop"),
        ({"by": "regions"}, SpecError, "did you mean 'region'"),
    ],
)
def test_what_cannot_be_is_refused(small, arguments, error, message):
    with pytest.raises(error, match=message):
        rates(small, **arguments)


def test_a_part_of_a_run_is_no_run(small):
    with pytest.raises(StoreError, match=r"expected the group 'network' .* open a run"):
        rates(small["spikes"])


def test_bins_and_windows_are_written_as_one_would(make_run):
    run = make_run([("A", "x/a", "e", "glutamate", 1)], [[0]], duration=300.3, rate_bin=2.1, record_spikes=False)
    assert rates(run, bin="10.5 ms").attrs["bin"] == "10.5 ms"
    assert mean_rates(run, start="6.2 ms").attrs["start"] == "6.3 ms"
    assert functional_connectivity(run, bin="2.1 ms", start="6.3 ms").attrs["stop"] == "300.3 ms"


def test_rates_that_do_not_tell_their_bin_are_refused(small):
    untold = small.copy()
    untold["rate"].attrs.clear()
    with pytest.raises(StoreError, match="expected the attribute 'bin' of the rates"):
        rates(untold)
