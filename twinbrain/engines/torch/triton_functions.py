"""The functions of step programs, and the cipher of the drives, as Triton sees them; imported where there is Triton."""

# Compiled functions have no type hints: Triton infers their types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl

from twinbrain.engines import exponential as shared
from twinbrain.engines import logarithm as log
from twinbrain.engines.torch import triton_compiler as triton_compiler
from twinbrain.network.random import M0, M1, W0, W1

LOWEST, HIGHEST = tl.constexpr(shared.LOWEST), tl.constexpr(shared.HIGHEST)
LOG2_E, ROUND = tl.constexpr(shared.LOG2_E), tl.constexpr(shared.ROUND)
LOG_2_HIGH, LOG_2_LOW = tl.constexpr(shared.LOG_2_HIGH), tl.constexpr(shared.LOG_2_LOW)
NEAR = tl.constexpr(shared.NEAR)
SMALLEST_NORMAL, ROOT = tl.constexpr(log.SMALLEST_NORMAL), tl.constexpr(log.ROOT)
RAISE, RAISED = tl.constexpr(log.RAISE), tl.constexpr(log.RAISED)
INFINITY = tl.constexpr(float("inf"))
MULTIPLIER_0, MULTIPLIER_1 = tl.constexpr(M0), tl.constexpr(M1)
WEYL_0, WEYL_1 = tl.constexpr(W0), tl.constexpr(W1)
EXPONENTIAL = tl.constexpr(shared.COEFFICIENTS)
RELATIVE = tl.constexpr(shared.RELATIVE)
LOGARITHM = tl.constexpr(log.COEFFICIENTS)
N_EXPONENTIAL = tl.constexpr(len(shared.COEFFICIENTS))
N_RELATIVE, N_LOGARITHM = tl.constexpr(len(shared.RELATIVE)), tl.constexpr(len(log.COEFFICIENTS))


@triton.jit
def horner(coefficients: tl.constexpr, n_coefficients: tl.constexpr, x):
    """Return a polynomial."""
    p = tl.full(x.shape, coefficients[0], x.dtype)
    for n in tl.static_range(1, n_coefficients):
        p = p * x + coefficients[n]
    return p


@triton.jit
def exponential(x):
    """Return exp(x)."""
    if x.dtype == tl.float64:
        x = tl.where(x > HIGHEST, HIGHEST, tl.where(x < LOWEST, LOWEST, x))
        shifted = x * LOG2_E + ROUND
        k = shifted - ROUND
        r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW
        scale = (shifted.to(tl.int64, bitcast=True) + 1023) << 52
        return horner(EXPONENTIAL, N_EXPONENTIAL, r) * scale.to(tl.float64, bitcast=True)
    else:
        return tl.exp(tl.minimum(tl.maximum(x, -87.0), 88.0))


@triton.jit
def relative_exponential(x):
    """Return (exp(x) - 1)/x."""
    near = (x > -NEAR) & (x < NEAR)
    inside = horner(RELATIVE, N_RELATIVE, tl.where(near, x, 0.0))
    return tl.where(near, inside, (exponential(x) - 1.0) / tl.where(near, 1.0, x))


@triton.jit
def logarithm(x):
    """Return log(x)."""
    if x.dtype == tl.float64:
        small = x < SMALLEST_NORMAL
        usual = (x > 0.0) & (x < INFINITY)
        scaled = tl.where(usual, x, 1.0) * tl.where(usual & small, RAISE, 1.0)
        bits = scaled.to(tl.int64, bitcast=True)
        shift = (bits - ROOT) >> 52
        f = (bits - (shift << 52)).to(tl.float64, bitcast=True) - 1.0
        k = shift.to(tl.float64) - tl.where(small, RAISED, 0.0)
        s = f / (2.0 + f)
        half = 0.5 * f * f
        p = horner(LOGARITHM, N_LOGARITHM, s * s)
        found = k * LOG_2_HIGH - ((half - (s * (half + p) + k * LOG_2_LOW)) - f)
        outside = tl.where(x == 0.0, -INFINITY, tl.where(x > 0.0, INFINITY, float("nan")))
        return tl.where(usual, found, outside)
    else:
        return tl.log(x)


@triton.jit
def power(x, y):
    """Return x**y."""
    zero = x == 0.0
    size = exponential(y * logarithm(tl.where(zero, 1.0, tl.abs(x))))
    size = tl.where(zero, tl.where(y > 0.0, 0.0, tl.where(y == 0.0, 1.0, INFINITY)), size)
    half = 0.5 * y
    odd = tl.floor(half) != half
    return tl.where(x < 0.0, tl.where(tl.floor(y) == y, tl.where(odd, -size, size), float("nan")), size)


@triton.jit
def select(condition, one, other):
    """Return ``one`` where the condition holds, else ``other``."""
    return tl.where(condition, one, other)


@triton.jit
def bounded(x, low, high):
    """Return x within bounds."""
    return tl.where(x > high, high, tl.where(x < low, low, x))


@triton.jit
def reciprocal(x):
    """Return 1/x."""
    return 1.0 / x


@triton.jit
def indicator(precision: tl.constexpr, condition):
    """Return 1 where the condition holds, else 0; numbers alone would make it single."""
    return tl.where(condition, 1.0, 0.0).to(precision)


@triton.jit
def sqrt(x):
    """Return the square root, rounded as IEEE asks."""
    if x.dtype == tl.float64:
        return tl.sqrt(x)
    else:
        return tl.sqrt_rn(x)


@triton.jit
def tan(x):
    """Return the tangent, which Triton's own language has not."""
    return tl.sin(x) / tl.cos(x)


@triton.jit
def philox_word(element, low, high, which, first_key, second_key):
    """Return word ``which`` of Philox4x32-10; arguments are uint32."""
    c0, c1, c2 = element, element * 0 + low, element * 0 + high
    c3 = element * 0
    k0, k1 = first_key, second_key
    m0, m1 = element * 0 + MULTIPLIER_0, element * 0 + MULTIPLIER_1
    for _ in tl.static_range(10):
        high_0, high_1 = tl.umulhi(c0, m0), tl.umulhi(c2, m1)
        low_0, low_1 = c0 * m0, c2 * m1
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0, k1 = k0 + WEYL_0, k1 + WEYL_1
    return tl.where(which == 0, c0, tl.where(which == 1, c1, tl.where(which == 2, c2, c3)))
