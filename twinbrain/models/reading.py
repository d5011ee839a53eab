"""Read equations and statements: Brian2's parser, and names that it does not know."""

from __future__ import annotations

import re
from typing import Any

from twinbrain import units
from twinbrain.errors import SpecError

# Stands for dt in a receptor's equations, where Brian2 would take it for its own clock's.
TIME_STEP = "time_step"


def brian_names(text: str) -> str:
    """Return text with Brian2's names of units: it has no mM, which everyone else writes."""
    return re.sub(r"\bmM\b", "mmolar", text)


def with_time_step(text: str) -> str:
    """Return a receptor's equations in which ``dt`` is a name like any other, except in ``dg/dt = …``."""
    lines = []
    for line in text.splitlines(keepends=True):
        left, equals, right = line.partition("=")
        lines.append(left + equals + re.sub(r"\bdt\b", TIME_STEP, right))
    return "".join(lines)


def uses_time_step(text: str) -> bool:
    """Return whether the time step is used, as `with_time_step` has it."""
    return re.search(rf"\b{TIME_STEP}\b", text) is not None


def parse(text: str) -> Any:
    """Return Brian2's equations.

    Raises
    ------
    SpecError
        If it rejects them.
    """
    from brian2.equations import Equations

    try:
        return Equations(text)
    except Exception as error:  # Brian2 raises many kinds, some of them its parser's own
        raise SpecError(
            f"expected equations that Brian2 accepts, found some that it rejects: {first_line(error)}"
        ) from None


def state_names(text: str) -> list[str]:
    """Return the variables with a differential equation, in the order of the text."""
    return re.findall(r"^\s*d(\w+)\s*/\s*dt", text, flags=re.MULTILINE)


def differential_part(equations: Any, names: set[str]) -> Any:
    """Return equations of ``names`` alone; other state variables count as given. No flags: holding is done after."""
    from brian2.equations import Equations
    from brian2.equations.equations import SingleEquation

    kept = []
    for name in sorted(equations.names):
        equation = equations[name]
        if equation.type == "differential equation":
            if name in names:
                kept.append(SingleEquation(equation.type, name, equation.dim, expr=equation.expr))
            else:
                kept.append(SingleEquation("parameter", name, equation.dim))
        else:
            kept.append(equation)
    return Equations(kept)


def variables_of(equations: Any) -> dict[str, Any]:
    """Return Brian2's variables of equations."""
    from brian2.core.variables import Variable

    return {
        name: Variable(
            name=name,
            dimensions=equations[name].dim,
            owner=None,
            constant=equations[name].type == "parameter",
            scalar=False,
        )
        for name in equations.names
    }


def unit_text(equation: Any) -> str:
    """Return the familiar unit of a variable."""
    from brian2.units.fundamentalunits import get_unit

    names = ("metre", "kilogram", "second", "ampere", "kelvin", "mole", "candela")
    exponents = get_unit(equation.dim).dim._dims
    parts = [f"{name}**({exponent:g})" for name, exponent in zip(names, exponents, strict=True) if exponent]
    return units.familiar(" * ".join(parts) or "1")


def statements(text: str) -> list[tuple[str, str]]:
    """Return names and the expressions assigned to them, augmented assignments written out."""
    rows = []
    for line in re.split(r"[;\n]", text):
        line = line.partition("#")[0]
        if not line.strip():
            continue
        match = re.fullmatch(r"\s*(\w+)\s*([-+*/]?)=(?!=)\s*(.+?)\s*", brian_names(line))
        if match is None:
            raise SpecError(f'expected statements such as "v = V_reset", found {line.strip()!r}')
        target, operator, expression = match.groups()
        rows.append((target, f"{target} {operator} ({expression})" if operator else expression))
    return rows


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
