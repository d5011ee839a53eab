"""Dimensions of population activity: how many there are, and the path along the largest."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.responses import bin_width, classes_of, complete, neuron_groups, responses_of
from twinbrain.analysis.varies import ROUNDING
from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.plain_numbers import whole
from twinbrain.spec.suggest import suggestion

Floats = NDArray[np.float64]
Samples = Literal["averages", "trials"]


def participation_ratio(responses: xr.Dataset, by: str | None = None, samples: Samples = "averages") -> xr.DataArray:
    r"""Return the dimension of the activity of each group of neurons, as participation ratio [1]_.

    It is :math:`(\sum \lambda)^2 / \sum \lambda^2` of the eigenvalues of the covariance between neurons: k for equal
    spread in k directions. It is at most the number of neurons, and of samples less one; noise adds to it.

    Parameters
    ----------
    responses : xarray.Dataset
        ``rate`` (trial, bin, neuron) and ``label`` (trial).
    by : str, optional
        A coordinate of the neurons; by default all neurons are one group.
    samples : {"averages", "trials"}
        Whether a sample is a bin of the mean rate in a class, or a bin of a trial, whose noise counts too.

    Returns
    -------
    xarray.DataArray, dims (by,), or (group,) without ``by``
        NaN where nothing varies. Compare groups of about one size, see the coordinates ``n_neurons`` and
        ``n_complete``: a neuron whose rate is missing (NaN) somewhere has no part in it.

    References
    ----------
    .. [1] Gao et al. 2017, doi 10.1101/214262
    """
    if samples not in get_args(Samples):
        raise SpecError(f"samples: unknown {samples!r}; {suggestion(str(samples), get_args(Samples))}")
    rate = responses_of(responses, "rate", "trial", "bin", "neuron")
    values = rate.values.astype(np.float64)
    if samples == "averages":
        values = classes_of(responses).means(values)
    flat = values.reshape(-1, values.shape[-1])
    groups = neuron_groups(rate, by)
    found = [_participation(flat[:, members]) for members in groups.members()]
    attrs = {"long_name": "participation ratio", "units": "1", "samples": samples, "n_samples": len(flat)}
    return xr.DataArray(found, groups.coords_with_complete(flat), groups.by, "participation_ratio", attrs)


def _participation(values: Floats) -> float:
    values = values[:, complete(values)]
    # Singular values squared are eigenvalues of the covariance but for a factor, which drops out.
    spread = np.linalg.svd(values - values.mean(axis=0), compute_uv=False) ** 2 if values.size else np.zeros(1)
    scale = ROUNDING**2 * (values**2).sum()
    return float(spread.sum() ** 2 / (spread**2).sum()) if spread.sum() > scale else float("nan")


def trajectories(responses: xr.Dataset, n_components: int = 3) -> xr.Dataset:
    """Return the path of the mean activity in each class along the directions in which it varies most [1]_.

    These are the principal components of the rates averaged over the trials of each class, all classes and bins
    together.

    Parameters
    ----------
    responses : xarray.Dataset
        ``rate`` (trial, bin, neuron) with the coordinate ``time`` (bin) in ms, and ``label`` (trial).
    n_components : int, optional
        How many directions; fewer are returned where there are not as many.

    Returns
    -------
    xarray.Dataset
        ``score`` (label, bin, component) in Hz, ``loading`` (component, neuron), and ``explained`` (component), the
        share of the variance of the averages. The loading that is largest in size is positive. A neuron without a rate
        (NaN) has no loading.

    Raises
    ------
    SpecError
        If the number of directions is none.
    LearnError
        If the averages do not vary.

    References
    ----------
    .. [1] Cunningham & Yu 2014, doi 10.1038/nn.3776
    """
    n_components = whole("n_components", n_components)
    rate, classes = responses_of(responses, "rate", "trial", "bin", "neuron"), classes_of(responses)
    bin_width(responses)
    mean = classes.means(rate.values.astype(np.float64))
    n_labels, n_bins, n_neurons = mean.shape
    flat = mean.reshape(-1, n_neurons)
    valid = complete(flat)
    centred = flat[:, valid] - flat[:, valid].mean(axis=0)
    if not np.any(np.abs(centred) > ROUNDING * np.abs(flat[:, valid]).max(initial=0)):
        raise LearnError("trajectories: expected mean rates that vary over time or classes, found constant ones")
    left, spread, directions = np.linalg.svd(centred, full_matrices=False)
    kept = min(n_components, int((spread > 1e-10 * spread[0]).sum()))
    largest = directions[np.arange(kept), np.abs(directions[:kept]).argmax(axis=1)]
    sign = np.where(largest < 0, -1.0, 1.0)
    loading = np.full((kept, n_neurons), np.nan)
    loading[:, valid] = directions[:kept] * sign[:, None]
    score = (left[:, :kept] * spread[:kept] * sign).reshape(n_labels, n_bins, kept)
    coords = {str(name): coord for name, coord in rate.coords.items() if coord.dims == ("neuron",)}
    return xr.Dataset(
        {
            "score": (("label", "bin", "component"), score, {"long_name": "mean activity", "units": "Hz"}),
            "loading": (("component", "neuron"), loading, {"long_name": "loading", "units": "1"}),
            "explained": (
                "component",
                spread[:kept] ** 2 / (spread**2).sum(),
                {"long_name": "share of variance", "units": "1"},
            ),
        },
        {
            "label": classes.label,
            "component": np.arange(1, kept + 1),
            "time": ("bin", responses["time"].values, {"units": "ms"}),
            **coords,
        },
        {"n_trials": len(rate)},
    )
