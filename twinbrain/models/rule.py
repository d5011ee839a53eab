"""The program of a plastic synapse: what every engine computes when a spike reaches it or leaves its target.

As for neurons, Brian2 parses the equations and checks their units; statements are rewritten (`algebra`), so that
synapses that differ cost no more than synapses that do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.language.lines import Assignment, Equation, check_definitions
from twinbrain.language.sizes import growth
from twinbrain.language.tree import Call, Name, Operation, names_in, render
from twinbrain.models import checks, in_weights, reading
from twinbrain.models.algebra import Hoister, Statement
from twinbrain.models.between_events import ELAPSED, solve
from twinbrain.models.brian import import_brian2
from twinbrain.models.equations import METHODS, ModelEquations
from twinbrain.models.in_weights import UNIT
from twinbrain.spec.plasticity import PlasticityModel
from twinbrain.spec.suggest import suggestion

WEIGHT = "w"
RELEASE = "release"
RELEASED = "_released"
LAST_UPDATE = "last_update"
MODULATOR_SPIKES = "modulator_spikes"
_EVENTS = ("on_event", "on_pre", "on_post", "on_modulator")
_OF_WEIGHTS = ((UNIT, 1.0),)
_BOUNDED = ("clip", "Abs", "int_")  # functions whose values are finite where their arguments are
_OWN_NAMES = (RELEASE, MODULATOR_SPIKES, LAST_UPDATE, ELAPSED, UNIT)


@dataclass(frozen=True)
class RuleProgram:
    """A plasticity rule, free of units (everything in the coherent set) and of parameters' names.

    Parameters
    ----------
    state : tuple of str
        Variables, one float64 a synapse; `WEIGHT` is the first. With `LAST_UPDATE` among them, it is the step to which
        ``advance`` has brought the others; `RELEASED` is the sum of what was released, and no number for ever once a
        release was none.
    units : dict of str to str
        Unit of each variable.
    parameters : dict of str to str
        Parameters of the equations and their units.
    in_weights : dict of str to float
        Variables and parameters whose unit holds ``weight``, or what that is, and its exponent in it.
    not_scaled : str
        An expression by which the rule is another where what is in the unit of weights is scaled, if there is one.
    constants : dict of str to str
        Constants of the program, each an expression of the parameters, ``dt`` and `UNIT_FACTOR`: what weights are
        multiplied by, with all that is written in their unit.
    apart : tuple of str
        Expressions like those of constants, which are positive where ``advance`` loses no digits.
    advance : tuple of Statement
        What time does: before each event over the `ELAPSED` steps since the last, or over one step.
    every_step : bool
        Whether ``advance`` is over one step, for every synapse in every step, and not before events.
    on_pre, on_post, on_modulator : tuple of Statement
        What spikes do, after what the rule does before each event; ``on_pre`` assigns `RELEASE`, ``on_modulator`` knows
        `MODULATOR_SPIKES`.
    bounds : tuple of Statement
        What a rule does before each event, if that only keeps variables within bounds: then it holds of what is read.
    """

    state: tuple[str, ...]
    units: dict[str, str]
    parameters: dict[str, str]
    in_weights: dict[str, float]
    not_scaled: str
    constants: dict[str, str]
    apart: tuple[str, ...]
    advance: tuple[Statement, ...]
    every_step: bool
    on_pre: tuple[Statement, ...]
    on_post: tuple[Statement, ...]
    on_modulator: tuple[Statement, ...]
    bounds: tuple[Statement, ...]


def rule_program(model: PlasticityModel, weight_unit: str, where: str = "") -> RuleProgram:
    """Return the program of a plasticity rule.

    Parameters
    ----------
    model : PlasticityModel
        The rule.
    weight_unit : str
        Unit of the receptor's weights.
    where : str, optional
        Named in errors.

    Raises
    ------
    SpecError
        If Brian2 rejects the equations, their units are wrong, or the method cannot integrate them.
    """
    try:
        return _rule_program(model.model_dump_json(), weight_unit)
    except SpecError as error:
        raise error.within(where) from None


@cache
def _rule_program(text: str, weight_unit: str) -> RuleProgram:
    model = PlasticityModel.model_validate_json(text)
    unit = units.base(weight_unit)
    equations = _checked(model, unit)
    hoister = Hoister(moving={*equations.state, ELAPSED, MODULATOR_SPIKES})
    every_step = model.method != "exact"
    advance, apart = (_integrate(equations, hoister), ()) if every_step else _solve(equations, hoister)
    timed = bool(advance) and not every_step
    events = {}
    summed = False
    for event in _EVENTS:
        code: list[Statement] = []
        for statement in reading.statements_of(getattr(model, event)):
            hoister.forget()
            expression = equations.sympy(statement.tree)
            code += hoister.assign(statement.target, expression)
            if statement.target == RELEASE and not _stays_finite(expression, equations.state):
                summed = True
                code.append(Statement(RELEASED, f"{RELEASED} + {RELEASE}"))
        events[event] = tuple(code)
    before = events.pop("on_event")
    lines = reading.equations_of(model.equations)
    statements = [found for event in _EVENTS for found in reading.statements_of(getattr(model, event))]
    of_weights = {WEIGHT: 1.0} | in_weights.exponents(lines, unit)
    known = {RELEASE: 1.0, MODULATOR_SPIKES: 0.0} | of_weights
    return RuleProgram(
        state=(*equations.state, *((RELEASED,) if summed else ()), *((LAST_UPDATE,) if timed else ())),
        units={**equations.units, **({RELEASED: unit} if summed else {}), **({LAST_UPDATE: "1"} if timed else {})},
        parameters=equations.parameters,
        in_weights=of_weights,
        not_scaled=in_weights.what_does_not_scale(lines, statements, known, unit),
        constants=dict(hoister.constants),
        apart=apart,
        advance=tuple(advance),
        every_step=every_step and bool(advance),
        **{event: before + code if code else () for event, code in events.items()},
        bounds=before if _only_bounds(reading.statements_of(model.on_event)) else (),
    )


def _only_bounds(statements: tuple[Assignment, ...]) -> bool:
    """Return whether statements keep variables within bounds, so that to carry them out again changes nothing."""
    targets = {statement.target for statement in statements}
    return all(
        isinstance(tree := statement.tree, Call)
        and tree.function == "clip"
        and tree.arguments[0] == Name(statement.target)
        and not targets & names_in(Operation("+", tree.arguments[1:]))
        for statement in statements
    )


def _stays_finite(expression: sympy.Expr, state: tuple[str, ...]) -> bool:
    """Return whether an expression is finite where the variables are, unless one overflows."""
    moving = {symbol for symbol in expression.free_symbols if symbol.name in state}
    functions, powers = (
        [part for part in expression.atoms(kind) if part.free_symbols & moving] for kind in (sympy.Function, sympy.Pow)
    )
    return all(function.func.__name__ in _BOUNDED for function in functions) and all(
        power.exp.is_Integer and power.exp > 0 for power in powers
    )


def _solve(equations: ModelEquations, hoister: Hoister) -> tuple[list[Statement], tuple[str, ...]]:
    """Return what brings a synapse from its last event to the present; see `solve`."""
    system = equations.systems[0][0]
    rates = {name: equations.sympy(system[name].expr.code) for name in equations.neuron}
    return solve(rates, set(equations.state) - set(rates), hoister)


def _integrate(equations: ModelEquations, hoister: Hoister) -> list[Statement]:
    """Return one step of Brian2's integrator."""
    code: list[Statement] = []
    for target, expression in equations.update():
        target = f"_new_{target}" if target in equations.state else target
        code += hoister.assign(target, equations.sympy(expression))
    updated = [name for name in equations.state if any(s.target == f"_new_{name}" for s in code)]
    return [*code, *(Statement(name, f"_new_{name}") for name in updated)]


def _checked(model: PlasticityModel, weight: str) -> ModelEquations:
    """Return the equations after every check; ``neuron`` holds the variables with an equation."""
    import_brian2()
    code = {event: reading.statements_of(getattr(model, event)) for event in _EVENTS}
    lines = reading.equations_of(model.equations)
    moving = tuple(reading.state_names(lines))
    own = {line.name for line in lines}
    if taken := sorted(own & {*_OWN_NAMES, *({WEIGHT} - set(moving))}):
        raise SpecError(f"expected names that the synapse does not have already, found {taken[0]!r}; rename it")
    if WEIGHT not in moving:
        lines += (Equation("declaration", WEIGHT, None, _OF_WEIGHTS),)
    lines += (
        Equation("declaration", RELEASE, None, _OF_WEIGHTS),
        Equation("declaration", MODULATOR_SPIKES, None, ()),
        Equation("declaration", UNIT, None, _OF_WEIGHTS),
    )
    whole = reading.brian_equations(lines, {UNIT: weight})
    known = check_definitions(lines)
    for statements in code.values():
        for statement in statements:
            growth(statement.tree, known)
    used = reading.names_of(lines).union(*(names_in(s.tree) for statements in code.values() for s in statements))
    if taken := sorted(name for name in used | own if name.endswith(("_pre", "_post"))):
        raise SpecError(
            f"expected variables of the synapse alone, found {taken[0]!r}, which in Brian2 is one of a neuron's; "
            "use another name, and no variables of neurons"
        )
    assigned = _check_code(code, whole, moving)
    trees = (*(line.tree for line in lines if line.tree), *(s.tree for statements in code.values() for s in statements))
    in_weights.check_numbers(trees, weight)
    unit_values = checks.sizes_of_units(whole, used)
    if model.method not in METHODS:
        raise SpecError(f"unknown method {model.method!r}; {suggestion(model.method, METHODS)}")
    checks.check_flags(whole, {"event-driven"})
    variables = checks.namespace_of(whole, unit_values)
    with checks.unit_errors():
        checks.check_equations(whole, variables)
        for statements in code.values():
            checks.check_statements(statements, variables)
    state = tuple(dict.fromkeys((WEIGHT, *moving, *assigned)))
    parameters = whole.parameter_names - {*state, RELEASE, MODULATOR_SPIKES, UNIT}
    return ModelEquations(
        state=state,
        neuron=moving,
        held=(),
        units={name: reading.unit_text(whole[name]) for name in state},
        inputs={MODULATOR_SPIKES: "1"},
        parameters={name: reading.unit_text(whole[name]) for name in sorted(parameters)},
        systems=((reading.differential_part(whole, set(moving)), model.method),),
        unit_values=unit_values | {UNIT: units.coherent_factor(weight)},
        subexpressions={name: whole[name].expr.code for name in sorted(whole.subexpr_names)},
        scaled=(UNIT, *_scaled(unit_values, whole)),
    )


def _check_code(code: dict[str, tuple[Assignment, ...]], equations: Any, moving: tuple[str, ...]) -> list[str]:
    """Check what statements assign and read; return the variables that they assign."""
    known = {*moving, *equations.parameter_names} - {RELEASE, MODULATOR_SPIKES, UNIT}
    assigned = []
    for event, statements in code.items():
        for statement in statements:
            target, used = statement.target, names_in(statement.tree)
            if target == RELEASE and event == "on_pre":
                pass
            elif target not in known:
                hint = suggestion(target, known)
                raise SpecError(
                    f"{event}: expected an assignment to a variable of the synapse, found {target!r}; {hint}"
                )
            else:
                assigned.append(target)
            if RELEASE in used:
                raise SpecError(
                    f"{event}: expected {RELEASE!r} to be assigned alone, found it in {render(statement.tree)!r}"
                )
            if MODULATOR_SPIKES in used and event != "on_modulator":
                raise SpecError(f"{event}: expected {MODULATOR_SPIKES!r} in 'on_modulator' alone, found it here")
    return assigned


def _scaled(names: Iterable[str], equations: Any) -> tuple[str, ...]:
    """Return those units that weights may be given in."""
    from brian2.core.namespace import DEFAULT_UNITS

    return tuple(name for name in names if DEFAULT_UNITS[name].dim is equations[WEIGHT].dim)
