"""The upstroke of exponential neurons, with a derivative that does not explode.

Past its threshold V_T such a neuron's potential runs away by itself, faster than exponentially, until the reset. Going
back through these steps a gradient is multiplied by ten and more, in each spike. As a surrogate stands for the
derivative of the spike, one does for that of the upstroke: the exponential's, but from V_T on no more than at V_T,
where leak and exponential cancel. Below, where the neuron adds up what it is given, nothing changes.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from twinbrain.engines.torch.functions import exponential, smooth
from twinbrain.models.algebra import Statement
from twinbrain.models.step import StepProgram

UPSTROKE = "upstroke"
"""Name of the function in a program: of the values of ``exponential``."""

upstroke = smooth(exponential, lambda x, y: y.clamp(max=1.0))
"""The exponential, with a derivative of at most 1."""


def with_upstroke(program: StepProgram) -> StepProgram:
    """Return a program whose exponential of a bounded argument is called ``upstroke``.

    A model bounds an exponential because it runs away: ``exp(clip((v - V_T)/Delta_T, -100, 20))``.
    """
    bounded: set[str] = set()
    statements = []
    for statement in program.integrate:
        tree = ast.parse(statement.expression, mode="eval").body
        found = [
            node.func.col_offset
            for node in ast.walk(tree)
            if _calls(node, "exponential")
            and isinstance(node, ast.Call)
            and (_calls(node.args[0], "bounded") or (isinstance(node.args[0], ast.Name) and node.args[0].id in bounded))
        ]
        text = statement.expression
        for start in sorted(found, reverse=True):
            text = text[:start] + UPSTROKE + text[start + len("exponential") :]
        statements.append(Statement(statement.target, text))
        (bounded.add if _calls(tree, "bounded") else bounded.discard)(statement.target)
    return replace(program, integrate=tuple(statements))


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
