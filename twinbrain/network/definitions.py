"""What a region defines and none of its populations has: checked too, so that a file is right as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from twinbrain.errors import Problem, SpecError
from twinbrain.language.lines import read_equations
from twinbrain.language.tree import names_in
from twinbrain.models.library import neuron_model
from twinbrain.models.rule import rule_program
from twinbrain.models.step import step_program
from twinbrain.network.build import block_programs, check_parameters
from twinbrain.network.layout import lay_out
from twinbrain.network.quanta import receptor_quanta, weight_units
from twinbrain.spec.brain import Brain, single_region_brain
from twinbrain.spec.cell import Cell
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.population import Population
from twinbrain.spec.ports import Ports
from twinbrain.spec.region import Region

_Definition = TypeVar("_Definition")
_WEIGHT_UNITS = ("nS", "pA", "mV", "1")


def check_definitions(brain: Brain, *, dt: float) -> None:
    """Check the cells, models, receptors and plasticity rules that regions define and nothing in them uses.

    Parameters
    ----------
    brain : Brain
        Whose regions are checked, each by itself.
    dt : float (ms)
        Time step.

    Raises
    ------
    SpecError
        With everything that is wrong.
    """
    problems: list[Problem] = []
    for region in {region.name: region for region in brain.regions.values()}.values():
        problems += [problem.within(f"region {region.name}") for problem in _problems(region)]
        if (idle := _idle_cells(region)) is not None:
            try:
                _check_cells(single_region_brain(idle), dt)
            except SpecError as error:
                problems += error.problems
    if problems:
        raise SpecError(problems)


def _check_cells(brain: Brain, dt: float) -> None:
    layout = lay_out(brain, brain.connectome)
    quanta = receptor_quanta(brain, layout, (), weight_units(block_programs(layout)))
    check_parameters(layout, quanta, dt=dt, seed=0)


def _idle_cells(region: Region) -> Region | None:
    """Return a region whose populations have the cells that no population of this one has; None if there are none."""
    used = {population.cell for population in region.populations.values()}
    populations = {
        f"cell_{i}": Population(cell=name, size=_size(cell))
        for i, (name, cell) in enumerate(region.cells.items())
        if name not in used
    }
    left_out = {"projections": (), "drives": (), "ports": Ports(), "expected": {}, "lost": {}}
    return region.model_copy(update={"populations": populations, **left_out}) if populations else None


def _problems(region: Region) -> Iterator[Problem]:
    """Yield what is wrong with models, receptors and plasticity rules that nothing in a region uses."""
    cells = region.cells.values()
    for name, model in _others(region.models, (cell.model for cell in cells)):
        yield from _unless_one_works(f"models.{name}", [partial(step_program, model, _named_in(model, region))])
    models = [neuron_model("lif_conductance"), *region.models.values()]
    for name, receptor in _others(region.receptors, (name for cell in cells for name in cell.receptors)):
        tried = [partial(step_program, model, {name: receptor}) for model in models]
        yield from _unless_one_works(f"receptors.{name}", tried)
    rules = (projection.plasticity.model for projection in region.projections if projection.plasticity)
    for name, rule in _others(region.plasticity, rules):
        yield from _unless_one_works(f"plasticity.{name}", [partial(rule_program, rule, u) for u in _WEIGHT_UNITS])


def _others(definitions: Mapping[str, _Definition], used: Iterable[str]) -> list[tuple[str, _Definition]]:
    names = set(used)
    return [(name, definition) for name, definition in definitions.items() if name not in names]


def _unless_one_works(where: str, tried: Iterable[Callable[[], object]]) -> Iterator[Problem]:
    """Yield the problems of the first way to use a definition, unless there is one in which it can be used."""
    problems: Iterable[Problem] = ()
    for use in tried:
        try:
            use()
        except SpecError as error:
            problems = problems or error.within(where).problems
        else:
            return
    yield from problems


def _named_in(model: NeuronModel, region: Region) -> dict[str, ReceptorModel]:
    """Return the region's own receptors of whose variables a neuron's equations take notice."""
    names = {name for line in read_equations(model.equations) if line.tree is not None for name in names_in(line.tree)}
    return {
        name: receptor
        for name, receptor in region.receptors.items()
        if names & {line.name for line in read_equations(receptor.equations)}
    }


def _size(cell: Cell) -> int:
    """Return how many neurons a population of a cell may have: as many as there are explicit values."""
    given = [*cell.parameters.values(), *cell.initial.values()]
    return max((len(value) for value in given if isinstance(value, Explicit)), default=1)
