"""Render a step program as one function of tensors."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from twinbrain.engines.torch.functions import NAMES, Function, functions
from twinbrain.errors import EngineError
from twinbrain.models.algebra import on_arrays
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

Step = Callable[[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]], tuple[dict[str, Tensor], Tensor]]
"""Takes the state, the constants, and what arrived in each receptor's unit; returns the new state and who spiked."""


def render(program: StepProgram, **others: Function) -> Step:
    """Return the step of a program, of tensors of any one shape; gradients pass through it.

    A neuron that is refractory is left as it is by a choice between values, so that no undefined value arises, nor an
    undefined gradient.

    Parameters
    ----------
    program : StepProgram
        What is computed.
    **others : callable
        Functions that it uses besides those of `functions`, by their names.

    Returns
    -------
    callable
        ``step(state, constants, arrived) -> (state, spiked)``: dictionaries by names of the program (``arrived`` by
        receptors) and a boolean tensor.

    Raises
    ------
    EngineError
        If the program uses a function that is not known here.
    """
    return _render(
        program.state, tuple(program.jumps), tuple(program.constants), *_texts(program), tuple(others.items())
    )


def _texts(program: StepProgram) -> tuple[tuple[tuple[str, str], ...], str, tuple[tuple[str, str], ...]]:
    integrate = tuple((s.target, s.expression) for s in program.integrate)
    return integrate, program.threshold, tuple((s.target, s.expression) for s in program.reset)


@cache
def _render(
    state: tuple[str, ...],
    receptors: tuple[str, ...],
    constants: tuple[str, ...],
    integrate: tuple[tuple[str, str], ...],
    threshold: str,
    reset: tuple[tuple[str, str], ...],
    others: tuple[tuple[str, Function], ...],
) -> Step:
    for expression in (threshold, *(text for _, text in (*integrate, *reset))):
        check_functions(expression, *(name for name, _ in others))
    spiked = f"({on_arrays(threshold)})"
    if REFRACTORY_LEFT in state:
        spiked += f" & ({REFRACTORY_LEFT} <= 0.0)"
    # Names of models do not begin with an underscore; those of temporaries are _t0, _new_v and so on.
    lines = [
        *(f"{name} = _state[{name!r}]" for name in state),
        *(f"{name} = _constants[{name!r}]" for name in constants),
        *(f"_arrived_{name} = _arrived[{name!r}]" for name in receptors),
        *(f"{target} = {on_arrays(in_units(text, receptors))}" for target, text in integrate),
        f"_spiked = {spiked}",
        *(
            f"{target} = select(_spiked, {on_arrays(text)}, {target})"
            if target in state
            else f"{target} = {on_arrays(text)}"
            for target, text in reset
        ),
        f"return {{{', '.join(f'{name!r}: {name}' for name in state)}}}, _spiked",
    ]
    code = compile("def step(_state, _constants, _arrived):\n    " + "\n    ".join(lines), "<step>", "exec")

    @cache
    def step_in(precision: torch.dtype) -> Step:
        namespace: dict[str, object] = {**functions(precision), **dict(others)}
        exec(code, namespace)
        return namespace["step"]  # type: ignore[return-value]

    def step(
        state: dict[str, Tensor], constants: dict[str, Tensor], arrived: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor]:
        one = next(iter((state or constants or arrived).values()))
        return step_in(one.dtype)(state, constants, arrived)

    return step


def in_units(expression: str, receptors: tuple[str, ...]) -> str:
    """Return the expression with what arrived in the receptor's unit, as ``_arrived_<receptor>``."""
    for name in receptors:
        expression = expression.replace(f"inbox_{name}*quantum_{name}", f"_arrived_{name}")
    return expression


def check_functions(expression: str, *others: str) -> None:
    """Refuse an expression with a function that is not known here, nor named."""
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in {*NAMES, *others}:
            raise EngineError(
                f"expected one of the functions {', '.join(NAMES)} in equations for the engine torch, found "
                f"{node.func.id}(…) in {expression!r}; write it otherwise or use another engine"
            )
