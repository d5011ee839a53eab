"""The functions of programs for one number at a time, for loops that numba compiles."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numba
import numpy as np

from twinbrain.engines.exponential import (
    COEFFICIENTS,
    HIGHEST,
    LOG2_E,
    LOG_2_HIGH,
    LOG_2_LOW,
    LOWEST,
    NEAR,
    RELATIVE,
    ROUND,
)
from twinbrain.engines.logarithm import COEFFICIENTS as LOGARITHM_COEFFICIENTS
from twinbrain.engines.logarithm import RAISE, RAISED, ROOT, SMALLEST_NORMAL

sqrt, sin, cos, tan = np.sqrt, np.sin, np.cos, np.tan


@numba.njit(cache=True, error_model="numpy")
def exponential(x):
    """Return exp(x); see `twinbrain.engines.exponential`."""
    x = HIGHEST if x > HIGHEST else (LOWEST if x < LOWEST else x)
    shifted = x * LOG2_E + ROUND
    k = shifted - ROUND
    r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW
    p = COEFFICIENTS[0]
    for coefficient in COEFFICIENTS[1:]:
        p = p * r + coefficient
    bits = np.float64(shifted).view(np.int64)
    return p * np.int64((bits + 1023) << 52).view(np.float64)


@numba.njit(cache=True, error_model="numpy")
def relative_exponential(x):
    """Return (exp(x) - 1)/x; see `twinbrain.engines.exponential`."""
    if x > -NEAR and x < NEAR:
        p = RELATIVE[0]
        for coefficient in RELATIVE[1:]:
            p = p * x + coefficient
        return p
    return (exponential(x) - 1.0) / x


@numba.njit(cache=True, error_model="numpy")
def logarithm(x):
    """Return log(x); see `twinbrain.engines.logarithm`."""
    if not (x > 0.0 and x < np.inf):
        return -np.inf if x == 0.0 else (np.inf if x > 0.0 else np.nan)
    small = x < SMALLEST_NORMAL
    bits = np.float64(x * (RAISE if small else 1.0)).view(np.int64)
    shift = (bits - ROOT) >> 52
    f = np.int64(bits - (shift << 52)).view(np.float64) - 1.0
    k = np.float64(shift) - (RAISED if small else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = LOGARITHM_COEFFICIENTS[0]
    for coefficient in LOGARITHM_COEFFICIENTS[1:]:
        p = p * z + coefficient
    half = 0.5 * f * f
    return k * LOG_2_HIGH - ((half - (s * (half + p) + k * LOG_2_LOW)) - f)


@numba.njit(cache=True, error_model="numpy")
def power(x, y):
    """Return x**y; see `twinbrain.engines.logarithm`."""
    if x == 0.0:
        return 0.0 if y > 0.0 else (1.0 if y == 0.0 else np.inf)
    size = exponential(y * logarithm(abs(x)))
    if x > 0.0:
        return size
    if np.floor(y) != y:
        return np.nan
    half = 0.5 * y
    return -size if np.floor(half) != half else size


@numba.njit(cache=True, error_model="numpy")
def reciprocal(x):
    """Return 1/x."""
    return 1.0 / x


@numba.njit(cache=True)
def select(condition, a, b):
    """Return a where the condition holds, else b."""
    return a if condition else b


@numba.njit(cache=True)
def indicator(condition):
    """Return 1 where the condition holds, else 0."""
    return 1.0 if condition else 0.0


@numba.njit(cache=True)
def bounded(x, low, high):
    """Return x, or the bound that it is beyond."""
    return high if x > high else (low if x < low else x)


FUNCTIONS = (
    *("exponential", "relative_exponential", "logarithm", "power", "reciprocal", "select", "indicator", "bounded"),
    *("sqrt", "sin", "cos", "tan"),
)
"""Names of programs' functions that are imported from here; ``abs`` is Python's."""
