"""Functional connectivity: which regions' rates go together."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinbrain.analysis.rates import rates
from twinbrain.errors import UnitError


def functional_connectivity(
    tree: xr.DataTree, bin: str = "100 ms", start: str | None = None, stop: str | None = None
) -> xr.DataArray:
    """Return Pearson's correlation between the rates of each two regions [1]_.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins of the rates.
    start, stop : str, optional
        Part of the run.

    Returns
    -------
    xarray.DataArray, dims (target, source)
        Symmetric, and named as the connectome is, so that the two can be compared; NaN for a region whose rate is
        constant.

    Raises
    ------
    UnitError
        If there are fewer than 3 bins, of which every correlation would be 1 or -1.

    References
    ----------
    .. [1] Friston 2011, doi 10.1089/brain.2011.0008
    """
    rate = rates(tree, bin, "region", start, stop)
    if rate.sizes["time"] < 3:
        raise UnitError(f"expected at least 3 bins of {bin}, found {rate.sizes['time']}; take a shorter bin")
    values = rate.values - rate.values.mean(axis=0)
    norm = np.linalg.norm(values, axis=0)
    # Rounding alone does not make a rate vary.
    norm[norm <= 1e-12 * np.abs(rate.values).max(axis=0) * np.sqrt(len(values))] = np.nan
    found = np.clip((values / norm).T @ (values / norm), -1, 1)
    found[np.diag_indices_from(found)] = np.where(np.isnan(norm), np.nan, 1.0)
    labels = rate["region"].values
    return xr.DataArray(
        found,
        {"target": labels, "source": labels},
        ("target", "source"),
        name="functional_connectivity",
        attrs={"long_name": "correlation of firing rates", "units": "1", "bin": rate.attrs["bin"]},
    )
