"""Surrogate gradients of snnTorch, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.fused.surrogates import surrogate_function
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.training import Surrogate

SHARPNESS = {
    "atan": "alpha",
    "fast_sigmoid": "slope",
    "sigmoid": "slope",
    "spike_rate_escape": "slope",
    "straight_through_estimator": None,
    "heaviside": None,
}
"""Surrogates, and what snnTorch calls their sharpness."""


def surrogate_gradient(spec: Surrogate) -> Callable[[Tensor], Tensor]:
    """Return a surrogate gradient of snnTorch, which is finite however far the threshold is.

    Raises
    ------
    LearnError
        If there is none of that name, or it has no slope to set.
    """
    if spec.name not in SHARPNESS:
        raise LearnError(f"train.surrogate: unknown surrogate {spec.name!r}; {suggestion(spec.name, SHARPNESS)}")
    name = SHARPNESS[spec.name]
    if spec.slope is not None and name is None:
        raise LearnError(f"train.surrogate.slope: expected none for {spec.name!r}, found {spec.slope:g}; leave it out")
    return surrogate_function(spec.name, spec.slope)


def bounded(surrogate: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a surrogate whose derivative is 0 where the given one's is not finite.

    That of `snntorch.surrogate.sigmoid` is inf/inf far below the threshold, where it tends to 0.

    Parameters
    ----------
    surrogate : callable
        Takes a tensor of distances from the threshold, and works element by element.
    """

    class Bounded(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Tensor) -> Tensor:
            with torch.enable_grad():
                at = x.detach().requires_grad_()
                spikes = surrogate(at)
                (derivative,) = torch.autograd.grad(spikes.sum(), at)
            context.save_for_backward(torch.where(torch.isfinite(derivative), derivative, 0.0))
            return spikes.detach().to(x.dtype)

        @staticmethod
        def backward(context: Any, *gradients: Tensor) -> Tensor:
            (derivative,) = context.saved_tensors
            return gradients[0] * derivative

    return lambda x: Bounded.apply(x)  # type: ignore[no-untyped-call, unused-ignore]
