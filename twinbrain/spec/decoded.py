"""Arrays of other packages, as those of NumPy, pandas or xarray; what cannot be read for sure is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from twinbrain.errors import SpecError

# What stands beside numbers of a file that are not what they mean: the conventions of netCDF, for Zarr and HDF5, too.
_CODES = {"scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned"}
# What NWB has beside the unit that the numbers have once these are applied, and where that changes nothing.
_CODES_BESIDE_UNIT = {"conversion": 1, "offset": 0}
_NAMES = {"_ARRAY_DIMENSIONS", "DIMENSION_LABELS", "DIMENSION_LIST"}


def decoded(value: Any, what: str) -> Any:
    """Return an array of another package as one of NumPy, pandas or xarray, where it tells more than its numbers.

    Parameters
    ----------
    value : array_like
        A variable of xarray becomes an array of it, and what Dask computes is computed; all else is returned as it is.
    what : str
        What is expected, for a message.

    Raises
    ------
    SpecError
        If it is an array of a file (of Zarr, h5py or netCDF4) with names of its dimensions, an array of another package
        with times of its own, or a table of another package than pandas, whose columns have names; or if its numbers
        are not decoded yet.
    """
    if isinstance(value, xr.Variable):
        value = xr.DataArray(value)
    if callable(graph := getattr(value, "__dask_graph__", None)) and graph() is not None:
        value = value.compute()
    found = f"expected {what}, found a {type(value).__name__}"
    attributes = getattr(value, "attrs", None)
    attributes = attributes if isinstance(attributes, Mapping) else {}
    if codes := _codes(attributes):
        raise SpecError(
            f"{found} with {', '.join(codes)} beside its numbers, which are not those that are meant; decode them "
            "(xarray does, when it opens the file, or by xarray.decode_cf; NWB means numbers * conversion + offset), "
            "and give them without these attributes"
        )
    if not _NAMES.isdisjoint(attributes) or _names_dimensions(value):
        raise SpecError(
            f"{found} whose dimensions have names, which may mean another order; open its file with xarray, which "
            "knows them, or give what it holds, [...], which is taken by its places"
        )
    if hasattr(value, "iloc") or isinstance(value, xr.DataArray):  # whose columns and coordinates have any name
        return value
    if _has_times(value):
        raise SpecError(
            f"{found} with times of its own, which are not read; give its numbers as an array of NumPy, in the unit "
            "and sampled as they are wanted here, whose dimensions are taken by their places"
        )
    if hasattr(value, "columns"):
        raise SpecError(
            f"{found}, whose columns have names that are not read; give .to_pandas(), or .to_numpy(), which is taken "
            "by its places"
        )
    return value


def _codes(attributes: Mapping[Any, Any]) -> list[str]:
    """Return the attributes by which numbers of a file stand for others."""
    has_unit = any(str(key).lower() in ("unit", "units") for key in attributes)
    beside_unit = _CODES_BESIDE_UNIT if has_unit else {}
    own = {key for key, same in beside_unit.items() if key in attributes and np.any(attributes[key] != same)}
    return sorted(own | (_CODES & set(attributes)))


def _has_times(value: Any) -> bool:
    """Return whether an array, as of neo or pynapple, tells when its samples are; times of spikes are no samples."""
    own = next((times for name in ("times", "t") if getattr(times := getattr(value, name, None), "shape", ())), None)
    if not getattr(value, "ndim", 0) or own is None:
        return getattr(value, "sampling_rate", None) is not None
    return len(own) == len(value) and not (own.shape == value.shape and bool(np.all(own == value)))


def _names_dimensions(value: Any) -> bool:
    """Return whether an array of Zarr, or of netCDF, has names of its dimensions."""
    names = getattr(getattr(value, "metadata", None), "dimension_names", None) or getattr(value, "dimensions", None)
    return isinstance(names, tuple) and any(isinstance(name, str) for name in names)
