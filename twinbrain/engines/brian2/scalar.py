"""The functions of programs for one number at a time, for loops that numba compiles."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numba
import numpy as np

from twinbrain.engines.exponential import _COEFFICIENTS, _LOG2_E, _LOG_2_HIGH, _LOG_2_LOW, _ROUND, HIGHEST, LOWEST

sqrt, sin, cos, tan = np.sqrt, np.sin, np.cos, np.tan


@numba.njit(cache=True, error_model="numpy")
def exponential(x):
    """Return exp(x); see `twinbrain.engines.exponential`."""
    x = HIGHEST if x > HIGHEST else (LOWEST if x < LOWEST else x)
    shifted = x * _LOG2_E + _ROUND
    k = shifted - _ROUND
    r = (x - k * _LOG_2_HIGH) - k * _LOG_2_LOW
    p = _COEFFICIENTS[0]
    for coefficient in _COEFFICIENTS[1:]:
        p = p * r + coefficient
    bits = np.float64(shifted).view(np.int64)
    return p * np.int64((bits + 1023) << 52).view(np.float64)


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
