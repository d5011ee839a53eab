"""Fill a block: the constants of its program and its initial state, neuron by neuron."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from twinbrain.errors import Problem, SpecError, UnitError
from twinbrain.models.step import REFRACTORY_LEFT, REFRACTORY_STEPS, StepProgram
from twinbrain.network.grouping import defined_names
from twinbrain.network.layout import Layout
from twinbrain.network.limits import with_limits
from twinbrain.network.network import PopulationSlice
from twinbrain.network.random import Floats, stream_key
from twinbrain.network.ranges import check_terms, of_both, range_problems
from twinbrain.network.sampling import coherent_values, sample
from twinbrain.spec.cell import Cell
from twinbrain.spec.drive import INJECTED
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.model import NeuronModel
from twinbrain.spec.quantity import Value
from twinbrain.spec.ranges import parse_range
from twinbrain.spec.suggest import suggestion

Values = Mapping[str, Value]
Draw = Callable[[str, Value, str], Floats]

# Units of time constants and capacitances, which are not negative where a model does not say more of their range.
_NOT_NEGATIVE = ("ms", "pF")


def fill_block(
    layout: Layout, block: int, program: StepProgram, dt: float, seed: int
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the constants and the initial state of a block.

    Parameters
    ----------
    layout : Layout
        Of the whole brain.
    block : int
        Which block.
    program : StepProgram
        Its program.
    dt : float (ms)
        Time step.
    seed : int
        Keys the draws.

    Returns
    -------
    constants, initial : dict of str to ndarray of float64, shape (size,)

    Raises
    ------
    SpecError
        With every parameter that is unknown, missing, of a wrong unit, or leads to a constant that is not finite.
    """
    size = layout.blocks[block].size
    constants = {name: np.empty(size) for name in program.constants}
    initial = {name: np.zeros(size) for name in program.state}
    problems: list[Problem] = []
    regions = dict(zip(layout.connectome.labels, layout.regions, strict=True))
    failed: set[tuple[str, str]] = set()
    for population in layout.populations:
        if population.block != block or not layout.is_built(population):
            continue
        if (population.region, population.population) in failed:
            continue
        cell = regions[population.label].cell_of(population.population)
        filler = _Filler(layout, program, cell, population, dt, seed)
        here = slice(population.offset, population.offset + population.size)
        for whole, fill in ((constants, filler.constants), (initial, filler.initial)):
            try:
                for name, values in fill().items():
                    whole[name][here] = values
            except SpecError as error:
                # The same population of another node has the same fault; one report is enough.
                failed.add((population.region, population.population))
                found = error.within(f"region {population.region}: population {population.population}").problems
                problems += [problem for problem in found if problem not in problems]
    if problems:
        raise SpecError(problems)
    return constants, initial


def population_parameters(
    layout: Layout, population: PopulationSlice, program: StepProgram, dt: float, seed: int
) -> dict[str, Floats]:
    """Return the parameters of a population's neurons, as `fill_block` draws them.

    Returns
    -------
    dict of str to ndarray of float64, shape (size,)
        In coherent units.

    Raises
    ------
    SpecError
        With every parameter that is unknown, missing or of a wrong unit.
    """
    region = layout.regions[layout.connectome.labels.index(population.label)]
    cell = region.cell_of(population.population)
    return _Filler(layout, program, cell, population, dt, seed).parameters()


def program_constants(
    program: StepProgram, model: NeuronModel, parameters: dict[str, Floats], dt: float, size: int
) -> dict[str, Floats]:
    """Return the constants that parameters give a program.

    Parameters
    ----------
    program : StepProgram
        The program.
    model : NeuronModel
        Its neuron model, which names the refractory period.
    parameters : dict of str to ndarray of float64, shape (size,)
        In coherent units.
    dt : float (ms)
        Time step.
    size : int
        Number of neurons.

    Raises
    ------
    SpecError
        If a constant is not finite, or a refractory period is lost in the steps.
    """
    namespace: dict[str, Floats | float] = {"dt": np.float64(dt), **parameters}
    if model.refractory:
        period = np.asarray(parameters[model.refractory])
        steps = np.floor(period / dt + 0.5)
        if (lost := (period > 0) & (steps < 1)).any():
            found = f"{np.broadcast_to(period, lost.shape)[lost][0]:g} ms"
            message = f"expected 0 ms, or half a step of {dt:g} ms at least, found {found}; it would be no step at all"
            raise SpecError([Problem(f"parameters.{model.refractory}", message)])
        namespace[REFRACTORY_STEPS] = steps
    return {
        name: np.broadcast_to(evaluate(text, namespace, program.parameters), (size,))
        for name, text in program.constants.items()
    }


class _Filler:
    """The constants and the initial state of one population."""

    def __init__(
        self, layout: Layout, program: StepProgram, cell: Cell, population: PopulationSlice, dt: float, seed: int
    ) -> None:
        self.layout, self.block = layout, layout.blocks[population.block]
        self.program, self.cell = program, cell
        self.population, self.dt, self.seed = population, dt, seed
        # Receptors of other cells in the block do nothing here, and their names mean nothing.
        own = {*cell.receptors, *INJECTED}
        self.receptors = {name: receptor for name, receptor in self.block.receptors.items() if name in own}
        others = self.block.receptors.keys() - own
        self.foreign = set().union(*(defined_names(self.block.receptors[name]) for name in others))

    def constants(self) -> dict[str, Floats]:
        return program_constants(self.program, self.block.model, self.parameters(), self.dt, self.population.size)

    def parameters(self) -> dict[str, Floats]:
        defaults: dict[str, Value] = {**self.block.model.parameters}
        for receptor in self.block.receptors.values():
            defaults |= receptor.parameters
        check_terms(self._ranges, self.program.parameters | self.program.units)
        units = self.program.parameters
        own = {name: unit for name, unit in units.items() if name not in self.foreign}
        found = fill_parameters(self.cell.parameters, defaults, own, self._sample, self._ranges)
        for name in self.foreign & units.keys():
            value = defaults[name] if name in defaults else self._of_others(name)
            if isinstance(value, Explicit):
                found[name] = np.resize(coherent_values(value, units[name]), self.population.size)
            else:
                found[name] = self._sample(f"parameter {name}", value, units[name])
        return {name: found[name] for name in units}

    def _of_others(self, name: str) -> Value:
        """Return what another cell of the block gives a parameter: of no effect here, but its constants are finite."""
        regions = dict(zip(self.layout.connectome.labels, self.layout.regions, strict=True))
        for population in self.layout.populations:
            given = regions[population.label].cell_of(population.population).parameters
            if population.block == self.population.block and name in given:
                return given[name]
        unit = self.program.parameters[name]
        return 1.0 if unit == "1" else f"1 {unit}"  # that it is missing is told of the cells that list it

    @property
    def _ranges(self) -> tuple[str, ...]:
        of_receptors = (text for receptor in self.receptors.values() for text in receptor.ranges)
        return (*self.block.model.ranges, *of_receptors)

    def initial(self) -> dict[str, Floats]:
        values: Values = {**self.block.model.initial, **self.cell.initial}
        own = [name for name in self.program.state if name != REFRACTORY_LEFT and name not in self.foreign]
        units = {name: self.program.units[name] for name in own}
        found = fill_initial(values, units, self._sample, self._ranges)
        if both := of_both(self._ranges, self.program.parameters):
            beside = {**self.parameters(), **found}
            if problems := range_problems(both, beside, self.program.parameters | units, "initial"):
                raise SpecError(problems)
        return found

    def _sample(self, what: str, value: Value, unit: str) -> Floats:
        key = stream_key(self.seed, what, self.population.label, self.population.population)
        return sample(value, unit, self.population.size, key)


def fill_parameters(
    given: Values, defaults: Values, units: dict[str, str], draw: Draw, ranges: Iterable[str] = ()
) -> dict[str, Floats]:
    """Return the values of parameters.

    Parameters
    ----------
    given, defaults : dict of str to value
        What is declared, and what stands for what is not.
    units : dict of str to str
        All parameters, and their units.
    draw : callable
        Given the name of a stream, a value and a unit, returns numbers in the coherent unit.
    ranges : iterable of str
        What has to hold of them; see `twinbrain.spec.ranges`.

    Raises
    ------
    SpecError
        With every parameter that is unknown, missing, of a wrong unit or out of its range.
    """
    values = {**defaults, **given}
    problems = [
        Problem(f"parameters.{name}", f"unknown parameter {name!r}; {suggestion(name, units)}")
        for name in given
        if name not in units
    ]
    ranges = tuple(ranges)
    with_range = {name for text in ranges for name in parse_range(text).names}
    found: dict[str, Floats] = {}
    for name, unit in units.items():
        if name not in values:
            problems.append(Problem(f"parameters.{name}", f"expected a value in {unit}, found none; give one"))
            continue
        try:
            found[name] = draw(f"parameter {name}", values[name], unit)
            if name in with_range:
                continue
            if unit in _NOT_NEGATIVE and (lowest := float(np.min(found[name], initial=np.inf))) < 0:
                problems.append(
                    Problem(
                        f"parameters.{name}",
                        f'expected at least 0 {unit}, found {lowest:g} {unit}; give it a "min"',
                    )
                )
        except (UnitError, SpecError) as error:
            problems += error.within(f"parameters.{name}").problems
    problems += range_problems(ranges, found, units, "parameters")
    if problems:
        raise SpecError(problems)
    return found


def fill_initial(values: Values, units: dict[str, str], draw: Draw, ranges: Iterable[str] = ()) -> dict[str, Floats]:
    """Return the values of variables at time zero; see `fill_parameters`.

    Raises
    ------
    SpecError
        With every variable that is unknown, of a wrong unit or out of its range.
    """
    problems: list[Problem] = []
    found: dict[str, Floats] = {}
    for name, value in values.items():
        try:
            if name not in units:
                raise SpecError(f"unknown state variable {name!r}; {suggestion(name, units)}")
            found[name] = draw(f"initial {name}", value, units[name])
        except SpecError as error:
            problems += error.within(f"initial.{name}").problems
    problems += range_problems(ranges, found, units, "initial")
    if problems:
        raise SpecError(problems)
    return found


def evaluate(expression: str, namespace: Mapping[str, Floats | float], units: dict[str, str]) -> Floats:
    """Return the values of a program's constant.

    Parameters
    ----------
    expression : str
        In terms of parameters and the time step.
    namespace : dict of str to ndarray or float
        Their values.
    units : dict of str to str
        Of the parameters.

    Raises
    ------
    SpecError
        If one is not finite.
    """
    values = with_limits(expression, namespace, _FUNCTIONS)
    if not np.isfinite(values).all():
        used = sorted(set(re.findall(r"\w+", expression)) & set(units))
        raise SpecError(
            [
                Problem(
                    f"parameters.{', '.join(used)}",
                    "expected values that give finite constants, found some that divide by zero or overflow "
                    f"in {expression}",
                )
            ]
        )
    return values


def _exprel(x: Floats) -> Floats:
    return np.where(x == 0.0, 1.0, np.expm1(x) / np.where(x == 0.0, 1.0, x))


_FUNCTIONS: dict[str, Callable[..., Any] | float] = {
    "e": np.e,
    **{
        name: getattr(np, name)
        for name in (
            *("exp", "expm1", "log", "log1p", "log10", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
            *("sinh", "cosh", "tanh", "abs", "floor", "ceil", "sign"),
        )
    },
    "int": lambda condition: np.where(condition, 1.0, 0.0),
    "exprel": _exprel,
    # As in steps, also where low is above high.
    "clip": lambda x, low, high: np.where(x > high, high, np.where(x < low, low, x)),
}
