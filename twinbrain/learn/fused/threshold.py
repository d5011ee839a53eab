"""The threshold of a program as a distance, which a surrogate takes, and a gate, which none passes."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from twinbrain.errors import LearnError
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

MEMBRANE = "v"


@dataclass(frozen=True)
class Threshold:
    """A neuron spikes where ``margin > 0`` and the gate is open.

    Parameters
    ----------
    margin : str
        Distance from the threshold, an expression of the program.
    gate : str or None
        Condition that must hold besides: the neuron is not refractory, and what else the model asks. None where there
        is none.
    """

    margin: str
    gate: str | None


def read_threshold(program: StepProgram) -> Threshold:
    """Return the threshold of a program.

    Of several comparisons joined by "and", that of the membrane potential ``v`` is the distance, and the others are the
    gate.

    Raises
    ------
    LearnError
        If the threshold is no comparison, or it is not clear which one is the distance.
    """
    node = ast.parse(program.threshold, mode="eval").body
    parts = node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]
    distances = [part for part in parts if len(parts) == 1 or MEMBRANE in _names(part)]
    if len(distances) != 1 or (margin := _margin(distances[0])) is None:
        raise LearnError(
            f"expected a threshold such as v > V_th, with one comparison of {MEMBRANE!r} where several are joined by "
            f'"and", found {program.threshold!r}; no surrogate gradient can be taken of it: write it so'
        )
    gate = [f"({ast.unparse(part)})" for part in parts if part is not distances[0]]
    if REFRACTORY_LEFT in program.state:
        gate.append(f"({REFRACTORY_LEFT} <= 0.0)")
    return Threshold(margin, " and ".join(gate) or None)


def _margin(node: ast.expr) -> str | None:
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None
    left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
    # A difference of floating-point numbers is positive exactly where the first is the greater.
    if isinstance(node.ops[0], ast.Gt):
        return f"{left} - ({right})"
    return f"{right} - ({left})" if isinstance(node.ops[0], ast.Lt) else None


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
