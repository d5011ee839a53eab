"""Surrogates of a spike's derivative, by snnTorch's names, as formulas that kernels can take up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from twinbrain.engines.torch.functions import functions
from twinbrain.errors import LearnError


@dataclass(frozen=True)
class Surrogate:
    """A derivative.

    Parameters
    ----------
    formula : str
        Expression of the distance ``x`` from the threshold and of ``slope``, in the functions of programs.
    slope : float
        Its value where none is given.
    """

    formula: str
    slope: float


# Of the distance's size alone, so that nothing overflows.
_DECAY = "exponential(-(slope*abs(x)))"

SURROGATES: dict[str, Surrogate] = {
    "atan": Surrogate(f"0.5*slope/(1.0 + ({math.pi / 2!r}*slope*x)*({math.pi / 2!r}*slope*x))", 2.0),
    "fast_sigmoid": Surrogate("1.0/((slope*abs(x) + 1.0)*(slope*abs(x) + 1.0))", 25.0),
    "sigmoid": Surrogate(f"slope*{_DECAY}/(({_DECAY} + 1.0)*({_DECAY} + 1.0))", 25.0),
    "straight_through_estimator": Surrogate("slope", 1.0),
    "spike_rate_escape": Surrogate("slope*exponential(-abs(x - 1.0))", 25.0),
    "heaviside": Surrogate("slope*indicator(x > 0.0)", 1.0),
    "triangle": Surrogate("select(abs(x) < 1.0, slope*(1.0 - abs(x)), 0.0)", 1.0),
}
"""All but ``triangle`` are snnTorch's, which has something else by the name ``triangular``; that one is Bellec et al.'s
(arXiv:1803.09574)."""


def find_surrogate(name: str) -> Surrogate:
    """Return a surrogate.

    Raises
    ------
    LearnError
        If there is none of that name.
    """
    if name not in SURROGATES:
        raise LearnError(f"expected a surrogate that is one of {', '.join(SURROGATES)}, found {name!r}")
    return SURROGATES[name]


def surrogate_function(name: str, slope: float | None = None) -> Callable[[Tensor], Tensor]:
    """Return a surrogate as a function of tensors: 1 or 0 in the precision of its argument, with that derivative.

    Parameters
    ----------
    name : str
        One of `SURROGATES`.
    slope : float, optional
        How steep.
    """
    return _SurrogateFunction(name, slope)


class _SurrogateFunction:
    """A surrogate that can be sent to other processes, and saved with its network: it is made anew from its name."""

    def __init__(self, name: str, slope: float | None) -> None:
        surrogate = find_surrogate(name)
        formula = compile(surrogate.formula, "<surrogate>", "eval")
        chosen = surrogate.slope if slope is None else slope

        class Spike(torch.autograd.Function):
            @staticmethod
            def forward(context: Any, x: Tensor) -> Tensor:
                context.save_for_backward(x)
                return (x > 0.0).to(x.dtype)

            @staticmethod
            def backward(context: Any, *gradients: Tensor) -> Tensor:
                (x,) = context.saved_tensors
                derivative: Tensor = eval(formula, functions(x.dtype) | {"x": x, "slope": chosen})
                return gradients[0] * derivative

        self._made_of = name, slope
        self._spike = Spike

    def __call__(self, x: Tensor) -> Tensor:
        found: Tensor = self._spike.apply(x)  # type: ignore[no-untyped-call, unused-ignore]
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return surrogate_function, self._made_of
