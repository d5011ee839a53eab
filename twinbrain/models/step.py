"""The step of a model: what every engine computes for a neuron in one time step.

The arithmetic is Brian2's: its integrators turn the equations into code, and that code is rewritten (`algebra`), not
derived anew. A step is, in this order: the receptors take the inbox, refractoriness counts down, neuron and receptors
are integrated, the threshold is tested, neurons that spike are reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sympy

from twinbrain.errors import SpecError
from twinbrain.models.algebra import Hoister, Statement
from twinbrain.models.equations import ModelEquations, combine
from twinbrain.models.reading import condition_of, statements_of
from twinbrain.models.remembered import remembered
from twinbrain.spec.model import NeuronModel, ReceptorModel

REFRACTORY_LEFT = "refractory_left"
REFRACTORY_STEPS = "refractory_steps"


@dataclass(frozen=True)
class StepProgram:
    """A model's step, free of units (everything in the coherent set) and of parameters' names.

    Parameters
    ----------
    state : tuple of str
        State variables, one float64 a neuron.
    jumps : dict of str to str
        For each receptor, the variable that takes its inbox.
    units : dict of str to str
        Unit of each state variable, and of each variable that takes an inbox.
    parameters : dict of str to str
        Parameters of the equations and their units.
    constants : dict of str to str
        Constants of the program, one float64 a neuron, each an expression of the parameters, ``dt`` and
        `REFRACTORY_STEPS`.
    integrate, reset : tuple of Statement
        Statements; in ``integrate`` every ``inbox_<receptor>`` is an integer and ``quantum_<receptor>`` its unit.
    threshold : str
        Condition of a spike, after ``integrate``; where there is `REFRACTORY_LEFT`, that must be 0 besides.
    """

    state: tuple[str, ...]
    jumps: dict[str, str]
    units: dict[str, str]
    parameters: dict[str, str]
    constants: dict[str, str]
    integrate: tuple[Statement, ...]
    threshold: str
    reset: tuple[Statement, ...]


def step_program(model: NeuronModel, receptors: dict[str, ReceptorModel], where: str = "") -> StepProgram:
    """Return the step of a neuron model with receptors.

    Parameters
    ----------
    model : NeuronModel
        The neuron.
    receptors : dict of str to ReceptorModel
        Its receptors by name.
    where : str, optional
        Named in errors.

    Raises
    ------
    SpecError
        If Brian2 rejects the equations, their units are wrong, or the method cannot integrate them.
    """
    key = (model.model_dump_json(), tuple((name, r.model_dump_json()) for name, r in receptors.items()))
    try:
        return _remembered(key)
    except SpecError as error:
        raise error.within(where) from None


_Key = tuple[str, tuple[tuple[str, str], ...]]


@cache
def _remembered(key: _Key) -> StepProgram:
    return remembered(StepProgram, repr(key), lambda: _step_program(key))


def _step_program(key: _Key) -> StepProgram:
    model = NeuronModel.model_validate_json(key[0])
    receptors = {name: ReceptorModel.model_validate_json(text) for name, text in key[1]}
    equations = combine(model, receptors)
    hoister = Hoister(moving={*equations.state, REFRACTORY_LEFT})
    before, after = _take_inbox(receptors, equations)
    hoister.moving |= {statement.target for statement in before}
    integrate = [*before]
    held = equations.held if model.refractory else ()
    if model.refractory:
        integrate.append(
            Statement(REFRACTORY_LEFT, f"select({REFRACTORY_LEFT} > 0.0, {REFRACTORY_LEFT} + (-1.0), 0.0)")
        )
    for target, expression in equations.update():
        if target in equations.state:
            target = f"_new_{target}"
        integrate += hoister.assign(target, equations.sympy(expression))
    integrate += _while_held(equations, hoister) if held else ()
    assigned = {statement.target for statement in integrate}
    for name in equations.state:
        if f"_new_{name}" in assigned:
            value = f"_new_{name}"
            if name in held or f"_held_{name}" in assigned:
                value = f"select({REFRACTORY_LEFT} > 0.0, {name if name in held else f'_held_{name}'}, {value})"
            integrate.append(Statement(name, value))
    for jump in after:
        kept = f"select({REFRACTORY_LEFT} > 0.0, {jump.target}, {jump.expression})"
        integrate.append(Statement(jump.target, kept) if jump.target in held else jump)
    hoister.forget()
    needed, threshold = hoister.condition(equations.sympy(condition_of(model.threshold)))
    integrate += needed
    reset: list[Statement] = []
    for statement in statements_of(model.reset):
        hoister.forget()
        reset += hoister.assign(statement.target, equations.sympy(statement.tree))
    if model.refractory:
        reset.append(Statement(REFRACTORY_LEFT, REFRACTORY_STEPS))
        hoister.constants[REFRACTORY_STEPS] = REFRACTORY_STEPS
    return StepProgram(
        state=(*equations.state, *((REFRACTORY_LEFT,) if model.refractory else ())),
        jumps={name: receptor.jump for name, receptor in receptors.items()},
        units={**equations.units, **equations.inputs, **({REFRACTORY_LEFT: "1"} if model.refractory else {})},
        parameters=equations.parameters,
        constants=dict(hoister.constants),
        integrate=tuple(integrate),
        threshold=threshold,
        reset=tuple(reset),
    )


def _while_held(equations: ModelEquations, hoister: Hoister) -> list[Statement]:
    """Return what variables become that are not held, yet depend on some that are: ``_held_<name>``."""
    code: list[Statement] = []
    renamed: dict[sympy.Symbol, sympy.Symbol] = {}
    for target, expression in equations.update_while_held():
        code += hoister.assign(f"_held_{target}", equations.sympy(expression).xreplace(renamed))
        if target not in equations.state:
            renamed[sympy.Symbol(target, real=True)] = sympy.Symbol(f"_held_{target}", real=True)
    return code


def _take_inbox(
    receptors: dict[str, ReceptorModel], equations: ModelEquations
) -> tuple[list[Statement], list[Statement]]:
    """Return how the receptors take their inbox before the integration, and after it."""
    before: list[Statement] = []
    after: list[Statement] = []
    for name, receptor in receptors.items():
        amount = f"inbox_{name}*quantum_{name}"
        if receptor.jump in equations.inputs:
            before.append(Statement(receptor.jump, amount))
        else:
            statement = Statement(receptor.jump, f"{receptor.jump} + {amount}")
            (after if receptor.jump in equations.neuron else before).append(statement)
    return before, after
