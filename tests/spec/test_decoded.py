import dask.array
import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from scipy.io import netcdf_file

from twinbrain.errors import SpecError
from twinbrain.spec.decoded import decoded


def test_what_numpy_pandas_and_xarray_have_is_returned_as_it_is():
    columns = xr.DataArray([1, 2], {"columns": ("x", [3, 4])}, ["x"])
    for value in (np.ones(2), [1, 2], pd.Series([1, 2]), pd.DataFrame({"dimensions": [1]}), columns, 5, None):
        assert decoded(value, "an array") is value


def test_variables_of_xarray_keep_their_names():
    found = decoded(xr.Variable(("source", "target"), np.ones((2, 3)), {"units": "mm"}), "an array")
    assert isinstance(found, xr.DataArray)
    assert (found.dims, found.attrs) == (("source", "target"), {"units": "mm"})


def test_what_dask_computes_is_computed_with_its_mask_and_labels():
    masked = np.ma.masked_array([1, 2], mask=[False, True])
    assert decoded(dask.array.from_array(masked), "an array").mask.tolist() == [False, True]
    array = xr.DataArray([1, 2], {"neuron": [3, 4]}, ["neuron"])
    assert decoded(array.chunk(), "an array").identical(array)


def arrays_of_files(folder):
    """Return arrays whose dimensions have names, by what keeps them."""
    weight = xr.DataArray(np.eye(2), dims=("source", "target"))
    weight.to_dataset(name="w").to_zarr(folder / "w.zarr", consolidated=False, zarr_format=2)
    with netcdf_file(folder / "w.nc", "w") as file:
        file.createDimension("source", 2)
        classic = file.createVariable("w", "f8", ("source",))
    labelled, scaled = (h5py.File(folder / f"{name}.h5", "w").create_dataset("w", data=np.eye(2)) for name in "ab")
    labelled.dims[0].label = "source"
    scale = scaled.file.create_dataset("source", data=[1, 2])
    scale.make_scale("source")
    scaled.dims[0].attach_scale(scale)
    return {
        "Zarr": zarr.create_array({}, data=np.eye(2), dimension_names=("source", "target")),
        "Zarr 2": zarr.open(folder / "w.zarr", mode="r")["w"],
        "netCDF": classic,
        "HDF5": labelled,
        "HDF5 with scales": scaled,
    }


def test_arrays_of_files_whose_dimensions_have_names_are_refused(tmp_path):
    for value in arrays_of_files(tmp_path).values():
        with pytest.raises(SpecError, match=r"expected a map, found a .* whose dimensions have names, .*with xarray"):
            decoded(value, "a map")
    plain = zarr.create_array({}, data=np.eye(2))
    assert decoded(plain, "a map") is plain


def test_numbers_that_are_not_decoded_are_refused():
    stored = zarr.create_array({}, data=np.eye(2), attributes={"units": "mm", "scale_factor": 0.1})
    for value in (stored, xr.DataArray([1, 2], attrs={"_FillValue": -1, "scale_factor": 0.1})):
        with pytest.raises(SpecError, match=r"with (_FillValue, )?scale_factor beside its numbers, .*decode_cf"):
            decoded(value, "a map")


@pytest.mark.parametrize("code", [{"conversion": 1e-12}, {"offset": 5.0}, {"_Unsigned": "true"}])
def test_numbers_of_nwb_that_are_not_in_their_unit_are_refused_as_are_signed_ones_for_unsigned(code, tmp_path):
    with h5py.File(tmp_path / "x.nwb", "w") as file:
        stored = file.create_dataset("data", data=np.int16([0, 400]))
        stored.attrs.update({"unit": "amperes", "conversion": 1.0, "offset": 0.0, "resolution": -1.0})
        assert decoded(stored, "a signal") is stored
        stored.attrs.update(code)
        for value in (stored, xr.DataArray([0, 400], attrs=dict(stored.attrs))):
            with pytest.raises(SpecError, match=rf"with {next(iter(code))} beside its numbers, .* \* conversion"):
                decoded(value, "a signal")
    alone = xr.DataArray([1, 2], attrs={"conversion": "of a photograph"})
    assert decoded(alone, "a signal") is alone


class Signal(np.ndarray):
    """Numbers with times of their own, as packages of recordings have them."""

    def __new__(cls, values, **beside):
        array = np.asarray(values).view(cls)
        array.__dict__.update(beside)
        return array


@pytest.mark.parametrize(
    "beside",
    [{"times": np.arange(3)}, {"t": np.arange(3)}, {"sampling_rate": 1000.0}, {"times": print, "t": np.arange(3)}],
)
def test_samples_with_times_of_their_own_are_refused(beside):
    with pytest.raises(
        SpecError, match=r"expected a map, found a Signal with times of its own, .*as an array of NumPy"
    ):
        decoded(Signal([1.0, 2, 3], **beside), "a map")


def test_times_of_spikes_are_the_numbers_themselves():
    spikes = [1.0, 2, 5]
    for beside in ({"times": np.array(spikes), "sampling_rate": 1000.0}, {"times": print}, {"sampling_rate": None}):
        given = Signal(spikes, **beside)
        assert decoded(given, "times") is given
    for given in (xr.DataArray([1, 2], {"t": ("x", [3, 4])}, ["x"]), pd.DataFrame({"times": [1, 2], "t": [3, 4]})):
        assert decoded(given, "an array") is given


def test_tables_that_are_not_of_pandas_are_refused():
    class Table:
        columns = ("b", "a")

    with pytest.raises(SpecError, match=r"found a Table, whose columns have names that are not read; give .to_pandas"):
        decoded(Table(), "a map")
