"""Intrinsic time scales: how long a neuron's activity remembers itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.arguments import positive
from twinbrain.analysis.responses import bin_width, classes_of, neuron_groups, responses_of
from twinbrain.analysis.varies import ROUNDING
from twinbrain.errors import LearnError

Floats = NDArray[np.floating]

_LEAST_EXPLAINED = 0.5
_PARTS = 10  # of the trials
_FEWEST_LAGS = 4  # one more than the fit has parameters, lest it explains all


def time_scales(responses: xr.Dataset, by: str = "population", longest: float | None = None) -> xr.Dataset:
    r"""Return the intrinsic time scale of each group of neurons, from the decay of its autocorrelation [1]_.

    Parameters
    ----------
    responses : xarray.Dataset
        ``rate`` (trial, bin, neuron) with the coordinate ``time`` (bin) in ms, and ``label`` (trial).
    by : str, optional
        A coordinate of the neurons; ``"neuron"``, where they have that one, gives each by itself.
    longest : float (ms), optional
        Longest lag that is fitted, of 4 bins at least; by default half of the trial.

    Returns
    -------
    xarray.Dataset, dims (by, lag)
        ``autocorrelation`` and ``fitted``; of each group ``time_scale`` and its standard error ``time_scale_error``
        (ms), ``amplitude``, ``offset``, and the share of variance that the fit explains, ``explained``. A group has no
        time scale (NaN) where the fit fails or explains less than half. A neuron whose rate is missing (NaN) somewhere
        has no part in it; the coordinate ``n_complete`` tells how many are left of the ``n_neurons`` of a group.

    Raises
    ------
    SpecError
        If the longest lag is no time.
    LearnError
        If bins are fewer than 5 or not even, or trials fewer than 3.

    Notes
    -----
    The mean response to each class is taken away. Of what remains, the correlation over trials between each two bins of
    a neuron is averaged over pairs of bins of the same lag, and over neurons; to this
    :math:`A (e^{-k \Delta / \tau} + B)` is fitted from the first lag on. The standard error is that of a jackknife over
    tenths of the trials [2]_. It does not tell of bias: a time scale that is not much shorter than the trial is found
    too short [3]_.

    References
    ----------
    .. [1] Murray et al. 2014, doi 10.1038/nn.3862
    .. [2] Efron & Stein 1981, doi 10.1214/aos/1176345462
    .. [3] Zeraati et al. 2022, doi 10.1038/s43588-022-00220-x
    """
    rate = responses_of(responses, "rate", "trial", "bin", "neuron")
    width = bin_width(responses)
    n_trials, n_bins, _ = rate.shape
    if n_bins < 5 or n_trials < 3:
        raise LearnError(
            f"time scales: expected at least 5 bins and 3 trials, found {n_bins} and {n_trials}; "
            "take shorter bins, or more trials"
        )
    classes, values = classes_of(responses), rate.values.astype(np.float64)
    residual = values - classes.means(values)[classes.index]
    # A lag is a whole number of bins, but for rounding.
    most = n_bins / 2 if longest is None else positive("longest", longest, "ms") / width + 1e-6
    n_lags = int(np.clip(most, _FEWEST_LAGS, n_bins - 1)) + 1
    # Each tenth has its share of every class.
    part_of = classes.turn() % min(_PARTS, int(classes.n_trials.max()))
    correlation = _autocorrelation(residual, np.abs(values).max(axis=(0, 1)), part_of, n_lags)
    pairs = n_bins - np.arange(n_lags, dtype=np.float64)
    groups, lag = neuron_groups(rate, by), width * np.arange(n_lags)
    means = np.stack([_mean(correlation[..., members]) for members in groups.members()])
    fits = np.array([[_fit(lag, row, pairs) for row in rows] for rows in means])
    error = _jackknife(fits[:, 1:, 0])
    units = {"time_scale": "ms", "amplitude": "1", "offset": "1", "explained": "1"}
    columns: dict[str, Any] = {
        name: (by, fits[:, 0, i], {"long_name": name.replace("_", " "), "units": units[name]})
        for i, name in enumerate(units)
    }
    columns["time_scale_error"] = (by, error, {"long_name": "standard error of the time scale", "units": "ms"})
    curve = columns["amplitude"][1][:, None] * (
        np.exp(-lag / columns["time_scale"][1][:, None]) + columns["offset"][1][:, None]
    )
    return xr.Dataset(
        {
            "autocorrelation": ((by, "lag"), means[:, 0], {"long_name": "autocorrelation", "units": "1"}),
            "fitted": ((by, "lag"), curve, {"long_name": "fitted autocorrelation", "units": "1"}),
            **columns,
        },
        {"lag": ("lag", lag, {"units": "ms"}), **groups.coords_with_complete(values)},
        {"n_trials": n_trials},
    )


def _autocorrelation(residual: Floats, largest: Floats, part_of: NDArray[np.int64], n_lags: int) -> Floats:
    """Return correlations over trials, means over pairs of bins (part, lag, neuron): of all, and without each part."""
    n_trials, n_bins, n_neurons = residual.shape
    spread = np.sqrt((residual**2).mean(axis=0))
    # Bins in which a neuron does the same in all trials have no correlation, and count for nothing.
    varies = spread > ROUNDING * largest
    length, n = 2 * n_bins, np.bincount(part_of)
    pairs = np.fft.irfft(np.abs(np.fft.rfft(varies.astype(np.float64), length, axis=0)) ** 2, length, axis=0)
    pairs = np.round(pairs[:n_lags])
    sums = np.zeros((len(n), n_lags, n_neurons))
    for part in range(len(n)):
        unit = np.where(varies, residual[part_of == part] / np.where(varies, spread, 1), 0)
        power = (np.abs(np.fft.rfft(unit, length, axis=1)) ** 2).sum(axis=0)
        sums[part] = np.fft.irfft(power, length, axis=0)[:n_lags]
    total = sums.sum(axis=0)
    products = np.concatenate([total[None] / n_trials, (total - sums) / np.maximum(n_trials - n, 1)[:, None, None]])
    return np.divide(products, pairs, out=np.full(products.shape, np.nan), where=pairs > 0)


def _jackknife(values: Floats) -> Floats:
    """Return the standard error from values without each part, shape (group, part)."""
    n = values.shape[1]
    return np.sqrt((n - 1) / n * ((values - values.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))


def _mean(values: Floats) -> Floats:
    valid = np.isfinite(values)
    n = valid.sum(axis=-1)
    return np.where(valid, values, 0).sum(axis=-1) / np.where(n > 0, n, np.nan)


def _fit(lag: Floats, correlation: Floats, pairs: Floats) -> tuple[float, float, float, float]:
    """Return time scale, amplitude, offset, and the share of variance explained."""
    from scipy.optimize import curve_fit

    x, y, sigma = lag[1:], correlation[1:], 1 / np.sqrt(pairs[1:])
    nothing = (np.nan,) * 4
    if not np.isfinite(y).all() or np.ptp(y) < 1e-9:
        return nothing
    fallen = x[np.argmax(y - y[-1] <= (y[0] - y[-1]) / np.e)]
    limits = ([x[0] / 20, 0, -5], [20 * x[-1], 10, 5])
    start = np.clip([fallen, max(y[0] - y[-1], 1e-3), y[-1]], *limits)
    try:
        found, _ = curve_fit(_decay, x, y, start, sigma=sigma, bounds=limits, max_nfev=2000)
    except RuntimeError:
        return nothing
    weight = 1 / sigma**2
    mean = (weight * y).sum() / weight.sum()
    explained = 1 - (weight * (y - _decay(x, *found)) ** 2).sum() / (weight * (y - mean) ** 2).sum()
    at_limit = np.isclose(found[0], [limits[0][0], limits[1][0]], rtol=1e-3).any()
    if explained < _LEAST_EXPLAINED or at_limit or found[1] <= 0:
        return (*nothing[:3], float(explained))
    return float(found[0]), float(found[1]), float(found[2]), float(explained)


def _decay(lag: Floats, time_scale: float, amplitude: float, offset: float) -> Floats:
    return amplitude * (np.exp(-lag / time_scale) + offset)
