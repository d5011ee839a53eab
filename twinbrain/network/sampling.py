"""Draw values from distributions, by inversion: one uniform number a value."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.network.random import Floats, Key, uniforms
from twinbrain.spec.quantity import Distribution

# Mean and spread of a distribution are taken over this many equal parts of probability.
_PARTS = 4096


def sample(value: str | float | Distribution, unit: str, n: int, key: Key) -> Floats:
    """Return ``n`` values in the coherent unit.

    Parameters
    ----------
    value : str, float or Distribution
        A shared value, or a distribution.
    unit : str
        The unit, which the value must agree with.
    n : int
        Number of values.
    key : Key
        Names the stream.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    UnitError
        If the value has another dimension.
    """
    if not isinstance(value, Distribution):
        return np.full(n, units.coherent(value, unit))
    return _quantile(value, unit, uniforms(key, n))


@lru_cache(maxsize=4096)  # points of a sweep ask again and again
def mean_size(value: str | float | Distribution, unit: str) -> float:
    """Return the mean of the absolute value, in the coherent unit."""
    if not isinstance(value, Distribution):
        return abs(units.coherent(value, unit))
    middle = (np.arange(_PARTS) + 0.5) / _PARTS
    return float(np.abs(_quantile(value, unit, middle)).mean())


def _quantile(distribution: Distribution, unit: str, probability: Floats) -> Floats:
    first = units.coherent(distribution.first, unit)
    second_is_number = distribution.kind in ("lognormal", "gamma")
    second = float(distribution.second) if second_is_number else units.coherent(distribution.second, unit)
    low, high = (
        None if bound is None else units.coherent(bound, unit) for bound in (distribution.minimum, distribution.maximum)
    )
    _check(distribution, first, second, low, high)
    lowest = 0.0 if low is None else float(_cumulative(distribution.kind, low, first, second))
    highest = 1.0 if high is None else float(_cumulative(distribution.kind, high, first, second))
    if highest - lowest < 1e-6:
        raise SpecError(
            f"expected bounds that hold some of the {distribution.kind} distribution, found one chance in a million or "
            f"less between {distribution.minimum} and {distribution.maximum}"
        )
    values = _inverse(distribution.kind, lowest + probability * (highest - lowest), first, second)
    # Inversion is exact only up to rounding; the bounds are.
    return np.clip(values, -np.inf if low is None else low, np.inf if high is None else high)


def _check(distribution: Distribution, first: float, second: float, low: float | None, high: float | None) -> None:
    if distribution.kind == "uniform" and second < first:
        raise SpecError(f"expected uniform = [low, high], found {distribution.first} above {distribution.second}")
    if distribution.kind == "normal" and second < 0:
        raise SpecError(f"expected a standard deviation of at least 0, found {distribution.second}")
    if distribution.kind in ("lognormal", "gamma") and first <= 0:
        raise SpecError(f"expected a positive {distribution.kind} scale, found {distribution.first}")
    if low is not None and high is not None and low >= high:
        raise SpecError(f"expected min below max, found {distribution.minimum} and {distribution.maximum}")


def _inverse(kind: str, probability: Floats, first: float, second: float) -> Floats:
    match kind:
        case "normal":
            return np.asarray(first + second * special.ndtri(probability))
        case "lognormal":
            return np.asarray(first * np.exp(second * special.ndtri(probability)))
        case "gamma":
            return np.asarray(special.gammaincinv(second, probability) * (first / second))
        case _:
            return first + probability * (second - first)


def _cumulative(kind: str, value: float, first: float, second: float) -> float:
    match kind:
        case "normal":
            return float(special.ndtr((value - first) / second)) if second else float(value >= first)
        case "lognormal":
            return float(special.ndtr(np.log(value / first) / second)) if value > 0 else 0.0
        case "gamma":
            return float(special.gammainc(second, max(value, 0.0) * second / first))
        case _:
            return float(np.clip((value - first) / (second - first), 0.0, 1.0)) if second > first else 0.0
