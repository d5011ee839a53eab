import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.labelled import is_labelled, refuse_disorder, refuse_other_labels, with_dims

DIMS = ("row", "column")


def test_arrays_without_names_are_returned_as_they_are():
    for array in (np.ones((2, 3)), [[1, 2], [3]], 5, None):
        assert with_dims(array, DIMS, "an array") is array


def test_names_tell_the_order_of_dimensions():
    array = xr.DataArray(np.arange(6).reshape(2, 3), {"row": list("ab")}, DIMS)
    table = array.to_pandas()
    for given in (array, array.T, table, table.T, table.rename_axis(index=None, columns=None)):
        found = with_dims(given, DIMS, "an array")
        assert found.dims == DIMS
        assert found["row"].values.tolist() == ["a", "b"]
        assert np.array_equal(found, array)


def test_labels_of_pandas_stay_what_they_are():
    days = pd.date_range("2024-01-01", periods=2)
    found = with_dims(pd.DataFrame(np.zeros((2, 3)), index=days), DIMS, "an array")
    assert np.array_equal(found["row"], days.to_numpy())
    assert found["column"].values.tolist() == [0, 1, 2]


def test_other_names_are_refused():
    with pytest.raises(SpecError, match="expected a map along row, column, found dimensions called row, time; rename"):
        with_dims(xr.DataArray(np.zeros((2, 3)), dims=("row", "time")), DIMS, "a map")
    table = pd.DataFrame(np.zeros((2, 3)))
    for names, found in (({"index": "column"}, "column, dim_1"), ({"index": "to", "columns": "from"}, "to, from")):
        with pytest.raises(SpecError, match=f"found dimensions called {found}"):
            with_dims(table.rename_axis(**names), DIMS, "a map")


def test_other_names_of_pandas_do_not_count_where_nothing_can_be_turned():
    table = pd.DataFrame(np.zeros((2, 3)), index=pd.Index(list("ab"), name="roi"))
    assert with_dims(table, DIMS, "a map", labels_tell=True).dims == DIMS
    assert with_dims(table[0], DIMS[:1], "a list").dims == ("row",)
    assert with_dims(table.rename_axis(columns="roi"), DIMS, "a map").dims == DIMS


def test_an_array_of_one_dimension_has_the_one_that_may_stand_alone():
    for given in (xr.DataArray([1, 2]), xr.DataArray([1, 2], dims="column"), pd.Series([1, 2]).rename_axis("roi")):
        assert with_dims(given, DIMS, "a map", alone="column").dims == ("column",)
    for given in (
        xr.DataArray([1, 2], dims="row"),
        xr.DataArray([1, 2], dims="foo"),
        pd.Series([1]).rename_axis("row"),
    ):
        with pytest.raises(SpecError, match=r"expected a map along column, found dimensions called (row|foo)"):
            with_dims(given, DIMS, "a map", alone="column")


def test_numbers_and_times_as_labels_ascend():
    days = pd.date_range("2024-01-01", periods=3).to_numpy()
    for labels in ([2, 5, 7], [0.5, 0.5, 1], days, list("cab")):
        refuse_disorder(xr.DataArray([1, 2, 3], {"time": labels}, ["time"]), ["time"], "a course")
    for labels in ([2, 1, 0], [0, np.nan, 1], days[::-1]):
        array = xr.DataArray([1, 2, 3], {"time": labels}, ["time"])
        refuse_disorder(array, ["row"], "a course")
        with pytest.raises(SpecError, match=r"the labels of a course along time to ascend, .*sortby\('time'\)"):
            refuse_disorder(array, ["time"], "a course")


def test_times_are_no_labels_of_neurons_and_channels():
    days = pd.date_range("2024-01-01", periods=2)
    for table in (
        pd.DataFrame(np.zeros((2, 2)), days),
        xr.DataArray(np.zeros((2, 2)), {"dim_0": days}, ["dim_0", "dim_1"]),
    ):
        assert with_dims(table, ("time", "neuron"), "an array").dims == ("time", "neuron")
        with pytest.raises(SpecError, match=r"along neuron, time, found times as labels along neuron; transpose it"):
            with_dims(table, ("neuron", "time"), "an array")


def test_times_are_labels_of_trials_where_nothing_else_is_in_time_or_the_steps_have_such_too():
    onset = pd.date_range("2024-01-01", periods=2)
    table = pd.DataFrame(np.zeros((2, 2)), onset)
    assert with_dims(table, ("trial", "channel"), "an array").dims == ("trial", "channel")
    assert with_dims(table.set_axis(onset, axis=1), ("trial", "step"), "an array").dims == ("trial", "step")
    with pytest.raises(SpecError, match="along trial, step, found times as labels along trial; transpose it"):
        with_dims(table, ("trial", "step"), "an array")


def test_labels_ascend_in_whatever_form_they_are():
    days = pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin")
    for index in (days, days.tz_localize(None).to_period("D"), pd.MultiIndex.from_product([["x"], [0, 1, 2]])):
        series = pd.Series([1, 2, 3], index.rename("time") if index.nlevels == 1 else index)
        for given in (series, xr.DataArray([1, 2, 3], {"time": index}, ["time"])):
            refuse_disorder(with_dims(given, ["time"], "a course"), ["time"], "a course")
            with pytest.raises(SpecError, match="the labels of a course along time to ascend, or to be names, found"):
                refuse_disorder(with_dims(given[::-1], ["time"], "a course"), ["time"], "a course")


def test_what_stands_along_unnamed_dimensions_stays_along_them():
    coords = {"dim_0": ("dim_0", [5, 6], {"units": "ms"}), "t": ("dim_0", [7, 8], {"units": "s"}), "one": 5}
    found = with_dims(xr.DataArray(np.zeros((2, 3)), coords, ["dim_0", "dim_1"]), DIMS, "an array")
    assert (found["row"].attrs, found["t"].dims, found["t"].attrs) == ({"units": "ms"}, ("row",), {"units": "s"})


def test_arrays_are_labelled_by_names_and_by_what_does_not_count_places():
    table = pd.DataFrame(np.zeros((2, 3)))
    for given in (table, table[0], table.values, xr.DataArray(table), xr.DataArray(5), [1, 2], 5):
        assert not is_labelled(given)
    for given in (table.T[[1, 0]], table[::-1][0], table.rename_axis("row"), xr.DataArray([1, 2], dims="row")):
        assert is_labelled(given)


def test_lists_that_belong_together_have_the_same_labels():
    named = pd.Series([1, 2, 3], index=list("xyz"))
    array = xr.DataArray(named.rename_axis("synapse"))
    for other in (named, array, array.drop_vars("synapse"), named.values, [1, 2, 3], named.reset_index(drop=True), 5):
        refuse_other_labels(named, other, "ends")
        refuse_other_labels(other, array, "ends")
    for other in (named[::-1], array[::-1], named.set_axis([5, 6, 7]).rename(None)):
        with pytest.raises(SpecError, match="expected ends with the same labels, in the same order, found others"):
            refuse_other_labels(named, other, "ends")
