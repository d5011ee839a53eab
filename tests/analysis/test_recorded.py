import numpy as np
import pytest
import xarray as xr

from twinbrain.analysis import mean_rates, rates, spectrum
from twinbrain.errors import StoreError

NAMES = ["A/e", "A/i", "B/e"]


@pytest.fixture(scope="module")
def run(helpers):
    """Three populations that fire 1, 2 and 4 times in 10 ms."""
    populations = [("A", "x/a", "e", "glutamate", 2), ("A", "x/a", "i", "gaba", 1), ("B", "y/b", "e", "glutamate", 1)]
    return helpers.make_run(populations, [[1], [2], [3, 4], [5, 6, 7, 8]], duration=10.0)


def with_rates(run, change, **coords):
    """Return the run with other rates: such as someone has labelled, and then changed."""
    changed = run.copy()
    rate = run["rate"].to_dataset().assign_coords(coords or {"population": NAMES})
    changed["rate"] = xr.DataTree(change(rate).assign_attrs(run["rate"].attrs))
    return changed


@pytest.mark.parametrize("by", ["population", "region", "kind", "family"])
@pytest.mark.parametrize("backwards", [False, True])
def test_labelled_rates_are_those_of_their_labels_in_whatever_order(run, by, backwards):
    mine = with_rates(run, lambda rate: rate.sortby("population", ascending=not backwards))
    assert mean_rates(mine, by).identical(mean_rates(run, by))
    assert rates(mine, by=by).identical(rates(run, by=by))


def test_labels_of_the_run_count_where_it_is_labelled_too(run):
    mine = with_rates(run, lambda rate: rate.isel(population=[2, 0, 1]), population=["one", "two", "three"])
    mine["network"] = xr.DataTree(run["network"].to_dataset().assign_coords(population=["one", "two", "three"]))
    assert mean_rates(mine, "population").identical(mean_rates(run, "population"))
    few = mine.sel(population=["three", "one"])
    np.testing.assert_array_equal(mean_rates(few, "population"), mean_rates(run, "population")[[2, 0]])


@pytest.mark.parametrize(
    "change",
    [
        lambda rate: rate.sel(population=["A/i"]).drop_vars("population"),
        lambda rate: rate.isel(population=[0, 0, 1]),
        lambda rate: rate.isel(population=[0, 1, 2, 2]),
        lambda rate: rate.sel(population=["A/e", "B/e"]),
        lambda rate: rate.assign_coords(population=["A/e", "A/i", "C/e"]),
        lambda rate: rate.assign_coords(population=[0, 1, 2]),
        lambda rate: xr.concat([rate, rate], "population", data_vars="minimal"),
        lambda rate: (
            rate.assign_coords(name=("population", ["e", "i", "e"])).isel(population=[1, 0, 2]).drop_vars("population")
        ),
    ],
)
def test_rates_that_are_not_those_of_the_populations_are_refused(run, change):
    mine = with_rates(run, change)
    for analysis in (mean_rates, rates):
        with pytest.raises(StoreError, match=r"rates of the 3 populations .* labelled 'A/e' and so on, found .*: give"):
            analysis(mine, "population") if analysis is mean_rates else analysis(mine, by="population")


def test_other_labels_of_rates_that_agree_change_nothing(run):
    mine = with_rates(run, lambda rate: rate, region=("population", ["A", "A", "B"]), mine=("population", [1, 2, 3]))
    for by in ("population", "region"):
        assert rates(mine, by=by).identical(rates(run, by=by))


def test_a_mean_of_rates_some_of_which_are_missing_is_missing(run):
    """As those of a shorter run are, of several that were put beside each other."""
    mine = with_rates(run, lambda rate: rate.where(rate["time"] < 8))
    assert np.isnan(mean_rates(mine, "population")).all()
    assert np.isnan(rates(mine, "5 ms")).any("region").values.tolist() == [False, True]
    np.testing.assert_array_equal(mean_rates(mine, stop="8 ms"), mean_rates(run, stop="8 ms"))


@pytest.mark.parametrize("by", ["region", "kind", "family"])
def test_means_over_groups_of_which_populations_were_left_out_are_refused(run, by):
    few, turned = run.isel(population=[0, 2]), run.isel(population=[2, 1, 0])
    for analysis in (mean_rates, lambda run, by: rates(run, by=by), lambda run, by: spectrum(run, by=by)):
        with pytest.raises(StoreError, match=rf"means by {by} .*, found 2 that were selected: .* by='population'"):
            analysis(few, by)
    np.testing.assert_array_equal(mean_rates(few, "population"), mean_rates(run, "population")[[0, 2]])
    xr.testing.assert_equal(mean_rates(turned, by).sortby(by), mean_rates(run, by).sortby(by))


@pytest.mark.parametrize("path", ["rate", "network"])
def test_rows_of_an_opened_run_are_those_of_their_first_neurons(run, path):
    opened = run.copy()
    opened["rate"].dataset = run["rate"].to_dataset().assign_coords(start=run["network"]["start"].variable)
    expected = run.twin.mean_rates("population")
    moved = opened.copy()
    moved[path].dataset = opened[path].to_dataset().isel(population=[2, 0, 1])
    found = moved.twin.mean_rates("population")
    xr.testing.assert_equal(found.sel(population=expected["population"]), expected)
    twice = opened.copy()
    twice["rate"].dataset = opened["rate"].to_dataset().isel(population=[0, 0, 2])
    with pytest.raises(StoreError, match="expected rates of the 3 populations of the run, each once"):
        twice.twin.mean_rates()
