"""Lower what is to be sampled to probes."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import numpy as np

from twinbrain.errors import Problem, SpecError
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram, step_program
from twinbrain.network.layout import Layout
from twinbrain.network.network import PopulationSlice, Probe
from twinbrain.spec.base import suggestion
from twinbrain.spec.record import Record, StateRecord


def lower_probes(record: Record, layout: Layout, programs: tuple[StepProgram, ...], dt: float) -> Iterator[Probe]:
    """Return the probes of a record that `check_record` has passed: for each variable, one a block."""
    for i, wanted in enumerate(record.state):
        matching = filter(layout.is_built, _matching(wanted, layout))
        able = [p for p in matching if wanted.variable in programs[p.block].state]
        for block in sorted({p.block for p in able}):
            places = [np.arange(p.offset, p.offset + min(wanted.neurons, p.size)) for p in able if p.block == block]
            yield Probe(
                name=f"{i}_{wanted.variable}_{layout.blocks[block].name}",
                block=block,
                variable=wanted.variable,
                unit=programs[block].units[wanted.variable],
                places=np.concatenate(places).astype(np.int32),
                every=max(1, round(wanted.interval / dt)),
            )


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
        blocks = {p.block: layout.blocks[p.block] for p in found}.values()
        known = {name for block in blocks for name in step_program(block.model, block.receptors).state}
        if wanted.variable not in known:
            hint = suggestion(wanted.variable, known - {REFRACTORY_LEFT})
            problems.append(Problem(f"record.state[{i}].variable", f"unknown variable {wanted.variable!r}; {hint}"))
    if problems:
        raise SpecError(problems)


def _matching(wanted: StateRecord, layout: Layout) -> list[PopulationSlice]:
    return [
        p
        for p in layout.populations
        if fnmatchcase(p.label, wanted.regions) and fnmatchcase(p.population, wanted.population)
    ]
