"""Draw a model into a circuit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from twinbrain import units
from twinbrain.connectome.load import load_connectome
from twinbrain.connectome.normalise import normalise
from twinbrain.exchange.circuit import Circuit, CircuitDrive, CircuitPopulation, CircuitProjection, CircuitSignal
from twinbrain.network.build import build
from twinbrain.network.grouping import defined_names
from twinbrain.network.layout import Layout, lay_out
from twinbrain.network.network import Inlet, Network, PopulationSlice
from twinbrain.network.parameters import population_parameters
from twinbrain.spec.brain import Brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.load import as_workflow
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Workflow

Model = Workflow | Brain | Region | str | Path

_SIGNALS = {
    "current": "a constant current",
    "pulses": "pulses",
    "sine": "a sine",
    "spikes": "given spikes",
    "waveform": "a given waveform",
}


def draw_circuit(model: Model, *, dt: str | None = None, seed: int | None = None, drives: bool = True) -> Circuit:
    """Return a model with everything drawn: the same neurons and synapses as a run of it has.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        What to draw; a text is the name or the path of a workflow.
    dt : str (ms), optional
        Time step; else the workflow's, or its default.
    seed : int, optional
        Keys every draw; else the workflow's, or its default.
    drives : bool
        Whether drives and stimuli are taken along, with the receptors that are there for them alone.

    Raises
    ------
    SpecError, ConnectomeError
        If it cannot be built.
    """
    workflow = as_workflow(model)
    step, seed = drawn_with(workflow, dt, seed)
    brain = workflow.brain
    connectome = brain.connectome
    if not isinstance(connectome, Connectome):
        connectome = load_connectome(connectome)
    layout = lay_out(brain, normalise(connectome, brain.normalisation), workflow.stimuli)
    network = build(brain, layout, dt=step, seed=seed, drive_seed=workflow.run.drive_seed, stimuli=workflow.stimuli)
    random = tuple(_drives(network)) if drives else ()
    return Circuit(
        step,
        seed,
        tuple(
            _population(layout, network, population, {drive.receptor for drive in random if drive.population == i})
            for i, population in enumerate(network.populations)
        ),
        tuple(_projections(network)),
        random,
        tuple(dict.fromkeys(_signals(layout, workflow.stimuli))) if drives else (),
        tuple(_plastic(layout)),
    )


def drawn_with(workflow: Workflow, dt: str | None, seed: int | None) -> tuple[float, int]:
    """Return the time step (ms) and the seed: those given, else the workflow's."""
    step = workflow.run.dt if dt is None else units.number(dt, "ms")
    return step, workflow.run.seed if seed is None else seed


def _signals(layout: Layout, stimuli: tuple[Stimulus, ...]) -> Iterator[CircuitSignal]:
    for region in layout.regions:
        for i, drive in enumerate(region.drives):
            if drive.kind in _SIGNALS:
                constant = (drive.kind, drive.receptor) == ("current", "current")
                instead = "give it as I_e" if constant else ""
                yield CircuitSignal(f"region {region.name}: {drive.key(i)}", _SIGNALS[drive.kind], instead)
    for stimulus in stimuli:
        if stimulus.kind in _SIGNALS:
            name = f"stimulus {stimulus.name} {stimulus.population}:{stimulus.receptor}"
            for population in layout.reached(stimulus):
                yield CircuitSignal(f"region {population.region}: {name}", _SIGNALS[stimulus.kind])


def _plastic(layout: Layout) -> Iterator[str]:
    for region in {region.name: region for region in layout.regions}.values():
        for projection in region.projections:
            if projection.plasticity is not None:
                yield f"region {region.name}: projection {projection.key}"


def _population(layout: Layout, network: Network, population: PopulationSlice, driven: set[str]) -> CircuitPopulation:
    block, here = network.blocks[population.block], slice(population.offset, population.offset + population.size)
    region = layout.regions[layout.connectome.labels.index(population.label)]
    cell, model = region.cell_of(population.population), layout.blocks[population.block].model
    drawn = population_parameters(layout, population, block.program, network.dt, network.seed)
    # An Ornstein-Uhlenbeck current flows without noise too, in all cells of a block that has it.
    if drawn.get("mean_ou_current", np.zeros(1)).any() or "y_ou_current" in cell.initial:
        driven = driven | {"ou_current"}
    known = layout.blocks[population.block].receptors
    receptors = {name: known[name] for name in dict.fromkeys([*cell.receptors, *sorted(driven)])}
    # The block's program has the receptors of all its cells; those of others are no parameters of this one.
    foreign = set().union(*(defined_names(receptor) for name, receptor in known.items() if name not in receptors))
    return CircuitPopulation(
        label=population.label,
        region=population.region,
        name=population.population,
        transmitter=population.transmitter,
        size=population.size,
        model_name=block.name,
        model=model,
        receptors=receptors,
        parameters={name: values for name, values in drawn.items() if name not in foreign},
        initial={name: block.initial[name][here] for name in {**model.initial, **cell.initial}},
    )


def _inlet(network: Network, place: int) -> tuple[int, Inlet]:
    """Return the block and the inlet that hold a place of the flat inbox."""
    return next(
        (i, inlet)
        for i, block in enumerate(network.blocks)
        for inlet in block.inlets
        if inlet.start <= place < inlet.stop
    )


def _population_at(network: Network, place: int) -> tuple[int, Inlet]:
    block, inlet = _inlet(network, place)
    offset = place - inlet.start
    return next(
        (i, inlet)
        for i, p in enumerate(network.populations)
        if p.block == block and p.offset <= offset < p.offset + p.size
    )


def _projections(network: Network) -> Iterator[CircuitProjection]:
    starts = np.array([population.start for population in network.populations])
    neuron_at = np.zeros(network.n_inlets, np.int32)
    quantum_at = np.zeros(network.n_inlets)
    for block in network.blocks:
        for inlet in block.inlets:
            neuron_at[inlet.start : inlet.stop] = block.neurons
            quantum_at[inlet.start : inlet.stop] = inlet.quantum
    for table in network.tables:
        source = np.repeat(np.arange(network.n_neurons, dtype=np.int32), np.diff(table.row_start))
        target = neuron_at[table.post]
        weight = table.weight * quantum_at[table.post]
        from_, to = (np.searchsorted(starts, neurons, side="right") - 1 for neurons in (source, target))
        pair = from_ * len(starts) + to
        order = np.argsort(pair, kind="stable")
        for kept in np.split(order, np.flatnonzero(np.diff(pair[order])) + 1):
            if not len(kept):
                continue
            i, j = int(from_[kept[0]]), int(to[kept[0]])
            yield CircuitProjection(
                source=i,
                target=j,
                receptor=table.receptor,
                origin=table.origin,
                source_index=(source[kept] - starts[i]).astype(np.int32),
                target_index=(target[kept] - starts[j]).astype(np.int32),
                weight=weight[kept],
                delay=table.delay[kept].astype(np.int64),
            )


def _drives(network: Network) -> Iterator[CircuitDrive]:
    for drive in network.drives:
        population, inlet = _population_at(network, drive.start)
        yield CircuitDrive(
            kind="noise" if drive.offset else "rate",
            population=population,
            receptor=inlet.receptor,
            name=drive.name,
            key=drive.key,
            mean=drive.mean,
            weight=drive.weight * inlet.quantum,
            first_step=drive.first_step,
            last_step=drive.last_step,
        )
