"""The functions of step programs as tensor operations, which gradients pass through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines import exponential as shared
from twinbrain.engines import logarithm as log

Function = Callable[[Tensor], Tensor]

# Beyond, float32 overflows or vanishes.
_SINGLE_RANGE = (-87.0, 88.0)


def smooth(value: Function, derivative: Callable[[Tensor, Tensor], Tensor]) -> Function:
    """Return a function whose derivative is given by its argument and its value.

    The functions that engines share reinterpret bits, through which PyTorch finds no derivative.
    """

    class Smooth(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Tensor) -> Tensor:
            y = value(x)
            context.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(context: Any, *gradients: Tensor) -> Tensor:
            return gradients[0] * derivative(*context.saved_tensors)

    def function(x: Tensor) -> Tensor:
        found: Tensor = Smooth.apply(x) if x.requires_grad else value(x)  # type: ignore[no-untyped-call, unused-ignore]
        return found

    return function


def _horner(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    p = torch.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        p = p.mul_(x).add_(coefficient)
    return p


def _exponential(x: Tensor) -> Tensor:
    if x.dtype != torch.float64:
        return torch.exp(x.clamp(*_SINGLE_RANGE))
    x = x.clamp(shared.LOWEST, shared.HIGHEST)
    shifted = x * shared.LOG2_E + shared.ROUND
    k = shifted - shared.ROUND
    r = (x - k * shared.LOG_2_HIGH) - k * shared.LOG_2_LOW
    scale = (shifted.view(torch.int64) + 1023) << 52
    return _horner(shared.COEFFICIENTS, r).mul_(scale.view(torch.float64))


def _relative_exponential(x: Tensor) -> Tensor:
    near = (x > -shared.NEAR) & (x < shared.NEAR)
    inside = _horner(shared.RELATIVE, torch.where(near, x, 0.0))
    return torch.where(near, inside, (_exponential(x) - 1.0) / torch.where(near, 1.0, x))


def _logarithm(x: Tensor) -> Tensor:
    if x.dtype != torch.float64:
        return torch.log(x)
    small = x < log.SMALLEST_NORMAL
    usual = (x > 0.0) & (x < math.inf)
    scaled = torch.where(usual, x, 1.0) * torch.where(usual & small, log.RAISE, 1.0)
    bits = scaled.view(torch.int64)
    shift = (bits - log.ROOT) >> 52
    f = (bits - (shift << 52)).view(torch.float64) - 1.0
    k = shift.to(torch.float64) - torch.where(small, log.RAISED, 0.0)
    s = f / (2.0 + f)
    half = 0.5 * f * f
    p = _horner(log.COEFFICIENTS, s * s)
    found = k * log.LOG_2_HIGH - ((half - (s * (half + p) + k * log.LOG_2_LOW)) - f)
    outside = torch.where(x == 0.0, -math.inf, torch.where(x > 0.0, math.inf, math.nan))
    return torch.where(usual, found, outside.to(x.dtype))


def _square_root(x: Tensor) -> Tensor:
    # PyTorch's own on a CPU is off by a last bit now and then; numpy's is rounded as IEEE asks.
    if x.device.type != "cpu":
        return torch.sqrt(x)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.asarray(np.sqrt(x.numpy())))


def _relative_derivative(x: Tensor, y: Tensor) -> Tensor:
    # (exp(x) - y)/x, which near 0 is 1/2 + x/3 + x**2/8 + …; gradients need no last bit.
    near = x.abs() < 1e-2
    series = 0.5 + x / 3.0 + x * x / 8.0 + x * x * x / 30.0
    return torch.where(near, series, (_exponential(x) - y) / torch.where(near, 1.0, x))


exponential = smooth(_exponential, lambda x, y: y)
"""The exponential: in float64 to the bit what `twinbrain.engines.exponential` gives, in float32 PyTorch's own."""
relative_exponential = smooth(_relative_exponential, _relative_derivative)
"""(exp(x) - 1)/x, as all engines compute it."""
logarithm = smooth(_logarithm, lambda x, y: 1.0 / x)
"""The natural logarithm, as all engines compute it."""
square_root = smooth(_square_root, lambda x, y: 0.5 / y)
"""The square root, rounded as IEEE asks."""


def power(x: Tensor | float, y: Tensor | float) -> Tensor:
    """Return x**y, as all engines compute it; nan where x is negative and y not an integer."""
    one = x if isinstance(x, Tensor) else y
    assert isinstance(one, Tensor)
    x, y = (torch.as_tensor(value, dtype=one.dtype, device=one.device) for value in (x, y))
    zero = x == 0.0
    size = exponential(y * logarithm(torch.where(zero, 1.0, x.abs())))
    at_zero = torch.where(y > 0.0, 0.0, torch.where(y == 0.0, 1.0, math.inf))
    size = torch.where(zero, at_zero.to(x.dtype), size)
    odd = (0.5 * y).floor() != 0.5 * y
    negative = torch.where(y.floor() == y, torch.where(odd, -size, size), math.nan)
    return torch.where(x < 0.0, negative, size)


def select(condition: Tensor, one: Tensor | float, other: Tensor | float) -> Tensor:
    """Return ``one`` where the condition holds, else ``other``."""
    return torch.where(condition, one, other)


def bounded(x: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """Return x, no lower than ``low`` and no higher than ``high``."""
    return torch.where(x > high, high, torch.where(x < low, low, x))


def reciprocal(x: Tensor) -> Tensor:
    """Return 1/x."""
    return 1.0 / x


_OF_REALS: dict[str, Callable[..., Tensor]] = {
    "exponential": exponential,
    "relative_exponential": relative_exponential,
    "logarithm": logarithm,
    "power": power,
    "reciprocal": reciprocal,
    "bounded": bounded,
    "abs": torch.abs,
    "sqrt": square_root,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
}
NAMES = (*_OF_REALS, "select", "indicator")
"""Names of all functions that a program may use here."""


@cache
def functions(precision: torch.dtype) -> dict[str, Callable[..., Any]]:
    """Return all functions that a program may use here, by their names in programs.

    Each takes tensors, numbers and conditions in every place. What is made of conditions and numbers alone is in this
    precision, which neither holds.

    Parameters
    ----------
    precision : torch.dtype
        Of the program's variables.
    """

    def reals(*values: Any) -> Iterator[Any]:
        """Yield the first as a tensor, and of the others those that are; no condition among them."""
        device = next((x.device for x in values if isinstance(x, Tensor)), None)
        for place, x in enumerate(values):
            if isinstance(x, Tensor) and x.dtype != torch.bool:
                yield x
            elif place == 0 or isinstance(x, Tensor):
                yield torch.as_tensor(x, dtype=precision, device=device)
            else:
                yield x

    def of_reals(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda *values: function(*reals(*values))

    def chosen(condition: Any, one: Any, other: Any) -> Tensor:
        return select(torch.as_tensor(condition), *reals(one, other))

    def indicator(condition: Any) -> Tensor:
        return torch.as_tensor(condition).to(precision)

    return {name: of_reals(own) for name, own in _OF_REALS.items()} | {"select": chosen, "indicator": indicator}
