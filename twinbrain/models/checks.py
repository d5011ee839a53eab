"""Check equations and statements: names, flags and units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.models.reading import TIME_STEP, brian_names, first_line, variables_of

# What every engine can compute; Brian2 has more.
FUNCTIONS = (
    *("exp", "exprel", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
    *("abs", "clip", "int"),
)
_OF_TIME = re.compile(r"t|dt|t_in_timesteps|timestep|xi|xi_\w*|rand|randn|poisson|binomial")
# Names that a step has for what it adds to the equations.
_TAKEN = re.compile(
    r"k\d+|fixed_\d+|inbox_\w+|quantum_\w+|refractory_left|refractory_steps|has_spiked|exponential|reciprocal|select|"
    r"indicator|bounded|relative_exponential|logarithm|power|time_step|i|j|N|not_refractory|lastspike"
)


def sizes_of_units(equations: Any, code: str) -> dict[str, float]:
    """Return the size of every unit that is written in equations and code; nothing else is left unknown."""
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.utils.stringtools import get_identifiers

    if taken := sorted(name for name in equations.names - {TIME_STEP} if _TAKEN.fullmatch(name)):
        raise SpecError(f"expected names that the step does not use itself, found {taken[0]!r}; rename it")
    used = set(equations.identifiers) | get_identifiers(brian_names(code))
    values = {}
    for name in sorted(used - {*equations.names, *FUNCTIONS, "and", "or", "not", "True", "False"}):
        if _OF_TIME.fullmatch(name):
            raise SpecError(
                f"expected equations of state variables and parameters alone, found {name!r}; "
                "for input that changes in time or is random, use drives and stimuli"
            )
        if name in DEFAULT_FUNCTIONS:
            raise SpecError(f"expected one of the functions {', '.join(FUNCTIONS)}, found {name!r}; write it otherwise")
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
    """Check that variables are numbers with units, with no flags but those allowed."""
    for name in sorted(equations.names):
        equation = equations[name]
        allowed = {"differential equation": allowed_of_state, "parameter": {"constant"}}.get(equation.type, set())
        if unknown := sorted(set(equation.flags) - allowed):
            raise SpecError(f"expected no flag ({unknown[0]}) for {name!r}; the step has no use for it, drop it")
        if equation.var_type != "float":
            raise SpecError(f'expected {name!r} with a unit, found "{equation.var_type}"; write "{name} : 1"')


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


def check_statements(code: str, variables: dict[str, Any]) -> None:
    """Check that the units of statements agree; within `unit_errors`."""
    from brian2.equations.unitcheck import check_units_statements

    for line in code.replace(";", "\n").splitlines():
        check_units_statements(brian_names(line), variables)


@contextmanager
def unit_errors() -> Iterator[None]:
    """Turn what Brian2 raises about units into one error."""
    from brian2.units.fundamentalunits import DimensionMismatchError

    try:
        yield
    except (DimensionMismatchError, TypeError, SyntaxError, KeyError, AssertionError, NotImplementedError) as error:
        raise SpecError(f"expected equations whose units agree, found: {first_line(error)}") from None
