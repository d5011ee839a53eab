"""Variables that follow from the state, such as a receptor's current: nothing integrates them, but they can be read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

import sympy

from twinbrain.models.algebra import Hoister, Statement
from twinbrain.models.equations import ModelEquations, combine
from twinbrain.models.remembered import remembered
from twinbrain.spec.model import NeuronModel, ReceptorModel

Receptors = dict[str, ReceptorModel]
_Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Observed:
    """How a variable follows from the state, free of units and of parameters' names.

    Parameters
    ----------
    reads : tuple of str
        State variables that it follows from.
    unit : str
        Its unit.
    constants : dict of str to str
        For each constant, its expression in terms of parameters.
    statements : tuple of Statement
        What is computed; the last gives the variable its value.
    """

    reads: tuple[str, ...]
    unit: str
    constants: dict[str, str]
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class ObservedNames:
    """The variables of a neuron and its receptors that follow from the state."""

    names: tuple[str, ...]


def observed_names(model: NeuronModel, receptors: Receptors) -> tuple[str, ...]:
    """Return the names of all variables of a neuron and its receptors that `observed` gives."""
    return _observed_names(_key(model, receptors)).names


def observed(model: NeuronModel, receptors: Receptors, name: str) -> Observed:
    """Return how a variable of `observed_names` follows from the state."""
    return _observed(_key(model, receptors), name)


@cache
def _observed_names(key: _Key) -> ObservedNames:
    return remembered(ObservedNames, repr(key), partial(_derive_names, key))


@cache
def _observed(key: _Key, name: str) -> Observed:
    return remembered(Observed, repr((key, name)), partial(_derive, key, name))


def _derive_names(key: _Key) -> ObservedNames:
    equations = _equations(*key)
    return ObservedNames(
        tuple(name for name in equations.subexpressions if _reads(equations, _expression(equations, name)))
    )


def _derive(key: _Key, name: str) -> Observed:
    equations = _equations(*key)
    expression = _expression(equations, name)
    hoister = Hoister(moving=set(equations.state))
    statements = tuple(hoister.assign(name, expression))
    unit = equations.units_of_subexpressions[name]
    return Observed(_reads(equations, expression), unit, dict(hoister.constants), statements)


def _expression(equations: ModelEquations, name: str) -> sympy.Expr:
    """Return a variable in terms of what has a value between steps: what is injected in a step alone is left out."""
    inputs = {sympy.Symbol(given, real=True): sympy.Integer(0) for given in equations.inputs}
    expression: sympy.Expr = equations.sympy(name).xreplace(inputs)
    return expression


def _reads(equations: ModelEquations, expression: sympy.Expr) -> tuple[str, ...]:
    found = {symbol.name for symbol in expression.free_symbols}
    return tuple(state for state in equations.state if state in found)


def _key(model: NeuronModel, receptors: Receptors) -> _Key:
    return model.model_dump_json(), tuple((name, r.model_dump_json()) for name, r in receptors.items())


@cache
def _equations(model: str, receptors: tuple[tuple[str, str], ...]) -> ModelEquations:
    parsed = {name: ReceptorModel.model_validate_json(text) for name, text in receptors}
    return combine(NeuronModel.model_validate_json(model), parsed)
