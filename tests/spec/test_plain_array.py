import datetime
from types import SimpleNamespace

import brian2 as b2
import dask.array
import numpy as np
import pandas as pd
import pint
import pytest
import scipy.sparse
import torch
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.plain_array import plain_array

REGISTRY = pint.UnitRegistry()


class OfAstropy(np.ndarray):
    unit = "nF"


class Unitless(np.ndarray):
    unit = None


class OfUnyt(np.ndarray):
    units = "nF"


class OfQuantities(np.ndarray):
    units = np.array(1.0)
    dimensionality = SimpleNamespace(string="nF")

    @property
    def magnitude(self):
        return self.view(np.ndarray)


class MaskedOfAstropy(OfAstropy):
    mask = np.array([False, True])


class OfFile:
    """As a variable of netCDF4, of which reading gives a masked array."""

    def __init__(self, array, dimensions=None):
        self.array, self.dimensions = array, dimensions

    def __array__(self, dtype=None, copy=None):
        return self.array


def masked(*numbers):
    return np.ma.masked_array(numbers, mask=[False, True])


@pytest.mark.parametrize(
    "given",
    [
        [200, 300],
        np.array([200, 300], object),
        np.ma.masked_array([200, 300], mask=[False, False]),
        pd.Series([200, 300], dtype="Int64"),
        pd.array([200, 300], dtype="Int64"),
        torch.tensor([200.0, 300.0], requires_grad=True),
        [torch.tensor(200.0, requires_grad=True), np.float32(300)],
        [200, 300] * b2.pF,
        [200 * b2.pF, 0.3 * b2.nF],
        [0.2, 0.3] * REGISTRY.nF,
        [0.2 * REGISTRY.nF, 300],
        pd.Series([0.2 * REGISTRY.nF, 300 * REGISTRY.pF]),
        xr.DataArray([0.2, 0.3] * REGISTRY.nF),
        xr.DataArray([0.2, 0.3], attrs={"units": "nF"}),
        xr.DataArray([200, 300], attrs={"units": ""}),
        xr.DataArray([0.2, 0.3], attrs={"units": b"nF"}),
        xr.DataArray([0.2, 0.3], attrs={"units": np.array(["nF"])}),
        xr.DataArray([0.2, 0.3], attrs={"unit": "nF"}),
        xr.DataArray([0.2, 0.3], attrs={"Units": b"nF", "unit": ""}),
        xr.DataArray([0.2, 0.3], attrs={"units": "nF", "unit": "nanofarad"}),
        xr.DataArray([200, 300], attrs={"unit": 3}),  # the number of a neuron
        [xr.DataArray(200), xr.DataArray(0.3, attrs={"units": "nF"})],
        np.array([0.2, 0.3]).view(OfAstropy),
        np.array([200, 300]).view(Unitless),
        np.array([0.2, 0.3]).view(OfUnyt),
        np.array([0.2, 0.3]).view(OfQuantities),
        xr.Variable("neuron", [0.2, 0.3], {"units": "nF"}),
        dask.array.from_array(np.array([200, 300])),
        xr.DataArray(dask.array.from_array(np.array([0.2, 0.3])), attrs={"units": "nF"}),
        xr.DataArray([0.2, 0.3] * REGISTRY.nF, attrs={"units": "nF"}),
    ],
)
def test_numbers_stand_in_the_unit_that_is_wanted(given):
    found = plain_array(given, "pF")
    assert type(found) is np.ndarray
    assert found.dtype.kind in "iuf"
    assert found.tolist() == [200, 300]


@pytest.mark.parametrize(
    "given",
    [
        np.array([5, 7], "m8[ms]"),
        np.array([5_000_000, 7_000_000], "m8[ns]"),
        list(np.array([1, 1.4]) * 5 * b2.ms),
        [np.timedelta64(5, "ms"), datetime.timedelta(milliseconds=7)],
        pd.Series(pd.to_timedelta([5, 7], "ms")),
    ],
)
def test_times_stand_in_the_unit_that_is_wanted(given):
    assert plain_array(given, "ms").tolist() == [5, 7]


def test_shapes_and_texts_stay():
    assert plain_array([[1, 2] * b2.metre, [3, 4] * b2.metre], "mm").tolist() == [[1000, 2000], [3000, 4000]]
    assert plain_array(np.array(["left", "right"], object)).tolist() == ["left", "right"]
    assert plain_array([True, False]).dtype == bool


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ma.masked_array([1, 999], mask=[False, True]), "expected weights, found 1 masked; fill in"),
        ([1, np.ma.masked], "found 1 masked"),
        (dask.array.from_array(masked(1, 999)), "found 1 masked"),
        ([dask.array.from_array(masked(1, 999))], "found 1 masked"),
        (np.array([1, 2]).view(MaskedOfAstropy), "found 1 masked"),
        (OfFile(masked(1, 999)), "found 1 masked"),
        (
            xr.DataArray([1, 2] * REGISTRY.uS, attrs={"units": "nS"}),
            "in one unit, found 'nS' beside numbers in 'microsi",
        ),
        (
            xr.DataArray([1, 2], attrs={"units": "nS", "unit": "uS"}),
            "weights in one unit, found 'nS' and 'uS'",
        ),
        ([xr.Variable("source", [1, 2])], "found a list of arrays with labels, or names of"),
        ([1, 2] * b2.mV, r"expected weights in nS, found some in 'm\^2 kg s\^-3 A\^-1'; convert them"),
        ([1, 2] * REGISTRY.mV, "found some in 'millivolt'"),
        (REGISTRY.Quantity(np.ones(2), "degC"), "found some in 'degree_Celsius'"),
        (xr.DataArray([1, 2], attrs={"units": "arbitrary"}), "found some in 'arbitrary'"),
        (np.array([1, 2], "m8[s]"), "found some in 's'"),
        (np.array([1, 2], "m8"), "found times of type timedelta64; give numbers"),
        (np.array([1, "NaT"], "m8[s]"), r"found times that are none \(NaT\)"),
        ([[1], [1, 2]], r"expected weights, found a list \("),
        ({1: 2}, "found a dict, which has no order"),
        ({1, 2}, "found a set, which has no order"),
        (
            [xr.DataArray([1, 2], dims="source")] * 2,
            "expected weights, found a list of arrays with labels, or names of",
        ),
        (
            [[1, 2], pd.Series([1, 2], index=list("ba"))],
            "found a list of arrays with labels, .* put them together into",
        ),
        (xr.Dataset({"a": 1}), "found a Dataset, which has no order"),
        (scipy.sparse.eye_array(2), "expected weights, found a dia_array"),
        ((number for number in (1, 2)), "expected weights, found a generator"),
        (None, "expected weights, found a NoneType"),
    ],
)
def test_what_is_no_such_array_is_refused(given, message):
    with pytest.raises(SpecError, match=message):
        plain_array(given, "nS", "weights")


def test_what_pandas_has_no_value_for_is_no_number():
    assert np.isnan(plain_array(pd.array([1, None], dtype="Int64"))).tolist() == [False, True]


def test_where_no_unit_is_wanted_one_is_refused():
    with pytest.raises(SpecError, match="expected an array of numbers without a unit, found some in 'm'; convert"):
        plain_array([1, 2] * b2.mm)
    assert plain_array([1, 2] * b2.mm / b2.metre).tolist() == [0.001, 0.002]


def test_what_people_write_for_no_unit_is_none():
    for unit in ("a.u.", "Streamlines", "none", "normalized", "-", "unitless"):
        weights = xr.DataArray([1.0, 2.0], dims="x", attrs={"units": unit})
        assert plain_array(weights).tolist() == [1, 2]
        with pytest.raises(SpecError, match="expected an array of numbers in mm, found some in"):
            plain_array(weights, "mm")


def test_arrays_without_labels_may_stand_in_a_list():
    assert plain_array([pd.Series([1, 2]), xr.DataArray([3, 4])]).tolist() == [[1, 2], [3, 4]]


def test_a_unit_beside_what_is_no_number_is_refused():
    for given, found in ((["0.07"], "<U4"), ([True], "bool"), ([1 + 2j], "complex128")):
        array = xr.DataArray(given, attrs={"units": "m"})
        with pytest.raises(SpecError, match=f"expected lengths, found {found} beside the unit 'm'; give real numbers"):
            plain_array(array, "mm", "lengths")
    frame = pd.DataFrame([["0.07"]])
    frame.attrs["units"] = "m"
    with pytest.raises(SpecError, match="found <U4 beside the unit 'm'"):
        plain_array(frame, "mm", "lengths")
    assert plain_array(xr.DataArray(["7"], attrs={"units": "mm"}), "mm").tolist() == ["7"]


def test_short_floats_are_converted_beyond_their_range():
    assert plain_array(xr.DataArray(np.array([80], np.float16), attrs={"units": "m"}), "mm").tolist() == [80_000]


@pytest.mark.parametrize("unit", ["mm2", "mm²", "mm^2", "mm**2", "millimeter ** 2"])
def test_powers_of_units_stand_as_packages_write_them(unit):
    assert plain_array(xr.DataArray([1, 2], attrs={"units": unit}), "cm^2").tolist() == [0.01, 0.02]
    assert plain_array(xr.DataArray([1, 2], attrs={"units": "m s-1"}), "mm/ms").tolist() == [1, 2]


@pytest.mark.parametrize("cell", [[5.0], (5.0,), np.array([5.0]), np.array([[5.0]]), pd.Series([5.0]), [5.0, 6.0]])
def test_cells_that_hold_lists_or_arrays_are_refused(cell):
    cells = np.empty((1, 2), object)
    cells[0, 0] = cells[0, 1] = cell
    for given in (cells, cells[0], pd.Series(list(cells[0]))):
        with pytest.raises(SpecError, match=r"found lists or arrays in the cells of another; give numbers in them, or"):
            plain_array(given)
