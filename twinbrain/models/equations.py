"""Equations of a neuron and its receptors, checked and combined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from twinbrain.errors import SpecError
from twinbrain.language.lines import Assignment, Equation, check_definitions
from twinbrain.language.sizes import growth
from twinbrain.language.tree import Name, Number, Operation, Tree, names_in, render
from twinbrain.models.algebra import check_real, of_real_numbers
from twinbrain.models.brian import import_brian2
from twinbrain.models.checks import (
    check_condition,
    check_equations,
    check_flags,
    check_statements,
    namespace_of,
    sizes_of_units,
    unit_errors,
)
from twinbrain.models.coupling import check_coupling
from twinbrain.models.reading import (
    TIME_STEP,
    brian_equations,
    condition_of,
    differential_part,
    equations_of,
    first_line,
    names_of,
    state_names,
    statements_of,
    unit_text,
    variables_of,
)
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.suggest import suggestion

METHODS = ("exact", "linear", "exponential_euler", "euler", "rk2", "rk4")
"""Names of the integrators, which are Brian2's."""
UNIT_FACTOR = "_unit_factor"
"""Name of the constant that scales units."""


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
    units_of_subexpressions : dict of str to str
        Their units.
    scaled : tuple of str
        Units that stand for multiples of `UNIT_FACTOR`, a constant.
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
    units_of_subexpressions: dict[str, str] = field(default_factory=dict)
    scaled: tuple[str, ...] = ()

    @cached_property
    def _names(self) -> set[str]:
        return {*self.state, *self.inputs, *self.parameters, *self.unit_values, *self.subexpressions, "dt", TIME_STEP}

    def update(self) -> list[tuple[str, str]]:
        """Return Brian2's code for one step: names and the expressions assigned to them, in order."""
        return self._code(self.systems)

    def update_while_held(self) -> list[tuple[str, str]]:
        """Return the code for a step in which `held` variables stay, for those that depend on them within a step.

        Other methods take variables as they are when a step begins, whether they are held or not.
        """
        equations, method = self.systems[0]
        free = set(equations.diff_eq_names) - set(self.held)
        coupled: set[str] = set()
        while found := {
            name
            for name in free - coupled
            if {s.name for s in self.sympy(equations[name].expr.code).free_symbols} & {*self.held, *coupled}
        }:
            coupled |= found
        if not coupled or method not in ("exact", "rk2", "rk4"):
            return []
        rows = self._code(((differential_part(equations, free), method),))
        return [row for row in rows if row[0] not in free - coupled]

    def _code(self, systems: Iterable[tuple[Any, str]]) -> list[tuple[str, str]]:
        from brian2.stateupdaters.base import StateUpdateMethod

        code: list[tuple[str, str]] = []
        for equations, method in systems:
            for equation in equations.values():
                if equation.expr is not None:
                    self.sympy(equation.expr.code)  # what has no real value is found before it is integrated
            try:
                text = StateUpdateMethod.apply_stateupdater(
                    equations, variables_of(equations), method, group_name="model"
                )
            except Exception as error:  # Brian2 and sympy raise many kinds
                raise SpecError(
                    f"expected equations that method {method!r} can integrate, found some that it cannot "
                    f'({first_line(error)}); use "euler", "rk2" or "exponential_euler"'
                ) from None
            code += _settle(_rows(text), self.state)
        return code

    def sympy(self, expression: str | Tree) -> Any:
        """Return an expression as sympy's: subexpressions written out, units replaced by their size."""
        import sympy
        from brian2.parsing.sympytools import str_to_sympy

        values = {
            sympy.Symbol(name, real=True): sympy.Integer(1) if value == 1 else sympy.Float(value)
            for name, value in self.unit_values.items()
        }
        factor = sympy.Symbol(UNIT_FACTOR, real=True)
        values = {s: size * factor if s.name in self.scaled else size for s, size in values.items()}
        text = expression if isinstance(expression, str) else render(expression)

        def named(symbol: Any) -> Any:
            if symbol.name in self.subexpressions:
                return self.sympy(self.subexpressions[symbol.name])
            if symbol.name not in self._names and not symbol.name.startswith("_"):  # text of an infinity, or of i
                raise SpecError(f"expected real numbers that are finite, found {symbol.name} in {text[:200]}")
            # Brian2 takes dt for positive; here it is a name like any other.
            return sympy.Symbol("dt" if symbol.name == TIME_STEP else symbol.name, real=True)

        try:
            converted = str_to_sympy(text)
            real = of_real_numbers(converted)
            found = real.xreplace({s: named(s) for s in real.free_symbols}).xreplace(values)
        except SpecError:
            raise
        except Exception as error:  # sympy raises many kinds, of comparisons with 0/0 for one
            raise SpecError(f"expected what has a value, found {text[:200]} ({first_line(error)})") from None
        check_real(found, text)
        return found


def combine(model: NeuronModel, receptors: dict[str, ReceptorModel]) -> ModelEquations:
    """Return the checked equations of a neuron with receptors.

    Raises
    ------
    SpecError
        If Brian2 cannot parse them, a name is unknown or given twice, or units disagree.
    """
    import_brian2()
    own = equations_of(model.equations)
    own += (Equation("definition", "I_syn", _sum_of([r.current for r in receptors.values() if r.current]), _AMPERE),)
    of_receptors = {name: equations_of(r.equations, {"dt": Name(TIME_STEP)}) for name, r in receptors.items()}
    lines = (*own, *(line for part in of_receptors.values() for line in part))
    whole = brian_equations(lines + _time_step(lines))
    threshold, reset = condition_of(model.threshold), statements_of(model.reset)
    known = check_definitions(lines)
    for tree in (threshold, *(statement.tree for statement in reset)):
        growth(tree, known)
    # In the order of the text: Brian2 keeps none, and compiled code is found again by its text.
    state = tuple(state_names(lines))
    inputs = set()
    for name, receptor in receptors.items():
        if receptor.jump in {line.name for line in of_receptors[name] if line.kind == "declaration"}:
            inputs.add(receptor.jump)
        elif receptor.jump not in state:
            raise SpecError(
                f"receptor {name!r}: expected 'jump' to name a variable of its equations or of the neuron's, found "
                f"{receptor.jump!r}; {suggestion(receptor.jump, state)}"
            )
    used = names_of(lines).union(names_in(threshold), *(names_in(statement.tree) for statement in reset))
    unit_values = sizes_of_units(whole, used)
    _check_kinds(whole, model)
    _check_assigned(reset, state)
    _check_units(whole, threshold, reset, unit_values)
    for part in (lines,) if model.method in ("exact", "linear") else of_receptors.values():
        check_coupling(part)
    if model.method in ("exact", "linear"):
        systems: tuple[tuple[Any, str], ...] = ((differential_part(whole, set(state)), "exact"),)
    else:
        parts = [brian_equations(part + _time_step(part)) for part in of_receptors.values()]
        systems = (
            (differential_part(whole, set(state_names(own))), model.method),
            *((differential_part(part, set(part.diff_eq_names)), "exact") for part in parts if part.diff_eq_names),
        )
    return ModelEquations(
        state=state,
        neuron=tuple(state_names(own)),
        held=tuple(name for name in state if "unless refractory" in whole[name].flags),
        units={name: unit_text(whole[name]) for name in state},
        inputs={name: unit_text(whole[name]) for name in sorted(inputs)},
        parameters={name: unit_text(whole[name]) for name in sorted(whole.parameter_names - inputs - {TIME_STEP})},
        systems=systems,
        unit_values=unit_values,
        subexpressions={name: whole[name].expr.code for name in sorted(whole.subexpr_names)},
        units_of_subexpressions={name: unit_text(whole[name]) for name in sorted(whole.subexpr_names)},
    )


def _check_kinds(equations: Any, model: NeuronModel) -> None:
    """Check the method, the refractory parameter, and that variables are of a kind that a step has."""
    from brian2.units import second

    if model.method not in METHODS:
        raise SpecError(f"unknown method {model.method!r}; {suggestion(model.method, METHODS)}")
    check_flags(equations, {"unless refractory"})
    if model.refractory is None:
        return
    if model.refractory not in equations.parameter_names:
        hint = suggestion(model.refractory, equations.parameter_names)
        raise SpecError(f"expected 'refractory' to name a parameter, found {model.refractory!r}; {hint}")
    if equations[model.refractory].dim is not second.dim:
        raise SpecError(f"expected the refractory period {model.refractory!r} in seconds, found another unit")


def _check_assigned(reset: Iterable[Assignment], state: tuple[str, ...]) -> None:
    for statement in reset:
        if statement.target not in state:
            hint = suggestion(statement.target, state)
            raise SpecError(f"expected a reset of state variables, found {statement.target!r}; {hint}")


def _check_units(equations: Any, threshold: Tree, reset: Iterable[Assignment], unit_values: dict[str, float]) -> None:
    variables = namespace_of(equations, unit_values)
    with unit_errors():
        check_equations(equations, variables)
        if not names_in(threshold) & (equations.diff_eq_names | equations.subexpr_names):
            raise SpecError(f'expected a threshold condition such as "v > V_th", found {render(threshold)!r}')
        check_condition(threshold, variables)
        check_statements(reset, variables)


_AMPERE = (("amp", 1.0),)


def _sum_of(currents: list[str]) -> Tree:
    """Return the sum of the receptors' currents."""
    tree: Tree = Name(currents[0]) if currents else Operation("*", (Number(0), Name("amp")))
    for current in currents[1:]:
        tree = Operation("+", (tree, Name(current)))
    return tree


def _time_step(lines: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """Return what declares the time step to Brian2, where it is used."""
    used = TIME_STEP in names_of(lines)
    return (Equation("declaration", TIME_STEP, None, (("second", 1.0),)),) if used else ()


def _rows(code: str) -> list[tuple[str, str]]:
    """Return the assignments of an integrator's code, which is Brian2's own."""
    rows = []
    for line in filter(str.strip, code.splitlines()):
        target, _, expression = line.partition("=")
        rows.append((target.strip(), expression.strip()))
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
