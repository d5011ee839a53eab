"""Functional connectivity: which regions' rates go together, and whether those that are connected do."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinbrain.analysis.arguments import check_has_regions
from twinbrain.analysis.rates import rates
from twinbrain.analysis.tree import connectome as connectome_of
from twinbrain.analysis.varies import STORED, varies
from twinbrain.errors import UnitError
from twinbrain.spec.connectome import Connectome
from twinbrain.units import number

_FEWEST_BINS = 50


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
        Part of the run, by default all of it. Give ``start=``, as rates that still settle together at the beginning
        correlate: the figure and the command line begin at `twinbrain.analysis.warm_up`.

    Returns
    -------
    xarray.DataArray, dims (target, source)
        Symmetric, and named as the connectome is, so that the two can be compared; NaN for a region whose rate is
        constant. The attributes ``bin``, ``start`` and ``stop`` tell the bins that were taken.

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
    norm = np.where(varies(rate.values, precision=STORED), np.linalg.norm(values, axis=0), np.nan)
    found = np.clip((values / norm).T @ (values / norm), -1, 1)
    found[np.diag_indices_from(found)] = np.where(np.isnan(norm), np.nan, 1.0)
    labels = rate["region"].values
    return xr.DataArray(
        found,
        {"target": labels, "source": labels},
        ("target", "source"),
        name="functional_connectivity",
        attrs={"long_name": "correlation of firing rates", "units": "1", "bin": rate.attrs["bin"], **_window(rate)},
    )


def _window(rate: xr.DataArray) -> dict[str, str]:
    """Return from when to when the bins of rates go."""
    first, last = float(rate["time"][0]), float(rate["time"][-1]) + number(rate.attrs["bin"], "ms")
    return {name: f"{time:.12g} ms" for name, time in (("start", first), ("stop", last))}


def structure_function(
    tree: xr.DataTree,
    bin: str = "100 ms",
    start: str | None = None,
    stop: str | None = None,
    connectome: Connectome | None = None,
) -> xr.Dataset:
    """Return each two regions' connection beside the correlation of their rates [1]_.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins of the rates.
    start, stop : str, optional
        Part of the run, by default all of it; give ``start=``, as in `functional_connectivity`. Of n bins,
        correlations have a sampling error of ``1 / sqrt(n)``; a minute in bins of 100 ms brings it down to 0.04.
    connectome : Connectome, optional
        What to compare with; by default the run's own, its weights normalised as they were simulated.

    Returns
    -------
    xarray.Dataset, dim ``pair``
        ``weight``, the mean of both directions; ``correlation``, see `functional_connectivity`; ``target`` and
        ``source``; and ``r``, Pearson's correlation between weight and correlation over pairs. NaN are left out; ``r``
        is NaN of less than 3 pairs, and where all weights or all correlations are alike. The attributes ``bin``,
        ``start`` and ``stop`` tell the bins that were taken.

    Raises
    ------
    UnitError
        If there are fewer than 3 bins.
    ConnectomeError
        If the connectome lacks regions of the run.

    References
    ----------
    .. [1] Honey et al. 2009, doi 10.1073/pnas.0811168106

    Examples
    --------
    >>> tb.open_run("rest.zarr").twin.structure_function(start="1 s")["r"].item()
    """
    function = functional_connectivity(tree, bin, start, stop)
    found = connectome or connectome_of(tree)
    check_has_regions("connectome", map(str, function["target"].values), found.labels)
    structure = found.weight.sel(target=function["target"], source=function["source"])
    weight = (structure.values + structure.values.T) / 2
    i, j = np.triu_indices(len(weight), 1)
    labels = function["target"].values
    pairs = xr.Dataset(
        {"weight": ("pair", weight[i, j]), "correlation": ("pair", function.values[i, j])},
        {"target": ("pair", labels[i]), "source": ("pair", labels[j])},
        function.attrs | {"long_name": "connection and correlation of two regions"},
    ).dropna("pair")
    both = np.stack([pairs["weight"], pairs["correlation"]])
    tells = pairs.sizes["pair"] > 2 and bool(varies(both, axis=1).all())
    r = np.corrcoef(both)[0, 1] if tells else np.nan
    return pairs.assign(r=r)


def tells_correlations(
    tree: xr.DataTree, bin: str = "100 ms", start: str | None = None, stop: str | None = None
) -> bool:
    """Return whether a run has regions enough to compare, and bins enough for correlations to tell more than chance.

    Parameters
    ----------
    tree, bin, start, stop
        As in `structure_function`.

    Returns
    -------
    bool
        From 3 regions and 50 bins on, of which a correlation has a sampling error of 0.14.
    """
    if connectome_of(tree).n_regions < 3:
        return False
    try:
        return rates(tree, bin, "region", start, stop).sizes["time"] >= _FEWEST_BINS
    except UnitError:  # not one bin
        return False
