"""The lowering: from a brain to a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from twinbrain.errors import Problem, SpecError
from twinbrain.models.step import StepProgram, step_program
from twinbrain.network.drives import Lowering, check_signals, check_stimuli, region_inputs, stimulus_inputs
from twinbrain.network.heap import return_freed_memory
from twinbrain.network.inputs import Events, Input, RandomDrive, Waveform
from twinbrain.network.layout import Layout
from twinbrain.network.network import Block, Inlet, Network, PopulationSlice, with_coupling
from twinbrain.network.parameters import fill_block
from twinbrain.network.plastic import PlasticSynapses, check_plasticity
from twinbrain.network.plastic_build import build_plastic_tables
from twinbrain.network.probes import check_record, lower_probes
from twinbrain.network.quanta import receptor_quanta, weight_units
from twinbrain.network.synapses import InletOf, Synapses, local_synapses, long_range_axons, long_range_synapses
from twinbrain.network.table import build_tables, check_range
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.record import Record

Progress = Callable[[int, int], None]


def build(
    brain: Brain,
    layout: Layout,
    *,
    dt: float,
    seed: int,
    stimuli: tuple[Stimulus, ...] = (),
    record: Record | None = None,
    progress: Progress | None = None,
) -> Network:
    """Build the network of a brain.

    Parameters
    ----------
    brain : Brain
        What to build.
    layout : Layout
        Its layout, from `lay_out`.
    dt : float (ms)
        Time step.
    seed : int
        Keys every draw.
    stimuli : tuple of Stimulus, optional
        What acts on it.
    record : Record, optional
        What is sampled.
    progress : callable, optional
        Called with the number of nodes built and their total.

    Raises
    ------
    SpecError
        If something in the declaration cannot be built as it stands.
    """
    check_references(layout, stimuli, record or Record(), dt=dt)
    programs = block_programs(layout)
    units = weight_units(programs)
    quanta = receptor_quanta(brain, layout, stimuli, units)
    blocks = _blocks(layout, programs, quanta, dt, seed)
    inlets = {(i, inlet.receptor): inlet for i, block in enumerate(blocks) for inlet in block.inlets}

    def inlet_of(population: PopulationSlice, receptor: str) -> Inlet:
        return inlets[population.block, receptor]

    lowering = Lowering(inlet_of, units, dt, seed)
    inputs = [*region_inputs(layout, lowering), *stimulus_inputs(stimuli, layout, lowering)]
    plastic: list[PlasticSynapses] = []
    drawn = _synapses(brain, layout, inlet_of, units, dt, seed, progress)
    tables = build_tables(_static(drawn, plastic), layout.n_neurons)
    probes = tuple(lower_probes(record or Record(), layout, programs, dt))
    network = Network(
        dt,
        seed,
        layout.populations,
        blocks,
        tables,
        drives=tuple(i for i in inputs if isinstance(i, RandomDrive) and i.mean > 0),
        probes=probes,
        waveforms=tuple(i for i in inputs if isinstance(i, Waveform)),
        events=Events.merge([i for i in inputs if isinstance(i, Events)]),
    )
    network = with_coupling(network, brain.coupling)
    given: tuple[Input, ...] = (*network.drives, *network.waveforms, network.events)
    room = check_range(network.tables, given, network.n_inlets)
    network = replace(network, plastic=build_plastic_tables(plastic, layout.n_neurons, room))
    return_freed_memory()
    return network


def check_references(
    layout: Layout, stimuli: tuple[Stimulus, ...], record: Record, *, dt: float, duration: float = math.inf
) -> None:
    """Check that stimuli and records name what there is, and that drives and stimuli fit what they act on.

    Parameters
    ----------
    layout, stimuli, record
        The brain's layout, what acts on it and what is kept.
    dt, duration : float (ms)
        Time step and model time.

    Raises
    ------
    SpecError
        With everything that is unknown or does not fit.
    """
    problems: list[Problem] = []
    for check in (
        partial(check_stimuli, stimuli, layout),
        partial(check_signals, stimuli, layout, dt, duration),
        partial(check_record, record, layout),
        partial(_check_plasticity, layout),
    ):
        try:
            check()
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)


def _check_plasticity(layout: Layout) -> None:
    check_plasticity(layout, weight_units(block_programs(layout)))


def block_programs(layout: Layout) -> tuple[StepProgram, ...]:
    """Return the step program of each block.

    Raises
    ------
    SpecError
        If a model's equations cannot be used.
    """
    return tuple(step_program(b.model, b.receptors, f"model {b.name}") for b in layout.blocks)


def _blocks(
    layout: Layout, programs: tuple[StepProgram, ...], quanta: dict[str, float], dt: float, seed: int
) -> tuple[Block, ...]:
    blocks, start = [], 0
    members: list[list[np.ndarray]] = [[] for _ in layout.blocks]
    for p in layout.populations:
        members[p.block].append(np.arange(p.start, p.stop, dtype=np.int32))
    problems: list[Problem] = []
    for i, (block, program) in enumerate(zip(layout.blocks, programs, strict=True)):
        inlets = []
        for receptor in program.jumps:
            inlets.append(Inlet(receptor, start, start + block.size, quanta[receptor]))
            start += block.size
        try:
            constants, initial = fill_block(layout, i, program, dt, seed)
        except SpecError as error:
            problems += error.problems
            continue
        blocks.append(Block(block.name, program, np.concatenate(members[i]), constants, initial, tuple(inlets)))
    if problems:
        raise SpecError(problems)
    return tuple(blocks)


def _static(drawn: Iterator[Synapses | PlasticSynapses], plastic: list[PlasticSynapses]) -> Iterator[Synapses]:
    """Yield the static synapses, and put the plastic ones aside."""
    for part in drawn:
        if isinstance(part, PlasticSynapses):
            plastic.append(part)
        else:
            yield part


def _synapses(
    brain: Brain,
    layout: Layout,
    inlet_of: InletOf,
    units: dict[str, str],
    dt: float,
    seed: int,
    progress: Progress | None,
) -> Iterator[Synapses | PlasticSynapses]:
    axons = long_range_axons(layout)
    for node in range(len(layout.regions)):
        yield from local_synapses(layout, node, inlet_of, units, dt, seed)
        if (rule := brain.long_range) is not None:
            values = (rule.in_degree, rule.weight, rule.inhibitory_weight or rule.weight, rule.speed)
            yield from long_range_synapses(layout, node, axons, values, inlet_of, units, dt, seed)
        if progress:
            progress(node + 1, len(layout.regions))
