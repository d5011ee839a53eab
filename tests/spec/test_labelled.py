import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.labelled import with_dims

DIMS = ("row", "column")


def test_arrays_without_names_are_returned_as_they_are():
    for array in (np.ones((2, 3)), [[1, 2], [3]], 5, None):
        assert with_dims(array, DIMS, "an array") is array


def test_names_tell_the_order_of_dimensions():
    array = xr.DataArray(np.arange(6).reshape(2, 3), {"row": list("ab")}, DIMS)
    table = array.to_pandas()
    for given in (array, array.T, table, table.T, table.rename_axis(index=None, columns="anything")):
        found = with_dims(given, DIMS, "an array")
        assert found.dims == DIMS
        assert found["row"].values.tolist() == ["a", "b"]
        assert np.array_equal(found, array)


def test_an_index_that_counts_from_0_is_no_label():
    table = pd.DataFrame(np.zeros((2, 3)))
    assert not with_dims(table, DIMS, "an array").coords
    assert with_dims(table.loc[[1, 0]], DIMS, "an array")["row"].values.tolist() == ["1", "0"]


def test_other_names_are_refused():
    with pytest.raises(SpecError, match="expected a map along row, column, found dimensions called row, time; rename"):
        with_dims(xr.DataArray(np.zeros((2, 3)), dims=("row", "time")), DIMS, "a map")
    with pytest.raises(SpecError, match="found dimensions called column, dim_1"):
        with_dims(pd.DataFrame(np.zeros((2, 3))).rename_axis(index="column"), DIMS, "a map")
