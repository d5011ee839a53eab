"""Lower what is to be sampled to probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from twinbrain.errors import Problem, SpecError
from twinbrain.models.observed import observed, observed_names
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram, step_program
from twinbrain.network.layout import BlockLayout, Layout
from twinbrain.network.network import PopulationSlice, Probe
from twinbrain.network.parameters import fill_block
from twinbrain.spec.labels import matching
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.suggest import suggestion


def lower_probes(record: Record, layout: Layout, programs: tuple[StepProgram, ...], dt: float) -> Iterator[Probe]:
    """Return the probes of a record that `check_record` has passed: for each variable, one a block.

    Constants of variables that follow from the state are left out; see `with_constants`.
    """
    for i, wanted in enumerate(record.state):
        matching = filter(layout.is_built, _matching(wanted, layout))
        able = [p for p in matching if wanted.variable in _variables(layout.blocks[p.block], programs[p.block])]
        for block in sorted({p.block for p in able}):
            places = [
                p.offset + np.array(numbers, np.int32)
                for p in able
                if p.block == block and (numbers := wanted.chosen(p.size))
            ]
            if not places:
                continue
            program, of = programs[block], layout.blocks[block]
            followed = None if wanted.variable in program.state else observed(of.model, of.receptors, wanted.variable)
            yield Probe(
                name=f"{i}_{wanted.variable}_{of.name}",
                block=block,
                variable=wanted.variable,
                unit=program.units[wanted.variable] if followed is None else followed.unit,
                places=np.concatenate(places).astype(np.int32),
                every=max(1, round(wanted.interval / dt)),
                observed=followed,
            )


def with_constants(probe: Probe, layout: Layout, programs: tuple[StepProgram, ...], dt: float, seed: int) -> Probe:
    """Return a probe with the constants of a variable that follows from the state, as ``seed`` draws them."""
    if probe.observed is None:
        return probe
    program = replace(programs[probe.block], constants=probe.observed.constants)
    constants, _ = fill_block(layout, probe.block, program, dt, seed)
    return replace(probe, constants={name: values[probe.places] for name, values in constants.items()})


def _variables(block: BlockLayout, program: StepProgram) -> tuple[str, ...]:
    """Return the variables of a block that can be sampled."""
    return (*program.state, *observed_names(block.model, block.receptors))


def check_record(record: Record, layout: Layout) -> None:
    """Check that every population and variable to be sampled exists.

    Raises
    ------
    SpecError
        With everything that does not.
    """
    problems = []
    for i, wanted in enumerate(record.state):
        found = _matching(wanted, layout)
        if not found:
            names = {p.population for p in layout.populations}
            problems.append(
                Problem(
                    f"record.state[{i}]",
                    f"no population {wanted.population!r} in regions {wanted.regions!r}; "
                    f"{suggestion(wanted.population, names)}",
                )
            )
            continue
        blocks = {p.block: layout.blocks[p.block] for p in found}
        variables = {
            place: _variables(block, step_program(block.model, block.receptors)) for place, block in blocks.items()
        }
        known = {name for names in variables.values() for name in names}
        # Of the others nothing is sampled; where none has the variable, that is told too.
        able = [p for p in found if wanted.variable in variables[p.block]] or found
        if lacking := _lacking(wanted, able):
            problems.append(Problem(f"record.state[{i}].neurons", lacking))
        if wanted.variable not in known:
            hint = suggestion(wanted.variable, known - {REFRACTORY_LEFT})
            problems.append(Problem(f"record.state[{i}].variable", f"unknown variable {wanted.variable!r}; {hint}"))
    if problems:
        raise SpecError(problems)


def _lacking(wanted: StateRecord, able: list[PopulationSlice]) -> str | None:
    """Return what is wrong with the numbers of a record, if none of its populations has a neuron of one of them."""
    largest = max(able, key=lambda population: population.size)
    if isinstance(wanted.neurons, tuple):
        missing = [number for number in wanted.neurons if number >= largest.size]
        shown = ", ".join(map(str, missing[:4])) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
    else:
        missing, shown = [] if wanted.chosen(largest.size) else [0], "none"
    if not missing:
        return None
    name = f"{largest.label}/{largest.population}"
    which = f"the size of {name}" + (", the largest of these populations" if len(able) > 1 else "")
    return f"expected numbers under {largest.size}, {which}, found {shown}; choose others, counted from 0"


def _matching(wanted: StateRecord, layout: Layout) -> list[PopulationSlice]:
    labels = set(matching(wanted.regions, layout.connectome.labels))
    there = [p for p in layout.populations if p.label in labels]
    names = set(matching(wanted.population, (p.population for p in there)))
    return [p for p in there if p.population in names]
