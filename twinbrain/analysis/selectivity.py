"""Selectivity: how much a neuron's response tells about the class."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.information import information
from twinbrain.analysis.responses import Classes, classes_of, complete, counts_of, neuron_groups
from twinbrain.analysis.varies import ROUNDING

Floats = NDArray[np.float64]

_ATTRS = {
    "class_selectivity": ("class selectivity", "1"),
    "lifetime_sparseness": ("lifetime sparseness", "1"),
    "information": ("information about the class", "bit"),
    "d_prime": ("d' of the preferred class", "1"),
}
MEASURES = tuple(_ATTRS)
"""Names of the measures of selectivity."""


def selectivity(responses: xr.Dataset, by: str | None = None) -> xr.Dataset:
    r"""Return how selective for classes each neuron is, or each group of neurons on average.

    Parameters
    ----------
    responses : xarray.Dataset
        ``count`` (trial, neuron) and ``label`` (trial), with the coordinates ``region``, ``population`` and ``cell``.
    by : str, optional
        A coordinate of the neurons: the mean over each group with its standard error (``<name>_sem``) and number of
        neurons (``<name>_n``); by default each neuron.

    Returns
    -------
    xarray.Dataset, dim ``neuron`` or ``by``
        ``class_selectivity``, ``lifetime_sparseness``, ``information`` (bit) and ``d_prime``. NaN where nothing is
        defined: a single class, a silent neuron, too few trials, a neuron whose count is missing in a trial.

    Raises
    ------
    LearnError
        If bins were selected, of which counts do not tell.

    Notes
    -----
    With the mean response :math:`r_s` to class s of S:

    - class selectivity [1]_ is :math:`(r_{max} - \bar r_{others}) / (r_{max} + \bar r_{others})`: 1 for a neuron that
      responds to one class alone;
    - lifetime sparseness [2]_ is :math:`(1 - (\sum r_s / S)^2 / \sum (r_s^2 / S)) / (1 - 1/S)`: 0 for equal responses,
      1 for a response to one class; noise makes it a little larger than 0;
    - information is that between count and class, corrected for its bias, see `twinbrain.analysis.information`;
    - d' [3]_ is the difference of the mean counts in the preferred class and in all others over the root of the mean of
      their variances.

    To take the largest response of noise would find selectivity where there is none. So for class selectivity and d'
    the preferred class is found in every other trial of each class and measured in the rest, and the reverse; both are
    averaged. That needs 2 trials of each class, and 4 for d'. For a neuron that is not selective they are about 0 on
    average where it fires some ten spikes in the trials of a class. With fewer they are below: the preferred class has
    fewer trials than the others, and none of its spikes may fall into one half (of 4 classes of 20 trials at 0.1
    spikes a trial, class selectivity is -0.22 on average and d' -0.06; at 0.4 they are -0.04 and -0.02, at 4 -0.01 and
    -0.02). So groups of different rates are not to be compared by them where spikes are few.

    References
    ----------
    .. [1] Morcos et al. 2018, arXiv 1803.06959
    .. [2] Vinje & Gallant 2000, doi 10.1126/science.287.5456.1273
    .. [3] Green & Swets 1966, Signal Detection Theory and Psychophysics
    """
    count = counts_of(responses)
    values, classes = count.values.astype(np.float64), classes_of(responses)
    # One missing count would make its class look as if it drove the neuron least.
    values = np.where(complete(values), values, np.nan)
    bits, n_levels = information(values, classes)
    index, d_prime = _of_preferred(values, classes)
    found = dict(zip(MEASURES, (index, _sparseness(classes.means(values)), bits, d_prime), strict=True))
    variables = {
        name: ("neuron", found[name], {"long_name": text, "units": units}) for name, (text, units) in _ATTRS.items()
    }
    coords = {name: coord for name, coord in count.coords.items() if coord.dims == ("neuron",)}
    attrs = {"n_trials": len(values), "n_classes": classes.n, "n_levels_of_count": n_levels}
    dataset = xr.Dataset(variables, coords, attrs)
    return dataset if by is None else neuron_groups(count, by).means(dataset)


def _sparseness(mean: Floats) -> Floats:
    n = len(mean)
    squares = (mean**2).mean(axis=0)
    if n < 2:
        return np.full(mean.shape[1], np.nan)
    return (1 - _ratio(mean.mean(axis=0) ** 2, squares)) / (1 - 1 / n)


def _of_preferred(count: Floats, classes: Classes) -> tuple[Floats, Floats]:
    """Return class selectivity and d', the preferred class found in other trials than it is measured in."""
    missing = np.full(count.shape[1], np.nan)
    if classes.n < 2 or classes.n_trials.min() < 2:
        return missing, missing
    odd = classes.turn() % 2 == 1
    found = [
        _measured(
            count[there], Classes(classes.label, classes.index[there]), _preferred(count[~there], classes.index[~there])
        )
        for there in (odd, ~odd)
    ]
    index, d_prime = (_mean_of_valid(*pair) for pair in zip(*found, strict=True))
    return index, d_prime if classes.n_trials.min() >= 4 else missing


def _preferred(count: Floats, index: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the class with the largest mean, -1 for a neuron that does not fire."""
    mean = Classes(np.unique(index), index).means(count)
    return np.where(np.nan_to_num(mean).any(axis=0), np.nan_to_num(mean).argmax(axis=0), -1)


def _measured(count: Floats, classes: Classes, preferred: NDArray[np.intp]) -> tuple[Floats, Floats]:
    neurons = np.arange(count.shape[1])
    mean = classes.means(count)
    best = np.where(preferred >= 0, mean[preferred, neurons], np.nan)
    others = (mean.sum(axis=0) - best) / (classes.n - 1)
    index = _ratio(best - others, best + others)
    inside = classes.index[:, None] == preferred
    moments = [_moments(count, where) for where in (inside, ~inside)]
    (high, spread), (low, spread_of_others) = moments
    d_prime = _ratio(high - low, np.sqrt((spread + spread_of_others) / 2))
    return index, np.where(preferred >= 0, d_prime, np.nan)


def _moments(count: Floats, where: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    n = where.sum(axis=0).astype(np.float64)
    mean = _ratio(np.where(where, count, 0).sum(axis=0), n)
    distance = np.where(where, count - mean, 0)
    distance[np.abs(distance) <= ROUNDING * np.abs(count).max(axis=0, initial=0)] = 0  # rounding of the mean
    return mean, _ratio((distance**2).sum(axis=0), n - 1)


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.full(len(under), np.nan), where=under > 0)


def _mean_of_valid(first: Floats, second: Floats) -> Floats:
    return np.where(np.isnan(first), second, np.where(np.isnan(second), first, (first + second) / 2))
