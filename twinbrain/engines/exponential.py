"""The exponential function that every engine shares, and what is made of it.

Libraries differ in its last bit (numpy's, the C library's and a GPU's do), and a last bit is enough for two engines to
part ways. This one is made of IEEE additions and multiplications in a fixed order, so it is the same wherever they are;
it also vectorises, which the C library's does not. Its error is below 1.2 units in the last place (1.15 measured).

Method: exp(x) = 2**k * exp(r) with |r| <= log(2)/2, and a polynomial for exp(r).

The relative exponential, (exp(x) - 1)/x (Brian2's ``exprel``), of which the rates of ion channels are made, is a
polynomial where |x| < 0.5; its error is below 2.5 units in the last place (2.3 measured).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = -708.0, 709.0
LOG2_E = 1.4426950408889634
# log(2) in two parts; the first has trailing zeros, so that its product with an integer is exact.
LOG_2_HIGH, LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Adding this rounds to an integer, which then stands in the lowest bits.
ROUND = 6755399441055744.0
COEFFICIENTS = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))
# Of the relative exponential, within ±NEAR: (exp(x) - 1)/x loses digits there.
NEAR = 0.5
RELATIVE = tuple(1.0 / math.factorial(n + 1) for n in range(14, -1, -1))


def exponential(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(x), saturated outside -708 … 709.

    Parameters
    ----------
    x : ndarray of float64
        Any shape.
    """
    x = np.asarray(x, dtype=np.float64)
    x = np.where(x > HIGHEST, HIGHEST, np.where(x < LOWEST, LOWEST, x))
    shifted = x * LOG2_E + ROUND
    k = shifted - ROUND
    r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW
    p = np.full_like(r, COEFFICIENTS[0])
    for coefficient in COEFFICIENTS[1:]:
        p = p * r + coefficient
    scale = (shifted.view(np.int64) + 1023) << 52
    return p * scale.view(np.float64)


def relative_exponential(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (exp(x) - 1)/x, which is 1 at 0; saturated as `exponential` is.

    Parameters
    ----------
    x : ndarray of float64
        Any shape.
    """
    x = np.asarray(x, dtype=np.float64)
    p = np.full_like(x, RELATIVE[0])
    near = (x > -NEAR) & (x < NEAR)
    inside = np.where(near, x, 0.0)
    for coefficient in RELATIVE[1:]:
        p = p * inside + coefficient
    return np.where(near, p, (exponential(x) - 1.0) / np.where(near, 1.0, x))


def horner(variable: str, coefficients: tuple[float, ...]) -> str:
    """Return C statements that evaluate a polynomial whose first coefficient is in ``p`` already."""
    return "".join(f"    p = p * {variable} + {coefficient!r};\n" for coefficient in coefficients[1:])


C_SOURCE = f"""
#ifndef TWINBRAIN_EXPONENTIAL
#define TWINBRAIN_EXPONENTIAL
#include <string.h>
#include <stdint.h>
static inline double twinbrain_exponential(double x) {{
    x = x > {HIGHEST!r} ? {HIGHEST!r} : (x < {LOWEST!r} ? {LOWEST!r} : x);
    double shifted = x * {LOG2_E!r} + {ROUND!r};
    double k = shifted - {ROUND!r};
    double r = (x - k * {LOG_2_HIGH!r}) - k * {LOG_2_LOW!r};
    double p = {COEFFICIENTS[0]!r};
{horner("r", COEFFICIENTS)}    int64_t bits;
    memcpy(&bits, &shifted, 8);
    bits = (int64_t) ((uint64_t) (bits + 1023) << 52);
    double scale;
    memcpy(&scale, &bits, 8);
    return p * scale;
}}
static inline double twinbrain_relative_exponential(double x) {{
    int near = x > {-NEAR!r} && x < {NEAR!r};
    double inside = near ? x : 0.0;
    double p = {RELATIVE[0]!r};
{horner("inside", RELATIVE)}    double far = (twinbrain_exponential(x) - 1.0) / (near ? 1.0 : x);
    return near ? p : far;
}}
#endif
"""
"""The same in C; to be compiled without contraction to fused multiply-adds."""
