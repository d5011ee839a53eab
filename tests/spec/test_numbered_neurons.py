import pandas as pd
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.numbered_neurons import refuse_other_neurons


def test_neurons_are_numbered_as_they_stand():
    for labels in (range(3), list("abc")):
        refuse_other_neurons(pd.Series([1, 2, 3], pd.Index(labels, name="neuron")), "rows")
    refuse_other_neurons(pd.Series([1, 2, 3], [2, 5, 7]), "rows")  # rows of any table
    for labels in ([2, 5, 7], [1, 2, 3], [0.0, 2.0, 5.0]):
        series = pd.Series([1, 2, 3], pd.Index(labels, name="neuron"))
        for given in (series, xr.DataArray(series)):
            with pytest.raises(SpecError, match=r"rows with neurons 0, 1, 2, … as they are numbered, found \[\d"):
                refuse_other_neurons(given, "rows")
    beside = xr.DataArray([1, 2], {"neuron": ("cell", [3, 7])}, ["cell"])
    with pytest.raises(SpecError, match=r"as they are numbered, found \[3, 7\]; give each"):
        refuse_other_neurons(beside, "rows")


def test_neurons_are_numbered_among_equal_labels_of_other_levels():
    def each_form(*labels):
        index = pd.MultiIndex.from_tuples(labels, names=["kind", "neuron"])
        return pd.Series(range(len(labels)), index), xr.DataArray(range(len(labels)), {"cell": index}, ["cell"])

    for given in each_form(("pyr", 0), ("pv", 0), ("pyr", 1)):
        refuse_other_neurons(given, "rows")
    for given in (*each_form(("pyr", 0), ("pyr", 2)), *each_form(("pyr", 0), ("pv", 1))):
        with pytest.raises(SpecError, match="rows with neurons 0, 1, 2, … as they are numbered, found"):
            refuse_other_neurons(given, "rows")
