"""Lower a circuit to a network, which any engine takes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from twinbrain import units
from twinbrain.errors import Problem, SpecError
from twinbrain.exchange.circuit import Circuit, CircuitDrive, CircuitPopulation, signal_problems
from twinbrain.models.reach import unfelt, unfelt_problem
from twinbrain.models.step import StepProgram, step_program
from twinbrain.network.grouping import Group, group_of
from twinbrain.network.inputs import RandomDrive
from twinbrain.network.layout import unused_name
from twinbrain.network.network import Block, Inlet, Network, PopulationSlice
from twinbrain.network.parameters import program_constants
from twinbrain.network.quanta import LARGEST
from twinbrain.network.random import Floats
from twinbrain.network.ranges import check_conductances, check_terms, of_both, range_problems
from twinbrain.network.synapses import LONGEST_DELAY, Synapses
from twinbrain.network.table import build_tables, check_range
from twinbrain.network.thresholds import normal_thresholds, poisson_thresholds
from twinbrain.spec.model import NeuronModel
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.suggest import suggestion


def lower_circuit(circuit: Circuit) -> Network:
    """Return the network of a circuit.

    A receptor's quantum is as small as its inboxes allow, so that weights which were integers of another quantum stay
    what they were, to the bit.

    Raises
    ------
    SpecError
        If the circuit holds something that cannot be built.
    """
    if problems := signal_problems(circuit, "leave it out"):
        raise SpecError(problems)
    _check_finite(circuit)
    groups, slices = _groups(circuit)
    members = [
        [p for p, s in zip(circuit.populations, slices, strict=True) if s.block == i] for i in range(len(groups))
    ]
    receptors = [dict(sorted(group.receptors.items())) for group in groups]
    unfelt_of = [unfelt(group.model, own) for group, own in zip(groups, receptors, strict=True)]
    quanta = _quanta(circuit)
    blocks: list[Block] = []
    start = 0
    names: list[str] = []
    for i, model in enumerate(group.model for group in groups):
        names.append(unused_name(groups[i].name, names))
        program = step_program(model, receptors[i], f"model {names[i]}")
        size = sum(population.size for population in members[i])
        inlets = []
        for receptor in program.jumps:
            inlets.append(Inlet(receptor, start, start + size, quanta.get(receptor, 1.0)))
            start += size
        defaults = model.parameters | {k: v for r in receptors[i].values() for k, v in r.parameters.items()}
        filled = [_filled(population, program, model, defaults, circuit.dt) for population in members[i]]
        constants, initial = (
            {key: np.concatenate([part[which][key] for part in filled]) for key in filled[0][which]} for which in (0, 1)
        )
        neurons = np.concatenate([np.arange(s.start, s.stop, dtype=np.int32) for s in slices if s.block == i])
        blocks.append(Block(names[i], program, neurons, constants, initial, tuple(inlets)))
    arriving = [(projection.target, projection.receptor, projection.weight) for projection in circuit.projections]
    arriving += [(drive.population, drive.receptor, np.array([drive.weight])) for drive in circuit.drives]
    for target, name, weights in arriving:
        where = f"population {circuit.populations[target].name}"
        if name in unfelt_of[block := slices[target].block]:
            raise SpecError([unfelt_problem(where, name, receptors[block][name])])
        program = blocks[block].program
        try:
            check_conductances(weights, program.units[program.jumps[name]], name, "correct the file")
        except SpecError as error:
            raise error.within(where) from None
    inlet_of = {(i, inlet.receptor): inlet for i, block in enumerate(blocks) for inlet in block.inlets}

    def place(population: int, receptor: str) -> tuple[Inlet, int]:
        inlet = inlet_of[slices[population].block, receptor]
        return inlet, inlet.start + slices[population].offset

    parts = []
    for projection in circuit.projections:
        inlet, first = place(projection.target, projection.receptor)
        if (longest := int(projection.delay.max(initial=1))) > LONGEST_DELAY:
            between = " -> ".join(circuit.populations[p].name for p in (projection.source, projection.target))
            raise SpecError(
                [
                    Problem(
                        f"projection {between}",
                        f"expected delays of at most {LONGEST_DELAY} steps of {circuit.dt:g} ms, found {longest}; "
                        "use a larger dt",
                    )
                ]
            )
        parts.append(
            Synapses(
                projection.receptor,
                projection.origin,
                (projection.source_index + slices[projection.source].start).astype(np.int32),
                (projection.target_index + first).astype(np.int32),
                np.rint(projection.weight / inlet.quantum).astype(np.int32),
                np.maximum(projection.delay, 1).astype(np.uint16),
            )
        )
    drives = []
    for drive in circuit.drives:
        inlet, first = place(drive.population, drive.receptor)
        drives.append(_random_drive(drive, first, slices[drive.population].size, inlet.quantum))
    tables = build_tables(parts, slices[-1].stop)
    network = Network(circuit.dt, circuit.seed, tuple(slices), tuple(blocks), tables, tuple(drives))
    check_range(network.tables, network.drives, network.n_inlets)
    return network


def _check_finite(circuit: Circuit) -> None:
    """Refuse numbers of a file that are none, or so large that their sums are none."""
    problems = []
    for population in circuit.populations:
        where = f"population {population.label}: {population.name}"
        for key, values in (population.parameters | population.initial).items():
            if not np.isfinite(values).all():
                problems.append(Problem(f"{where}.{key}", "expected finite numbers, found others"))
    for projection in circuit.projections:
        names = " -> ".join(circuit.populations[p].name for p in (projection.source, projection.target))
        with np.errstate(over="ignore"):
            total = np.abs(projection.weight).sum()
        if not np.isfinite(total):
            problems.append(Problem(f"projection {names}", "expected weights whose sum is finite, found others"))
    if problems:
        raise SpecError(problems)


def _random_drive(drive: CircuitDrive, start: int, size: int, quantum: float) -> RandomDrive:
    normal = normal_thresholds()
    noise = drive.kind == "noise"
    return RandomDrive(
        name=drive.name,
        start=start,
        stop=start + size,
        key=drive.key,
        mean=drive.mean,
        thresholds=normal.thresholds if noise else poisson_thresholds(drive.mean),
        weight=round(drive.weight / quantum),
        first_step=drive.first_step,
        last_step=drive.last_step,
        offset=normal.offset if noise else 0,
    )


def _groups(circuit: Circuit) -> tuple[list[Group], list[PopulationSlice]]:
    """Return what is computed together, one group a block, and where each population is."""
    groups: list[Group] = []
    sizes: list[int] = []
    slices: list[PopulationSlice] = []
    start = 0
    for p in circuit.populations:
        block = group_of(groups, p.model_name, p.model, p.receptors)
        for name, receptor in p.receptors.items():
            if groups[block].receptors.setdefault(name, receptor) != receptor:
                raise SpecError(f"receptor {name!r}: expected one definition, found two; rename one")
        sizes += [0] * (len(groups) - len(sizes))
        slices.append(
            PopulationSlice(p.label, p.region, p.name, start, start + p.size, block, sizes[block], p.transmitter)
        )
        start += p.size
        sizes[block] += p.size
    return groups, slices


def _filled(
    population: CircuitPopulation,
    program: StepProgram,
    model: NeuronModel,
    defaults: dict[str, str | float | Distribution],
    dt: float,
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the constants and the initial state of a population."""
    size, where = population.size, f"population {population.label}: {population.name}"
    parameters: dict[str, Floats] = {}
    problems = []
    for name, unit in program.parameters.items():
        if name in population.parameters:
            parameters[name] = population.parameters[name]
        elif name in defaults and not isinstance(value := defaults[name], Distribution):
            parameters[name] = np.full(size, units.coherent(value, unit))
        else:
            problems.append(Problem(f"parameters.{name}", f"expected a value in {unit}, found none; give one"))
    for what, names, known in (
        ("parameters", population.parameters, program.parameters),
        ("initial", population.initial, program.state),
    ):
        unknown = sorted(set(names) - set(known))
        problems += [Problem(f"{what}.{name}", f"unknown name; {suggestion(name, known)}") for name in unknown]
    ranges = (*model.ranges, *(text for receptor in population.receptors.values() for text in receptor.ranges))
    try:
        check_terms(ranges, program.parameters | program.units)
    except SpecError as error:
        raise error.within(where) from None
    problems += range_problems(ranges, parameters, program.parameters, "parameters")
    problems += range_problems(ranges, population.initial, program.units, "initial")
    both, units_of = of_both(ranges, parameters), program.parameters | program.units
    problems += range_problems(both, {**parameters, **population.initial}, units_of, "initial")
    if problems:
        raise SpecError(problems).within(where)
    initial = {name: np.zeros(size) for name in program.state} | population.initial
    try:
        return program_constants(program, model, parameters, dt, size), initial
    except SpecError as error:
        raise error.within(where) from None


def _quanta(circuit: Circuit) -> dict[str, float]:
    """Return for each receptor the smallest power of two with which no inbox can overflow."""
    bounds: dict[tuple[str, int], Floats] = {}

    def bound(receptor: str, population: int) -> Floats:
        return bounds.setdefault((receptor, population), np.zeros(circuit.populations[population].size))

    for projection in circuit.projections:
        inbox = bound(projection.receptor, projection.target)
        inbox += np.bincount(projection.target_index, weights=np.abs(projection.weight), minlength=len(inbox))
    for drive in circuit.drives:
        inbox = bound(drive.receptor, drive.population)
        inbox += abs(drive.weight) * _random_drive(replace(drive, weight=1.0), 0, len(inbox), 1.0).largest
    largest: dict[str, float] = {}
    for (receptor, _), inbox in bounds.items():
        largest[receptor] = max(largest.get(receptor, 0.0), float(inbox.max()))
    # A weight that is no multiple is rounded, by half a quantum at most; a part in 10**6 is left for that.
    most = LARGEST * (1 - 1e-6)
    return {r: 2.0 ** math.ceil(math.log2(value / most)) if value else 1.0 for r, value in largest.items()}
