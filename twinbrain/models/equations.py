"""Equations of a neuron and its receptors, checked and combined."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twinbrain.errors import SpecError
from twinbrain.models.brian import import_brian2
from twinbrain.models.checks import (
    FUNCTIONS,
    check_equations,
    check_flags,
    check_statements,
    namespace_of,
    sizes_of_units,
    unit_errors,
)
from twinbrain.models.reading import (
    TIME_STEP,
    brian_names,
    differential_part,
    parse,
    state_names,
    statements,
    unit_text,
    uses_time_step,
    variables_of,
    with_time_step,
)
from twinbrain.spec.base import suggestion
from twinbrain.spec.model import NeuronModel, ReceptorModel

METHODS = ("exact", "linear", "exponential_euler", "euler", "rk2", "rk4")
"""Names of the integrators, which are Brian2's."""


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
                    equations, variables_of(equations), method, group_name="model"
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
        converted = str_to_sympy(brian_names(expression))
        names = {"Abs" if name == "abs" else "int_" if name == "int" else name for name in FUNCTIONS}
        for function in sorted(converted.atoms(sympy.Function), key=str):
            if function.func.__name__ not in names:
                raise SpecError(
                    f"expected one of the functions {', '.join(FUNCTIONS)}, found {function}; write it otherwise"
                )
        # Brian2 takes dt for positive; here it is a name like any other.
        plain = {s: sympy.Symbol("dt" if s.name == TIME_STEP else s.name, real=True) for s in converted.free_symbols}
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
    neuron_text = f"{brian_names(model.equations)}\nI_syn = {currents} : amp\n"
    receptor_texts = {name: with_time_step(f"{brian_names(r.equations)}\n") for name, r in receptors.items()}
    of_step = f"{TIME_STEP} : second\n" if any(map(uses_time_step, receptor_texts.values())) else ""
    whole = parse(neuron_text + "".join(receptor_texts.values()) + of_step)
    # In the order of the text: Brian2 keeps none, and compiled code is found again by its text.
    state = tuple(state_names(neuron_text + "".join(receptor_texts.values())))
    inputs = set()
    for name, receptor in receptors.items():
        if receptor.jump in parse(receptor_texts[name]).parameter_names:
            inputs.add(receptor.jump)
        elif receptor.jump not in state:
            raise SpecError(
                f"receptor {name!r}: expected 'jump' to name a variable of its equations or of the neuron's, found "
                f"{receptor.jump!r}; {suggestion(receptor.jump, state)}"
            )
    unit_values = sizes_of_units(whole, f"{model.threshold}\n{model.reset}")
    _check_kinds(whole, model)
    _check_assigned(model, state)
    _check_units(whole, model, unit_values)
    if model.method in ("exact", "linear"):
        systems: tuple[tuple[Any, str], ...] = ((differential_part(whole, set(state)), "exact"),)
    else:
        own = [parse(text + (of_step if uses_time_step(text) else "")) for text in receptor_texts.values()]
        systems = (
            (differential_part(whole, set(state_names(neuron_text))), model.method),
            *((differential_part(part, set(part.diff_eq_names)), "exact") for part in own if part.diff_eq_names),
        )
    return ModelEquations(
        state=state,
        neuron=tuple(state_names(neuron_text)),
        held=tuple(name for name in state if "unless refractory" in whole[name].flags),
        units={name: unit_text(whole[name]) for name in state},
        inputs={name: unit_text(whole[name]) for name in sorted(inputs)},
        parameters={name: unit_text(whole[name]) for name in sorted(whole.parameter_names - inputs - {TIME_STEP})},
        systems=systems,
        unit_values=unit_values,
        subexpressions={name: whole[name].expr.code for name in sorted(whole.subexpr_names)},
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


def _check_assigned(model: NeuronModel, state: tuple[str, ...]) -> None:
    for target, _ in statements(model.reset):
        if target not in state:
            raise SpecError(f"expected a reset of state variables, found {target!r}; {suggestion(target, state)}")


def _check_units(equations: Any, model: NeuronModel, unit_values: dict[str, float]) -> None:
    from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
    from brian2.utils.stringtools import get_identifiers

    variables = namespace_of(equations, unit_values)
    with unit_errors():
        check_equations(equations, variables)
        threshold = brian_names(model.threshold)
        moving = equations.diff_eq_names | equations.subexpr_names
        if not is_boolean_expression(threshold, variables) or not get_identifiers(threshold) & moving:
            raise SpecError(f'expected a threshold condition such as "v > V_th", found {model.threshold!r}')
        parse_expression_dimensions(threshold, variables)
        check_statements(model.reset, variables)


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
