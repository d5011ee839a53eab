"""Tuning: how each neuron responds to each class."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinbrain.analysis.responses import classes_of, complete, counts_of


def tuning(responses: xr.Dataset) -> xr.Dataset:
    """Return the mean response of each neuron to each class.

    Parameters
    ----------
    responses : xarray.Dataset
        ``count`` (trial, neuron) and ``label`` (trial).

    Returns
    -------
    xarray.Dataset, dims (label, neuron)
        ``mean`` and ``sem`` (spikes a trial; the error is NaN for a class of one trial), ``n_trials`` (label), and
        ``preferred`` (neuron): the place in ``label`` of the class with the largest mean, -1 for a neuron that never
        fires, or whose count is missing (NaN) in a trial, as then is the mean of that class.

    Raises
    ------
    LearnError
        If bins were selected, of which counts do not tell.
    """
    count = counts_of(responses)
    values = count.values.astype(np.float64)
    classes = classes_of(responses)
    mean = classes.means(values)
    n = classes.n_trials[:, None].astype(np.float64)
    squares = classes.means((values - mean[classes.index]) ** 2) * n
    sem = np.sqrt(squares / np.where(n > 1, n * (n - 1), np.nan))
    preferred = np.where(complete(mean) & mean.any(axis=0), mean.argmax(axis=0), -1)
    units = "spikes/trial"  # whatever xarray keeps: counts that are computed from rates have the unit of these
    return xr.Dataset(
        {
            "mean": (("label", "neuron"), mean, {"long_name": "mean response", "units": units}),
            "sem": (("label", "neuron"), sem, {"long_name": "standard error of the mean response", "units": units}),
            "n_trials": ("label", classes.n_trials, {"long_name": "trials", "units": "1"}),
            "preferred": ("neuron", preferred, {"long_name": "place of the preferred class in label", "units": "1"}),
        },
        {"label": classes.label, **_of_neurons(count)},
    )


def _of_neurons(count: xr.DataArray) -> dict[str, xr.DataArray]:
    return {str(name): coord for name, coord in count.coords.items() if coord.dims == ("neuron",)}
