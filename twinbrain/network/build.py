"""The lowering: from a brain to a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from twinbrain.errors import Problem, SpecError
from twinbrain.models.step import StepProgram, step_program
from twinbrain.network.axons import long_range_axons
from twinbrain.network.between_regions import by_target, declared_synapses
from twinbrain.network.drives import Lowering, check_signals, check_stimuli, region_inputs, stimulus_inputs
from twinbrain.network.heap import return_freed_memory
from twinbrain.network.inflow import inflows
from twinbrain.network.inputs import Events, Input, RandomDrive, Waveform
from twinbrain.network.layout import Layout, block_neurons
from twinbrain.network.long_range import long_range_synapses
from twinbrain.network.network import Block, Inlet, Network, with_coupling
from twinbrain.network.parameters import fill_block
from twinbrain.network.plastic import PlasticSynapses, check_plasticity
from twinbrain.network.plastic_build import build_plastic_tables
from twinbrain.network.probes import check_record, lower_probes, with_constants
from twinbrain.network.quanta import receptor_quanta, weight_units
from twinbrain.network.synapses import InletOf, Synapses, local_synapses
from twinbrain.network.table import build_tables, check_range
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.record import Record

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Skeleton:
    """What of a network depends neither on its inputs nor on the coupling: its neurons, and its synapses as drawn.

    Drives decide weights all the same where a long-range rule has a share; see `long_range_weights`.

    Parameters
    ----------
    network : Network
        Without inputs and plastic synapses, at coupling 1.
    plastic : tuple of PlasticSynapses
        As drawn: how much they may release depends on the inputs.
    units : dict of str to str
        Unit of each receptor's weights.
    """

    network: Network
    plastic: tuple[PlasticSynapses, ...]
    units: dict[str, str]


def build(
    brain: Brain,
    layout: Layout,
    *,
    dt: float,
    seed: int,
    drive_seed: int | None = None,
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
    drive_seed : int, optional
        Keys the draws of drives and stimuli instead.
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
    record = record or Record()
    check_references(layout, stimuli, record, dt=dt)
    quanta = receptor_quanta(brain, layout, stimuli, weight_units(block_programs(layout)))
    skeleton = build_skeleton(brain, layout, quanta, dt=dt, seed=seed, record=record, progress=progress)
    network = complete(skeleton, brain, layout, stimuli, seed if drive_seed is None else drive_seed)
    return_freed_memory()
    return network


def build_skeleton(
    brain: Brain,
    layout: Layout,
    quanta: dict[str, float],
    *,
    dt: float,
    seed: int,
    record: Record,
    progress: Progress | None = None,
) -> Skeleton:
    """Build what depends neither on inputs nor on the coupling; see `build`."""
    programs = block_programs(layout)
    units = weight_units(programs)
    blocks = _blocks(layout, programs, quanta, dt, seed)
    plastic: list[PlasticSynapses] = []
    drawn = _synapses(brain, layout, _inlet_of(blocks), units, dt, seed, progress)
    tables = build_tables(_static(drawn, plastic), layout.n_neurons)
    probes = tuple(
        with_constants(probe, layout, programs, dt, seed) for probe in lower_probes(record, layout, programs, dt)
    )
    network = Network(dt, seed, layout.populations, blocks, tables, drives=(), probes=probes)
    return Skeleton(network, tuple(plastic), units)


def complete(
    skeleton: Skeleton, brain: Brain, layout: Layout, stimuli: tuple[Stimulus, ...], drive_seed: int
) -> Network:
    """Add the inputs and the coupling; the skeleton stays as it is, and is shared.

    Raises
    ------
    SpecError
        If an input cannot be lowered, or an inbox could overflow.
    """
    network = skeleton.network
    lowering = Lowering(_inlet_of(network.blocks), skeleton.units, network.dt, drive_seed)
    inputs = [*region_inputs(brain, layout, lowering), *stimulus_inputs(stimuli, layout, lowering)]
    network = replace(
        network,
        drives=tuple(i for i in inputs if isinstance(i, RandomDrive) and i.mean > 0),
        waveforms=tuple(i for i in inputs if isinstance(i, Waveform)),
        events=Events.merge([i for i in inputs if isinstance(i, Events)]),
    )
    network = with_coupling(network, brain.coupling)
    given: tuple[Input, ...] = (*network.drives, *network.waveforms, network.events)
    room = check_range(network.tables, given, network.n_inlets)
    return replace(network, plastic=build_plastic_tables(skeleton.plastic, layout.n_neurons, room))


def long_range_weights(brain: Brain, layout: Layout) -> list[str | float]:
    """Return the weight of long-range synapses of each node under a rule with a share, which follow from drives.

    There are none under other rules: their weight is declared.
    """
    if brain.long_range is None or brain.long_range.share is None:
        return []
    return [inflow.weight for inflow in inflows(brain, layout, weight_units(block_programs(layout)))]


def _inlet_of(blocks: tuple[Block, ...]) -> InletOf:
    inlets = {(i, inlet.receptor): inlet for i, block in enumerate(blocks) for inlet in block.inlets}
    return lambda population, receptor: inlets[population.block, receptor]


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


def check_parameters(layout: Layout, quanta: dict[str, float], *, dt: float, seed: int) -> None:
    """Check every parameter of every cell; of a build it is the small part.

    Raises
    ------
    SpecError
        With every one that is unknown, missing, of a wrong unit, or leads to a constant that is not finite.
    """
    _blocks(layout, block_programs(layout), quanta, dt, seed)


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
    neurons = block_neurons(layout)
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
        blocks.append(Block(block.name, program, neurons[i], constants, initial, tuple(inlets)))
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
    axons, inflow, declared = long_range_axons(layout), inflows(brain, layout, units), by_target(brain)
    for done, node in enumerate(layout.nodes, start=1):
        yield from local_synapses(layout, node, inlet_of, units, dt, seed)
        if (rule := brain.long_range) is not None:
            yield from long_range_synapses(layout, node, axons, inflow[node], rule, inlet_of, units, dt, seed)
        reaching = declared.get(layout.connectome.labels[node], [])
        yield from declared_synapses(layout, reaching, inlet_of, units, dt, seed)
        if progress:
            progress(done, len(layout.nodes))
