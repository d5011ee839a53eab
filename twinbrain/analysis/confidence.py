"""Intervals of confidence: of a share, of a difference of two, and of a mean over seeds."""

from __future__ import annotations

from typing import Any, SupportsFloat

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.arguments import check_each_once
from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.labelled import refuse_other_labels
from twinbrain.spec.plain_array import numbers_and_unit, plain_array

Floats = NDArray[np.float64]


def wilson(successes: Any, n: Any, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's interval of a share [1]_.

    Parameters
    ----------
    successes, n : array-like
        How many of how many; ``successes`` may be fractions. NaN where n is 0.
    level : float, optional
        Confidence, between 0 and 1.

    Returns
    -------
    low, high : numpy.ndarray

    Raises
    ------
    SpecError
        If the confidence is none.

    References
    ----------
    .. [1] Wilson 1927, doi 10.1080/01621459.1927.10502953
    """
    z = _normal_quantile(level)
    n = np.where(np.asarray(n) > 0, np.asarray(n, np.float64), np.nan)
    share = np.asarray(successes, np.float64) / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Rounding does not put a share outside its interval.
    return np.maximum(np.minimum(centre - half, share), 0), np.minimum(np.maximum(centre + half, share), 1)


def paired_difference(first: Any, second: Any, level: float = 0.95) -> tuple[float, float, float]:
    """Return the difference of two shares of the same trials, with Newcombe's interval (his method 10) [1]_.

    Parameters
    ----------
    first, second : array-like of bool, shape (trial,)
        Whether each trial succeeded; numbers may stand for it, 0 and 1. A column of some rows of a table of pandas, and
        that of others, are taken by their places.
    level : float, optional
        Confidence, between 0 and 1.

    Returns
    -------
    difference, low, high : float
        Of the first share less the second; NaN without a trial.

    Raises
    ------
    SpecError
        If the confidence is none, a value is neither 0 nor 1, such as NaN, or both are not of as many trials, or have
        other labels than each other (in xarray and pandas).

    References
    ----------
    .. [1] Newcombe 1998, doi 10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C
    """
    one, two = _successes(first, "first"), _successes(second, "second")
    if len(one) != len(two):
        raise SpecError(f"expected pairs of trials, found {len(one)} and {len(two)}; take the same trials of both")
    refuse_other_labels(first, second, "trials", of_one_table=True)
    first, second = one, two
    n = len(first)
    if not n:
        return np.nan, np.nan, np.nan
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    share = np.array([first.mean(), second.mean()])
    low, high = wilson(share * n, n, level)
    below, above = share - low, high - share
    product = float(both * neither - only_first * only_second)
    if product > 0:
        product = max(product - n / 2, 0)
    margins = float(first.sum()) * float((~first).sum()) * float(second.sum()) * float((~second).sum())
    phi = product / np.sqrt(margins) if margins else 0.0
    difference = share[0] - share[1]
    down = np.sqrt(max(below[0] ** 2 - 2 * phi * below[0] * above[1] + above[1] ** 2, 0))
    up = np.sqrt(max(above[0] ** 2 - 2 * phi * above[0] * below[1] + below[1] ** 2, 0))
    return float(difference), float(difference - down), float(difference + up)


def mean_over(values: xr.DataArray, dim: str = "seed", level: float = 0.95) -> xr.Dataset:
    """Return the mean over seeds, with Student's interval [1]_.

    Parameters
    ----------
    values : xarray.DataArray, dims (..., dim)
        NaN, of a seed that failed, is left out. Infinite values are not: their mean is infinite, without an interval.
    dim : str, optional
        What the mean is taken over.
    level : float, optional
        Confidence, between 0 and 1.

    Returns
    -------
    xarray.Dataset, dims (...)
        ``mean``, ``low``, ``high``, and ``n``, the number of values; without two values, or with an infinite one, there
        is no interval, but NaN.

    Raises
    ------
    LearnError
        If it is no array of numbers with the dimension ``dim``, or a label of ``dim`` is there several times: the same
        value again makes no interval narrower.
    SpecError
        If the confidence is none.

    References
    ----------
    .. [1] Student 1908, doi 10.1093/biomet/6.1.1
    """
    from scipy.special import stdtrit

    _check_level(level)
    _check_array(values, dim)
    if dim in values.coords:
        check_each_once("mean", dim, values[dim].values.tolist())
    array = values.transpose(..., dim)
    data = array.values.astype(np.float64)
    valid = ~np.isnan(data)
    n = valid.sum(axis=-1)
    with np.errstate(invalid="ignore"):  # between infinite values there is no difference
        mean = np.where(valid, data, 0).sum(axis=-1) / np.where(n > 0, n, np.nan)
        squares = np.where(valid, (data - mean[..., None]) ** 2, 0).sum(axis=-1)
    free = np.where(n > 1, n - 1, np.nan)
    half = stdtrit(free, (1 + level) / 2) * np.sqrt(squares / free / np.where(n > 0, n, np.nan))
    dims = array.dims[:-1]
    units = str(values.attrs.get("units", "1"))
    found = {"mean": mean, "low": mean - half, "high": mean + half, "n": n}
    coords = {name: coord for name, coord in array.coords.items() if dim not in coord.dims}
    if taken := sorted({*found} & {*map(str, (*dims, *coords))}):
        raise LearnError(
            f"mean over {dim!r}: expected other names of dimensions and coordinates, found {taken[0]!r}, as "
            "a result is called; rename it"
        )
    return xr.Dataset(
        {key: (dims, array, {"units": "1" if key == "n" else units}) for key, array in found.items()},
        coords,
        {"level": level},
    )


def _successes(values: Any, what: str) -> NDArray[np.bool_]:
    expected = f"{what}: expected whether each trial succeeded"
    array = plain_array(values, what=f"{what}, whether each trial succeeded")
    if array.ndim != 1:
        raise SpecError(f"{expected}, found shape {array.shape}; give a list of one dimension")
    strange = [
        value for value in array.tolist() if not isinstance(value, int | float | np.generic) or value not in (0, 1)
    ]
    if strange:
        raise SpecError(
            f"{expected}, True or False, found {strange[0]!r}; leave trials without an outcome out of both, and say "
            "from where on a score is a success: first > 0.5"
        )
    return array.astype(bool)


def _check_array(values: object, dim: str) -> None:
    if not isinstance(values, xr.DataArray):
        what = ", one of its variables, such as sweep['accuracy']" if isinstance(values, xr.Dataset) else ""
        raise LearnError(f"mean over {dim!r}: expected an array of xarray{what}, found a {type(values).__name__}")
    if dim not in values.dims:
        found = ", ".join(map(repr, values.dims)) or "none"
        raise LearnError(
            f"mean over {dim!r}: expected an array with this dimension, found {found}; name the one to take the mean "
            "over: dim="
        )
    if values.dtype.kind not in "biuf":
        raise LearnError(f"mean over {dim!r}: expected numbers, found values of type {values.dtype}")


def _check_level(level: object) -> None:
    is_other = isinstance(level, bool) or numbers_and_unit(level)[1] is not None
    if is_other or not isinstance(level, SupportsFloat) or not 0 < float(level) < 1:
        raise SpecError(f"level: expected a confidence between 0 and 1, such as 0.95, found {level!r}")


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    _check_level(level)
    return float(ndtri((1 + level) / 2))
