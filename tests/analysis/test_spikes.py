import numpy as np
import pytest
import xarray as xr

from twinbrain.analysis import spikes
from twinbrain.analysis.tree import clock
from twinbrain.analysis.windows import blocks
from twinbrain.errors import SpecError, StoreError


def brute_force(run, region, population, start, stop):
    """All spikes of the store, filtered one by one."""
    found = []
    network = run["network"].dataset
    ends = network["start"].values + network["size"].values
    for step, neuron in zip(run["spikes"]["time_step"].values, run["spikes"]["neuron"].values, strict=True):
        p = int(np.searchsorted(ends, neuron, side="right"))
        if str(network["label"].values[p]) in region and str(network["name"].values[p]) in population:
            time = step * run.attrs["dt"]
            if start <= round(time, 6) < stop:
                found.append((round(time, 6), int(neuron), str(network["label"].values[p])))
    return found


@pytest.fixture(scope="module")
def short(helpers):
    return helpers.known_run(duration=1000.0)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("0 ms", "1 s", (0, 1000)),
        ("100 ms", "200 ms", (100, 200)),
        ("99.9 ms", "0.3001 s", (99.9, 300.1)),
        ("252 ms", "252.1 ms", (252, 252.1)),
        ("990 ms", "5 s", (990, 5000)),
    ],
)
def test_selection_equals_brute_force(short, start, stop, expected):
    found = spikes(short, region=["A", "B"], population="p*", start=start, stop=stop)
    rows = list(zip(np.round(found["time"].values, 6), found["neuron"].values, found["region"].values, strict=True))
    assert rows == brute_force(short, {"A", "B"}, {"pyr", "pv"}, *expected)
    assert len(rows) > 0


def test_by_default_all_spikes_are_returned_in_order_of_time(short):
    found = spikes(short)
    assert found.sizes["spike"] == short["spikes"].sizes["spike"]
    assert (np.diff(found["time"]) >= 0).all()
    assert found["time"].attrs["units"] == "ms"
    assert set(found["population"].values) == {"pyr", "pv", "tc"}


def test_labels_compare_as_text(short):
    found = spikes(short)
    part = found.isel(spike=(found["region"] == "B").values)
    np.testing.assert_array_equal(part["neuron"], spikes(short, region="B")["neuron"])


def test_silent_neurons_have_no_spikes(short):
    assert spikes(short, population="silent").sizes["spike"] == 0


def test_a_run_without_any_spike_can_be_read(make_run):
    run = make_run([("A", "x/a", "e", "glutamate", 2)], [[], []], duration=1000.0)
    assert spikes(run, start="500 ms").sizes["spike"] == 0


def test_a_window_is_read_without_reading_the_rest(run, save_run, monkeypatch):
    opened = save_run(run)
    read = []
    original = xr.backends.zarr.ZarrArrayWrapper._getitem

    def counted(self, key):
        found = original(self, key)
        read.append(np.size(found))
        return found

    monkeypatch.setattr(xr.backends.zarr.ZarrArrayWrapper, "_getitem", counted)
    n_spikes = run["spikes"].sizes["spike"]
    found = spikes(opened, start="10 s", stop="10.1 s")
    of_spikes = sum(read) - 3 * 20  # less the small tables and the index of windows
    assert 0 < found.sizes["spike"] < n_spikes / 100
    # Two variables, in chunks of 500 spikes, of which the window may touch one more at either end.
    assert of_spikes < 2 * (found.sizes["spike"] + 2 * 500) + 500 < n_spikes / 4


@pytest.mark.parametrize("multiple", [1, 7, 30, 1999])
@pytest.mark.parametrize("spikes_at_once", [1, 100, 10**9])
def test_blocks_cover_each_spike_once(short, multiple, spikes_at_once):
    time = clock(short, "123.4 ms", "890 ms")
    end = time.start + (time.stop - time.start) // multiple * multiple
    found = list(blocks(short, time, multiple, spikes_at_once))
    assert found[0].start == time.start
    assert [block.stop for block in found] == [*(block.start for block in found[1:]), end]
    assert all((block.stop - block.start) % multiple == 0 for block in found)
    step, neuron = short["spikes"]["time_step"].values, short["spikes"]["neuron"].values
    within = (step >= time.start) & (step < end)
    np.testing.assert_array_equal(np.concatenate([b.time_step for b in found]), step[within])
    np.testing.assert_array_equal(np.concatenate([b.neuron for b in found]), neuron[within])


def test_blocks_hold_no_more_than_was_asked_for(run):
    sizes = [len(block.neuron) for block in blocks(run, clock(run), spikes_at_once=1000)]
    assert len(sizes) > 10
    assert max(sizes) <= 1000


def test_a_run_that_recorded_no_spikes_says_what_to_set(helpers):
    with pytest.raises(StoreError, match=r"expected the group 'spikes' .* set record.spikes = true"):
        spikes(helpers.known_run(duration=100.0, record_spikes=False))


def test_a_pattern_that_fits_nothing_shows_what_is_near(short):
    with pytest.raises(SpecError, match=r"no region fits 'C\*'; Known: A, B"):
        spikes(short, region="C*")
    with pytest.raises(SpecError, match=r"no population fits 'pyramid'; did you mean 'pyr'\? Known: pv, pyr"):
        spikes(short, region="A", population="pyramid")


def test_a_selection_of_populations_is_not_called_damage(run):
    for chosen in ([0], [1, 0, 2, 3]):
        with pytest.raises(StoreError, match=r"expected all populations of the run.*give the whole run"):
            run.isel(population=chosen, missing_dims="ignore").twin.cv_isi()
    few = run.isel(population=[2, 0], missing_dims="ignore").twin.mean_rates("population")
    np.testing.assert_array_equal(few, run.twin.mean_rates("population")[[2, 0]])
