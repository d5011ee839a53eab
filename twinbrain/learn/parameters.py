"""Parameters of neurons as tensors that can be trained: positive ones stay positive, shared ones are shared."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinbrain.models.step import REFRACTORY_STEPS, StepProgram
from twinbrain.network.random import Floats

# A factor of twenty either way; beyond, a parameter has run away.
_FURTHEST = 3.0
# Parameters of a formula such as (exp(-h/a) - exp(-h/b))/(a - b), which has a limit at a = b, are moved apart by this
# share, one way and the other: the error of the mean is of second order, and so less than a rounded quotient's.
_APART = 2.0**-11


class TrainedParameter(nn.Module):
    """One parameter of a block's neurons.

    What is learned has no unit and begins at 0: positive parameters are multiplied by its exponential, others shifted
    by a multiple of ``scale``. So one learning rate suits all.

    Parameters
    ----------
    base : ndarray of float64, shape (neuron,)
        Its values before training.
    group : ndarray of int64, shape (neuron,)
        Neurons of one number share a change; those of -1 have none.
    scale : float
        What a change of 1 stands for, where values are not all positive.
    """

    base: Tensor
    group: Tensor

    def __init__(self, base: Floats, group: NDArray[np.int64], scale: float) -> None:
        super().__init__()
        self.positive = bool((base[group >= 0] > 0).all())
        self.scale = scale
        self.change = nn.Parameter(torch.zeros(int(group.max()) + 1, dtype=torch.float64))
        self.register_buffer("base", torch.tensor(base))
        self.register_buffer("group", torch.tensor(group))

    def forward(self) -> Tensor:
        """Return its values, shape (neuron,), in float64."""
        change = self.change.double().clamp(-_FURTHEST, _FURTHEST)
        change = torch.cat([change, change.new_zeros(1)])[self.group]
        return self.base * change.exp() if self.positive else self.base + self.scale * change


def trained_constants(
    program: StepProgram,
    exact: Mapping[str, Tensor],
    base: Mapping[str, Floats],
    trained: Mapping[str, TrainedParameter],
    dt: float,
) -> dict[str, Tensor]:
    """Return the constants of a program at the present values of its parameters; gradients pass.

    Parameters
    ----------
    program : StepProgram
        The program.
    exact : mapping of str to Tensor of float64, shape (neuron,)
        The constants before training, as every engine has them: what does not change stays the same to the last bit.
    base : mapping of str to ndarray of float64, shape (neuron,)
        The parameters before training.
    trained : mapping of str to TrainedParameter
        Those that are trained.
    dt : float (ms)
        Time step.

    Returns
    -------
    dict of str to Tensor of float64, shape (neuron,)
    """
    found = dict(exact)
    if not trained:
        return found
    device = next(iter(exact.values())).device
    before = {name: torch.as_tensor(values, device=device) for name, values in base.items()}
    now = before | {name: parameter() for name, parameter in trained.items()}
    for name, text in program.constants.items():
        code = _compiled(text)
        if REFRACTORY_STEPS in code.co_names or not set(code.co_names) & set(trained):
            continue
        apart = [n for n in code.co_names if program.parameters.get(n) == "ms"]
        if not apart and _divides_by_a_sum(text):
            apart = [n for n in code.co_names if n in program.parameters]
        with torch.no_grad():
            offset = exact[name] - _evaluate(code, before, apart, dt)
        found[name] = _evaluate(code, now, apart, dt) + offset
    return found


def _evaluate(code: CodeType, values: dict[str, Tensor], apart: list[str], dt: float) -> Tensor:
    def at(share: float, kind: torch.dtype) -> Tensor:
        moved = {name: values[name] * (1 + (i + 1) * share) for i, name in enumerate(apart)}
        scope = {name: value.to(kind) for name, value in (values | moved).items()}
        scope["dt"] = torch.tensor(dt, dtype=kind)
        return torch.as_tensor(eval(code, {"__builtins__": {}, **_FUNCTIONS}, scope)).real

    def mean(kind: torch.dtype) -> Tensor:
        return 0.5 * (at(_APART, kind) + at(-_APART, kind)) if apart else at(0.0, kind)

    found = mean(torch.float64)
    # The roots of a resonator are complex, and what is made of both is real.
    return found if bool(torch.isfinite(found).all()) or "sqrt" not in code.co_names else mean(torch.complex128)


@cache
def _compiled(text: str) -> CodeType:
    return compile(text, "<constant>", "eval")


@cache
def _divides_by_a_sum(text: str) -> bool:
    quotients = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div))
    return any(isinstance(n, ast.Add | ast.Sub) for quotient in quotients for n in ast.walk(quotient.right))


def _exprel(x: Tensor) -> Tensor:
    safe = torch.where(x == 0.0, 1.0, x)
    return torch.where(x == 0.0, 1.0, torch.expm1(safe) / safe)


def _as_tensor(function: Any) -> Any:
    return lambda x: function(
        x if isinstance(x, Tensor) and x.is_complex() else torch.as_tensor(x, dtype=torch.float64)
    )


_FUNCTIONS: dict[str, Any] = {
    "e": math.e,
    **{
        name: _as_tensor(getattr(torch, name))
        for name in (
            *("exp", "expm1", "log", "log1p", "log10", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
            *("sinh", "cosh", "tanh", "abs", "floor", "ceil", "sign"),
        )
    },
    "clip": lambda x, low, high: torch.where(x > high, high, torch.where(x < low, low, x)),
    "int": lambda x: torch.as_tensor(x, dtype=torch.float64),
    "exprel": _as_tensor(_exprel),
}
