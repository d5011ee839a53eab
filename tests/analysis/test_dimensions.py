import numpy as np
import pytest
import xarray as xr

from twinbrain import analysis
from twinbrain.errors import StoreError

OF_RUNS = {
    "rates": analysis.rates,
    "mean_rates": analysis.mean_rates,
    "spikes": analysis.spikes,
    "cv_isi": analysis.cv_isi,
    "synchrony": lambda run: analysis.synchrony(run, "10 ms"),
    "fano_factor": lambda run: analysis.fano_factor(run, "10 ms"),
    "spectrum": analysis.spectrum,
    "functional_connectivity": lambda run: analysis.functional_connectivity(run, "10 ms"),
    "structure_function": lambda run: analysis.structure_function(run, "10 ms"),
    "summarise": analysis.summarise,
    "warm_up": analysis.warm_up,
    "state": lambda run: analysis.state(run, "v"),
}


@pytest.fixture(scope="module")
def run(helpers):
    probe = {"v": (("time", "neuron"), np.arange(10.0).reshape(5, 2))}
    state = {"probe": xr.Dataset(probe, {"time": np.arange(5.0), "neuron": [0, 2]})}
    populations = [("A", "x/a", "e", "glutamate", 2), ("B", "y/b", "e", "glutamate", 1)]
    return helpers.make_run(populations, [[0, 99, 100], [50], [199, 399]], duration=40.0, state=state)


def beside(*runs, dim="seed"):
    return xr.map_over_datasets(
        lambda *parts: xr.concat(parts, dim, data_vars="all") if parts[0].variables else parts[0], *runs
    )


@pytest.mark.parametrize("name", OF_RUNS)
def test_runs_that_were_put_beside_each_other_are_analysed_one_after_the_other(run, name):
    runs = beside(run, run)
    with pytest.raises(StoreError, match=r"along .*, as in one run, found .* along seed .* isel\(seed=0\) of several"):
        OF_RUNS[name](runs)
    found, expected = OF_RUNS[name](runs.isel(seed=0)), OF_RUNS[name](run)
    if isinstance(expected, xr.DataArray | xr.Dataset):
        xr.testing.assert_equal(found, expected)


@pytest.mark.parametrize("name", sorted({*OF_RUNS} - {"state"}))
@pytest.mark.parametrize("dim", ["population", "time"])
def test_a_run_that_lost_a_dimension_is_refused_in_one_message(run, name, dim):
    with pytest.raises(StoreError, match=rf"as in one run, found .*: a single {dim} was selected: give the whole run"):
        OF_RUNS[name](run.isel({dim: 0}))


@pytest.mark.parametrize(
    ("dim", "read"),
    [
        ("spike", analysis.spikes),
        ("window", analysis.spikes),
        ("neuron", OF_RUNS["state"]),
        ("time", OF_RUNS["state"]),
        ("target", analysis.connectome),
        ("source", analysis.connectome),
        ("population", analysis.populations),
        ("population", analysis.regions),
    ],
)
def test_whoever_reads_a_dimension_that_was_lost_says_so(run, dim, read):
    with pytest.raises(StoreError, match=f"a single {dim} was selected: give the whole run, and select from the "):
        read(run.isel({dim: 0}))


def test_the_order_of_dimensions_does_not_matter(run):
    turned = run.map_over_datasets(lambda part: part.transpose())
    for name, read in OF_RUNS.items():
        found, expected = read(turned), read(run)
        if isinstance(expected, xr.DataArray | xr.Dataset):
            xr.testing.assert_equal(found.transpose(*expected.dims), expected)
        else:
            assert found == expected, name


def test_a_run_without_what_is_read_of_it_is_refused(run):
    for group, name in (("network", "size"), ("rate", "rate"), ("spikes", "window_start")):
        lacking = run.copy()
        lacking[group] = xr.DataTree(run[group].to_dataset().drop_vars(name))
        with pytest.raises(StoreError, match=f"expected {group}/{name} in the run, found none"):
            analysis.summarise(lacking)


def test_populations_that_were_selected_twice_or_not_at_all_are_refused(run):
    with pytest.raises(StoreError, match="found 'A/e' twice: if they were selected or concatenated, take each once"):
        analysis.mean_rates(run.isel(population=[0, 0]))
    with pytest.raises(StoreError, match="expected populations in the run, found none that were selected"):
        analysis.spectrum(run.isel(population=[]))
