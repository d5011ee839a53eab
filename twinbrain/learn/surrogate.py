"""Surrogate gradients of snnTorch, by name."""

from __future__ import annotations

from collections.abc import Callable

import snntorch.surrogate
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.spec.base import suggestion
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
    """Return a surrogate gradient of snnTorch.

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
    options = {} if spec.slope is None or name is None else {name: spec.slope}
    found: Callable[[Tensor], Tensor] = getattr(snntorch.surrogate, spec.name)(**options)
    return found
