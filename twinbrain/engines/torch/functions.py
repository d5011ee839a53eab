"""The functions of step programs as tensor operations, which gradients pass through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines import exponential as shared


class _Exponential(torch.autograd.Function):
    """The exponential that all engines share; its derivative is itself."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        value = _exponential(x)
        context.save_for_backward(value)
        return value

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (value,) = context.saved_tensors
        return gradients[0] * value


def exponential(x: Tensor) -> Tensor:
    """Return exp(x): in float64 to the bit what `twinbrain.engines.exponential` gives, in float32 PyTorch's own."""
    if x.dtype != torch.float64:
        return torch.exp(x)
    if x.requires_grad:
        return _Exponential.apply(x)  # type: ignore[no-any-return, no-untyped-call, unused-ignore]
    return _exponential(x)


def _exponential(x: Tensor) -> Tensor:
    x = x.clamp(shared.LOWEST, shared.HIGHEST)
    shifted = x * shared._LOG2_E + shared._ROUND
    k = shifted - shared._ROUND
    r = (x - k * shared._LOG_2_HIGH) - k * shared._LOG_2_LOW
    p = torch.full_like(r, shared._COEFFICIENTS[0])
    for coefficient in shared._COEFFICIENTS[1:]:
        p = p.mul_(r).add_(coefficient)
    scale = (shifted.view(torch.int64) + 1023) << 52
    return p.mul_(scale.view(torch.float64))


class _SquareRoot(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        value = _square_root(x)
        context.save_for_backward(value)
        return value

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (value,) = context.saved_tensors
        return gradients[0] / (2.0 * value)


def square_root(x: Tensor) -> Tensor:
    """Return the square root, rounded as IEEE asks: PyTorch's own on a CPU is off by a last bit now and then."""
    if x.requires_grad:
        return _SquareRoot.apply(x)  # type: ignore[no-any-return, no-untyped-call, unused-ignore]
    return _square_root(x)


def _square_root(x: Tensor) -> Tensor:
    if x.device.type != "cpu":
        return torch.sqrt(x)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.sqrt(x.numpy()))


def select(condition: Tensor, one: Tensor | float, other: Tensor | float) -> Tensor:
    """Return ``one`` where the condition holds, else ``other``."""
    return torch.where(condition, one, other)


def bounded(x: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """Return x, no lower than ``low`` and no higher than ``high``."""
    return torch.where(x > high, high, torch.where(x < low, low, x))


def reciprocal(x: Tensor) -> Tensor:
    """Return 1/x."""
    return 1.0 / x


def indicator(condition: Tensor) -> Tensor:
    """Return 1 where the condition holds, else 0."""
    return condition.to(torch.float64)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exponential": exponential,
    "reciprocal": reciprocal,
    "select": select,
    "bounded": bounded,
    "indicator": indicator,
    "abs": torch.abs,
    "sqrt": square_root,
    **{name: getattr(torch, name) for name in ("log", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
}
"""All functions that a program may use here, by their names in programs."""
