"""Equations of a neuron and its receptors, checked and combined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.models.brian import import_brian2
from twinbrain.spec.base import suggestion
from twinbrain.spec.model import NeuronModel, ReceptorModel

METHODS = ("exact", "linear", "exponential_euler", "euler", "rk2", "rk4")
"""Names of the integrators, which are Brian2's."""
# What every engine can compute; Brian2 has more.
_FUNCTIONS = (
    *("exp", "exprel", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
    *("abs", "clip", "int"),
)
# Stands for dt in a receptor's equations, where Brian2 would take it for its own clock's.
_TIME_STEP = "time_step"
_OF_TIME = re.compile(r"t|dt|t_in_timesteps|timestep|xi|xi_\w*|rand|randn|poisson|binomial")
# Names that a step has for what it adds to the equations.
_TAKEN = re.compile(
    r"k\d+|fixed_\d+|inbox_\w+|quantum_\w+|refractory_left|refractory_steps|has_spiked|exponential|reciprocal|select|"
    r"indicator|bounded|relative_exponential|logarithm|power|time_step|i|j|N|not_refractory|lastspike"
)


@dataclass(frozen=True)
class ModelEquations:
    """A neuron's and its receptors' equations, as Brian2 understands them.

    Parameters
    ----------
    state : tuple of str
        Variables with a differential equation.
    neuron : tuple of str
        Those of them that are the neuron's own, not a receptor's.
    held : tuple of str
        Those of them that are held while the neuron is refractory.
    units, inputs, parameters : dict of str to str
        State variables, variables that hold a receptor's inbox for one step, and parameters, with their units.
    systems : tuple
        Each a set of equations with the method that integrates it.
    unit_values : dict of str to float
        Size of every unit that is written in the equations, in the coherent set.
    subexpressions : dict of str to str
        Variables that are functions of others, and their expressions.
    """

    state: tuple[str, ...]
    neuron: tuple[str, ...]
    held: tuple[str, ...]
    units: dict[str, str]
    inputs: dict[str, str]
    parameters: dict[str, str]
    systems: tuple[tuple[Any, str], ...]
    unit_values: dict[str, float]
    subexpressions: dict[str, str]

    def update(self) -> list[tuple[str, str]]:
        """Return Brian2's code for one step: names and the expressions assigned to them, in order."""
        from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException

        code: list[tuple[str, str]] = []
        for equations, method in self.systems:
            try:
                text = StateUpdateMethod.apply_stateupdater(
                    equations, _variables(equations), method, group_name="model"
                )
            except UnsupportedEquationsException as error:
                raise SpecError(
                    f"expected equations that method {method!r} can integrate, found some that it cannot ({error}); "
                    'use "euler", "rk2" or "exponential_euler"'
                ) from None
            code += _settle(statements(text), self.state)
        return code

    def sympy(self, expression: str) -> Any:
        """Return an expression as sympy's: subexpressions written out, units replaced by their size."""
        import sympy
        from brian2.parsing.sympytools import str_to_sympy

        values = {
            sympy.Symbol(name, real=True): sympy.Integer(1) if value == 1 else sympy.Float(value)
            for name, value in self.unit_values.items()
        }
        converted = str_to_sympy(_brian_names(expression))
        names = {"Abs" if name == "abs" else "int_" if name == "int" else name for name in _FUNCTIONS}
        for function in sorted(converted.atoms(sympy.Function), key=str):
            if function.func.__name__ not in names:
                raise SpecError(
                    f"expected one of the functions {', '.join(_FUNCTIONS)}, found {function}; write it otherwise"
                )
        # Brian2 takes dt for positive; here it is a name like any other.
        plain = {s: sympy.Symbol("dt" if s.name == _TIME_STEP else s.name, real=True) for s in converted.free_symbols}
        written_out = {s: self.sympy(self.subexpressions[s.name]) for s in plain if s.name in self.subexpressions}
        return converted.xreplace(plain | written_out).xreplace(values)


def combine(model: NeuronModel, receptors: dict[str, ReceptorModel]) -> ModelEquations:
    """Return the checked equations of a neuron with receptors.

    Raises
    ------
    SpecError
        If Brian2 cannot parse them, a name is unknown or given twice, or units disagree.
    """
    import_brian2()
    model = model.model_copy(update={key: re.sub("#.*", "", getattr(model, key)) for key in ("threshold", "reset")})
    currents = " + ".join(r.current for r in receptors.values() if r.current) or "0*amp"
    neuron_text = f"{_brian_names(model.equations)}\nI_syn = {currents} : amp\n"
    receptor_texts = {name: _with_time_step(f"{_brian_names(r.equations)}\n") for name, r in receptors.items()}
    of_step = f"{_TIME_STEP} : second\n" if any(map(_uses_time_step, receptor_texts.values())) else ""
    whole = _parse(neuron_text + "".join(receptor_texts.values()) + of_step)
    # In the order of the text: Brian2 keeps none, and compiled code is found again by its text.
    state = tuple(_parse_names(neuron_text + "".join(receptor_texts.values())))
    inputs = set()
    for name, receptor in receptors.items():
        if receptor.jump in _parse(receptor_texts[name]).parameter_names:
            inputs.add(receptor.jump)
        elif receptor.jump not in state:
            raise SpecError(
                f"receptor {name!r}: expected 'jump' to name a variable of its equations or of the neuron's, found "
                f"{receptor.jump!r}; {suggestion(receptor.jump, state)}"
            )
    unit_values = _unit_values(whole, f"{model.threshold}\n{model.reset}")
    _check_kinds(whole, model)
    _check_assigned(model, state)
    _check_units(whole, model, unit_values)
    if model.method in ("exact", "linear"):
        systems: tuple[tuple[Any, str], ...] = ((_differential_part(whole, set(state)), "exact"),)
    else:
        own = [_parse(text + (of_step if _uses_time_step(text) else "")) for text in receptor_texts.values()]
        systems = (
            (_differential_part(whole, set(_parse_names(neuron_text))), model.method),
            *((_differential_part(part, set(part.diff_eq_names)), "exact") for part in own if part.diff_eq_names),
        )
    return ModelEquations(
        state=state,
        neuron=tuple(_parse_names(neuron_text)),
        held=tuple(name for name in state if "unless refractory" in whole[name].flags),
        units={name: _unit_text(whole[name]) for name in state},
        inputs={name: _unit_text(whole[name]) for name in sorted(inputs)},
        parameters={name: _unit_text(whole[name]) for name in sorted(whole.parameter_names - inputs - {_TIME_STEP})},
        systems=systems,
        unit_values=unit_values,
        subexpressions={name: whole[name].expr.code for name in sorted(whole.subexpr_names)},
    )


def _brian_names(text: str) -> str:
    # Brian2 has no mM; everyone else writes it.
    return re.sub(r"\bmM\b", "mmolar", text)


def _with_time_step(text: str) -> str:
    """Return a receptor's equations in which ``dt`` is a name like any other, except in ``dg/dt = …``."""
    lines = []
    for line in text.splitlines(keepends=True):
        left, equals, right = line.partition("=")
        lines.append(left + equals + re.sub(r"\bdt\b", _TIME_STEP, right))
    return "".join(lines)


def _uses_time_step(text: str) -> bool:
    return re.search(rf"\b{_TIME_STEP}\b", text) is not None


def _parse(text: str) -> Any:
    from brian2.equations import Equations

    try:
        return Equations(text)
    except Exception as error:  # Brian2 raises many kinds, some of them its parser's own
        raise SpecError(
            f"expected equations that Brian2 accepts, found some that it rejects: {_first_line(error)}"
        ) from None


def _parse_names(text: str) -> list[str]:
    return re.findall(r"^\s*d(\w+)\s*/\s*dt", text, flags=re.MULTILINE)


def _differential_part(equations: Any, names: set[str]) -> Any:
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


def _variables(equations: Any) -> dict[str, Any]:
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


def _unit_values(equations: Any, code: str) -> dict[str, float]:
    """Return the size of every unit that is written in equations and code; nothing else is left unknown."""
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.utils.stringtools import get_identifiers

    if taken := sorted(name for name in equations.names - {_TIME_STEP} if _TAKEN.fullmatch(name)):
        raise SpecError(f"expected names that the step does not use itself, found {taken[0]!r}; rename it")
    used = set(equations.identifiers) | get_identifiers(_brian_names(code))
    values = {}
    for name in sorted(used - {*equations.names, *_FUNCTIONS, "and", "or", "not", "True", "False"}):
        if _OF_TIME.fullmatch(name):
            raise SpecError(
                f"expected equations of state variables and parameters alone, found {name!r}; "
                "for input that changes in time or is random, use drives and stimuli"
            )
        if name in DEFAULT_FUNCTIONS:
            raise SpecError(
                f"expected one of the functions {', '.join(_FUNCTIONS)}, found {name!r}; write it otherwise"
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


def _check_kinds(equations: Any, model: NeuronModel) -> None:
    """Check the method, the refractory parameter, and that variables are of a kind that a step has."""
    from brian2.units import second

    if model.method not in METHODS:
        raise SpecError(f"unknown method {model.method!r}; {suggestion(model.method, METHODS)}")
    _check_flags(equations, {"unless refractory"})
    if model.refractory is None:
        return
    if model.refractory not in equations.parameter_names:
        hint = suggestion(model.refractory, equations.parameter_names)
        raise SpecError(f"expected 'refractory' to name a parameter, found {model.refractory!r}; {hint}")
    if equations[model.refractory].dim is not second.dim:
        raise SpecError(f"expected the refractory period {model.refractory!r} in seconds, found another unit")


def _check_flags(equations: Any, allowed_of_state: set[str]) -> None:
    for name in sorted(equations.names):
        equation = equations[name]
        allowed = {"differential equation": allowed_of_state, "parameter": {"constant"}}.get(equation.type, set())
        if unknown := sorted(set(equation.flags) - allowed):
            raise SpecError(f"expected no flag ({unknown[0]}) for {name!r}; the step has no use for it, drop it")
        if equation.var_type != "float":
            raise SpecError(f'expected {name!r} with a unit, found "{equation.var_type}"; write "{name} : 1"')


def _check_assigned(model: NeuronModel, state: tuple[str, ...]) -> None:
    for target, _ in statements(model.reset):
        if target not in state:
            raise SpecError(f"expected a reset of state variables, found {target!r}; {suggestion(target, state)}")


def _check_units(equations: Any, model: NeuronModel, unit_values: dict[str, float]) -> None:
    from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
    from brian2.utils.stringtools import get_identifiers

    variables = _namespace(equations, unit_values)
    with _unit_errors():
        _check_dimensions(equations, variables)
        threshold = _brian_names(model.threshold)
        moving = equations.diff_eq_names | equations.subexpr_names
        if not is_boolean_expression(threshold, variables) or not get_identifiers(threshold) & moving:
            raise SpecError(f'expected a threshold condition such as "v > V_th", found {model.threshold!r}')
        parse_expression_dimensions(threshold, variables)
        _check_statements(model.reset, variables)


def _namespace(equations: Any, unit_values: dict[str, float]) -> dict[str, Any]:
    """Return all names of equations as Brian2's variables, for its checks of units."""
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.core.variables import Constant

    known = {name: DEFAULT_UNITS[name] for name in unit_values}
    return {
        **DEFAULT_FUNCTIONS,
        **{name: Constant(name, float(unit), dimensions=unit.dim) for name, unit in known.items()},
        **_variables(equations),
    }


def _check_dimensions(equations: Any, variables: dict[str, Any]) -> None:
    from brian2.equations.unitcheck import check_dimensions
    from brian2.units import second

    for name in sorted(equations.names):
        equation = equations[name]
        if equation.type == "differential equation":
            check_dimensions(equation.expr.code, equation.dim / second.dim, variables)
        elif equation.type == "subexpression":
            check_dimensions(equation.expr.code, equation.dim, variables)


def _check_statements(code: str, variables: dict[str, Any]) -> None:
    from brian2.equations.unitcheck import check_units_statements

    for line in code.replace(";", "\n").splitlines():
        check_units_statements(_brian_names(line), variables)


@contextmanager
def _unit_errors() -> Iterator[None]:
    from brian2.units.fundamentalunits import DimensionMismatchError

    try:
        yield
    except (DimensionMismatchError, TypeError, SyntaxError, KeyError, AssertionError, NotImplementedError) as error:
        raise SpecError(f"expected equations whose units agree, found: {_first_line(error)}") from None


def _unit_text(equation: Any) -> str:
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
        match = re.fullmatch(r"\s*(\w+)\s*([-+*/]?)=(?!=)\s*(.+?)\s*", _brian_names(line))
        if match is None:
            raise SpecError(f'expected statements such as "v = V_reset", found {line.strip()!r}')
        target, operator, expression = match.groups()
        rows.append((target, f"{target} {operator} ({expression})" if operator else expression))
    return rows


def _settle(rows: Iterable[tuple[str, str]], state: tuple[str, ...]) -> list[tuple[str, str]]:
    """Drop the closing ``v = _v`` lines of an integrator and let ``_v = ...`` assign ``v`` itself.

    New values are committed together at the end of the step, so the order of the lines is kept by construction.
    """
    rows = list(rows)
    copies = {expression: target for target, expression in rows if target in state and expression == f"_{target}"}
    settled = []
    for target, expression in rows:
        if target in state and expression == f"_{target}":
            continue
        settled.append((copies.get(target, target), expression))
    return settled


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
