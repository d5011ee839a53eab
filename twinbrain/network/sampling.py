"""Values of neurons or synapses: shared, explicit, or drawn by inversion, one uniform number a value."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.network.random import Floats, Key, uniforms
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.quantity import Distribution, Value

# Mean and spread of a distribution are taken over this many equal parts of probability.
_PARTS = 4096
# Sums of values, and their products with factors, must be finite too.
_BEYOND = 1e200


def sample(value: Value, unit: str, n: int, key: Key) -> Floats:
    """Return ``n`` values in the coherent unit.

    Parameters
    ----------
    value : str, float, Distribution or Explicit
        A shared value, a distribution, or the values themselves.
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
    SpecError
        If explicit values are not ``n``.
    """
    if isinstance(value, Explicit):
        if len(value) != n:
            raise SpecError(f"expected {n:,} values, one for each that there is, found {len(value):,}; give as many")
        return coherent_values(value, unit)
    if not isinstance(value, Distribution):
        return np.full(n, units.coherent(value, unit))
    return _quantile(value, unit, uniforms(key, n))


def coherent_values(value: Explicit, unit: str) -> Floats:
    """Return explicit values in the coherent unit, however many they are.

    Raises
    ------
    UnitError
        If they have another dimension.
    """
    factor = units.coherent(f"1 {value.unit}" if value.unit.strip() != "1" else 1.0, unit)
    return value.values if factor == 1.0 else value.values * factor


def mean_size(value: Value, unit: str) -> float:
    """Return the mean of the absolute value, in the coherent unit."""
    if isinstance(value, Explicit):
        return float(np.abs(coherent_values(value, unit)).mean()) if len(value) else 0.0
    return _mean_size(value, unit)


@lru_cache(maxsize=4096)  # points of a sweep ask again and again
def _mean_size(value: str | float | Distribution, unit: str) -> float:
    if not isinstance(value, Distribution):
        return abs(units.coherent(value, unit))
    middle = (np.arange(_PARTS) + 0.5) / _PARTS
    return float(np.abs(_quantile(value, unit, middle)).mean())


@lru_cache(maxsize=4096)
def mean_and_highest(value: Distribution, unit: str) -> tuple[float, float]:
    """Return the mean of a distribution, and what hardly any of its values exceeds, in the coherent unit."""
    values = _quantile(value, unit, (np.arange(_PARTS) + 0.5) / _PARTS)
    return float(values.mean()), float(values.max())


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
    with np.errstate(over="ignore", invalid="ignore"):
        values = _inverse(distribution.kind, lowest + probability * (highest - lowest), first, second)
    if not (np.abs(values) < _BEYOND).all():
        raise SpecError(
            f"expected a {distribution.kind} distribution whose values can be computed with, found some that "
            f"are infinite or above {_BEYOND:g}, with {distribution.first} and {distribution.second}; make it narrower"
        )
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
