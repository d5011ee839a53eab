"""The natural logarithm and the real power that every engine shares.

As for `twinbrain.engines.exponential`, they are made of IEEE operations in a fixed order, so that engines agree to the
last bit. The logarithm's error is below 1 unit in the last place; the power's grows with the exponent of its result, to
about 1000 units where that is near the largest number.

Method: x = 2**k * (1 + f) with 1 + f between the roots of 1/2 and 2; log(1 + f) = 2 atanh(s) with s = f/(2 + f), whose
series is taken in the form f - f**2/2 + s*(f**2/2 + R(s**2)), in which little is lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.exponential import C_SOURCE as EXPONENTIAL_C_SOURCE
from twinbrain.engines.exponential import exponential, horner

# log(2) in two parts; the first has trailing zeros, so that its product with an integer is exact.
LOG_2_HIGH, LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SMALLEST_NORMAL = 2.2250738585072014e-308
RAISE, RAISED = 2.0**54, 54.0
# The bits of sqrt(1/2): what is added to a number's bits to have its exponent count from there.
ROOT = 0x3FE6A09E667F3BCD
# 2 atanh(s) = 2 s + s * R(s**2).
COEFFICIENTS = (*(2.0 / (2 * n + 1) for n in range(11, 0, -1)), 0.0)


def logarithm(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(x): -inf at 0, nan below.

    Parameters
    ----------
    x : ndarray of float64
        Any shape.
    """
    x = np.asarray(x, dtype=np.float64)
    small = x < SMALLEST_NORMAL
    usual = (x > 0.0) & (x < np.inf)
    scaled = np.where(usual, x, 1.0) * np.where(usual & small, RAISE, 1.0)
    bits = scaled.view(np.int64)
    shift = (bits - ROOT) >> 52
    f = (bits - (shift << 52)).view(np.float64) - 1.0
    k = shift.astype(np.float64) - np.where(small, RAISED, 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = np.full_like(z, COEFFICIENTS[0])
    for coefficient in COEFFICIENTS[1:]:
        p = p * z + coefficient
    half = 0.5 * f * f
    found = k * LOG_2_HIGH - ((half - (s * (half + p) + k * LOG_2_LOW)) - f)
    return np.where(usual, found, np.where(x == 0.0, -np.inf, np.where(x > 0.0, np.inf, np.nan)))


def power(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x**y; nan where x is negative and y not an integer.

    Parameters
    ----------
    x, y : ndarray of float64
        Shapes that broadcast.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    zero = x == 0.0
    size = exponential(y * logarithm(np.where(zero, 1.0, np.abs(x))))
    size = np.where(zero, np.where(y > 0.0, 0.0, np.where(y == 0.0, 1.0, np.inf)), size)
    half = 0.5 * y
    odd = np.floor(half) != half
    return np.where(x < 0.0, np.where(np.floor(y) == y, np.where(odd, -size, size), np.nan), size)


C_SOURCE = f"""{EXPONENTIAL_C_SOURCE}
#ifndef TWINBRAIN_LOGARITHM
#define TWINBRAIN_LOGARITHM
#include <math.h>
static inline double twinbrain_logarithm(double x) {{
    int small = x < {SMALLEST_NORMAL!r};
    int usual = x > 0.0 && x < INFINITY;
    double scaled = (usual ? x : 1.0) * (usual && small ? {RAISE!r} : 1.0);
    int64_t bits;
    memcpy(&bits, &scaled, 8);
    int64_t shift = (bits - {ROOT}LL) >> 52;
    bits = bits - (int64_t) ((uint64_t) shift << 52);
    double f;
    memcpy(&f, &bits, 8);
    f = f - 1.0;
    double k = (double) shift - (small ? {RAISED!r} : 0.0);
    double s = f / (2.0 + f);
    double z = s * s;
    double p = {COEFFICIENTS[0]!r};
{horner("z", COEFFICIENTS)}    double half = 0.5 * f * f;
    double found = k * {LOG_2_HIGH!r} - ((half - (s * (half + p) + k * {LOG_2_LOW!r})) - f);
    return usual ? found : (x == 0.0 ? -INFINITY : (x > 0.0 ? INFINITY : NAN));
}}
static inline double twinbrain_power(double x, double y) {{
    int zero = x == 0.0;
    double size = twinbrain_exponential(y * twinbrain_logarithm(zero ? 1.0 : fabs(x)));
    size = zero ? (y > 0.0 ? 0.0 : (y == 0.0 ? 1.0 : INFINITY)) : size;
    double half = 0.5 * y;
    int odd = floor(half) != half;
    return x < 0.0 ? (floor(y) == y ? (odd ? -size : size) : NAN) : size;
}}
#endif
"""
"""The same in C; to be compiled without contraction to fused multiply-adds."""
