"""Check equations and statements: names, flags and units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.language.lines import Assignment
from twinbrain.language.tree import Tree, render
from twinbrain.models.reading import first_line, variables_of

_OF_TIME = re.compile(r"t|dt|t_in_timesteps|timestep|xi|xi_\w*|rand|randn|poisson|binomial")


def sizes_of_units(equations: Any, used: set[str]) -> dict[str, float]:
    """Return the size of every unit among the names that are used; nothing else is left unknown."""
    from brian2.core.namespace import DEFAULT_UNITS

    values = {}
    for name in sorted(used - equations.names):
        if _OF_TIME.fullmatch(name):
            raise SpecError(
                f"expected equations of state variables and parameters alone, found {name!r}; "
                "for input that changes in time or is random, use drives and stimuli"
            )
        try:
            if name not in DEFAULT_UNITS:
                raise UnitError("")
            values[name] = units.coherent_factor(name)
        except UnitError:
            raise SpecError(
                f"expected names of variables, parameters or units in the equations, found {name!r}; "
                f'declare it ("{name} : volt", say) if it is a parameter'
            ) from None
    return values


def check_flags(equations: Any, allowed_of_state: set[str]) -> None:
    """Check that variables have no flags but those allowed."""
    for name in sorted(equations.names):
        equation = equations[name]
        allowed = {"differential equation": allowed_of_state, "parameter": {"constant"}}.get(equation.type, set())
        if unknown := sorted(set(equation.flags) - allowed):
            raise SpecError(f"expected no flag ({unknown[0]}) for {name!r}; the step has no use for it, drop it")


def namespace_of(equations: Any, unit_values: dict[str, float]) -> dict[str, Any]:
    """Return all names of equations as Brian2's variables, for its checks of units."""
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.core.variables import Constant

    known = {name: DEFAULT_UNITS[name] for name in unit_values}
    return {
        **DEFAULT_FUNCTIONS,
        **{name: Constant(name, float(unit), dimensions=unit.dim) for name, unit in known.items()},
        **variables_of(equations),
    }


def check_equations(equations: Any, variables: dict[str, Any]) -> None:
    """Check that the units of equations agree; within `unit_errors`."""
    from brian2.equations.unitcheck import check_dimensions
    from brian2.units import second

    for name in sorted(equations.names):
        equation = equations[name]
        if equation.type == "differential equation":
            check_dimensions(equation.expr.code, equation.dim / second.dim, variables)
        elif equation.type == "subexpression":
            check_dimensions(equation.expr.code, equation.dim, variables)


def check_condition(tree: Tree, variables: dict[str, Any]) -> None:
    """Check that the units of a condition agree; within `unit_errors`."""
    from brian2.parsing.expressions import parse_expression_dimensions

    parse_expression_dimensions(render(tree), variables)


def check_statements(statements: Iterable[Assignment], variables: dict[str, Any]) -> None:
    """Check that the units of statements agree; within `unit_errors`."""
    from brian2.equations.unitcheck import check_units_statements

    for statement in statements:
        check_units_statements(f"{statement.target} = {render(statement.tree)}", variables)


@contextmanager
def unit_errors() -> Iterator[None]:
    """Turn what Brian2 raises about units, which is of many kinds, into one error."""
    try:
        yield
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(f"expected equations whose units agree, found: {first_line(error)}") from None
