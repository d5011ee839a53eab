"""Attach a task to a model: a population where its channels come in, and one where its outputs are read.

Both are ordinary populations, so what is trained is a region (or a brain) that any engine runs.
"""

from __future__ import annotations

from glob import escape

from twinbrain.connectome.load import load_connectome
from twinbrain.errors import LearnError, Problem, SpecError
from twinbrain.learn.ends import INPUT, READOUT, RELAY_RECEPTOR
from twinbrain.learn.tasks.task import Task
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.step import step_program
from twinbrain.network.layout import unused_name
from twinbrain.spec.brain import Brain
from twinbrain.spec.cell import Cell
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.labels import first_patterns, matching
from twinbrain.spec.population import Population
from twinbrain.spec.projection import Connect, Projection
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.training import InputSpec, ReadoutSpec

# Of an input synapse before its weight has been found; by the unit of the receptor.
_FIRST_WEIGHT = {"nS": 1.0, "pA": 100.0, "mV": 1.0}
_READOUT_CAPACITANCE = 100.0  # pF; only its ratio to the conductance counts


def attach(model: Region | Brain, task: Task, input_: InputSpec, readout: ReadoutSpec) -> Region | Brain:
    """Return the model with populations ``input`` and ``readout``; as it is if it has both.

    Parameters
    ----------
    model : Region or Brain
        What is to learn.
    task : Task
        Gives the number of channels and outputs.
    input_, readout : InputSpec, ReadoutSpec
        Which populations are reached and read.

    Raises
    ------
    LearnError
        If the model has such populations of other sizes or kinds, nothing that the input could reach, or a pattern
        fits no region or several.
    SpecError
        If populations or receptors are unknown.
    """
    if isinstance(model, Region):
        for what, spec in ((INPUT, input_), (READOUT, readout)):
            _label_of({model.name: model}, spec.region, what)
        return _with_readout(_with_input(model, task, input_), task, readout)
    connectome = model.connectome
    if not isinstance(connectome, Connectome):
        connectome = load_connectome(connectome)
    for what, spec in ((INPUT, input_), (READOUT, readout)):
        regions = dict(zip(connectome.labels, model.assignment(connectome.labels), strict=True))
        label = _label_of(regions, spec.region, what)
        before = regions[label]
        region = _with_input(before, task, spec) if isinstance(spec, InputSpec) else _with_readout(before, task, spec)
        if what in before.populations:
            continue
        here = escape(label)
        others = {pattern: own for pattern, own in model.regions.items() if pattern != here}
        needed = _needed({here: region} | others, connectome.labels)
        # Labels that differ in their signs alone give the same name.
        taken = [own.name for pattern, own in needed.items() if pattern != here]
        region = region.model_copy(update={"name": unused_name(own_name(region.name, label), taken)})
        model = model.model_copy(update={"regions": needed | {here: region}})
    return model


def _needed(regions: dict[str, Region], labels: list[str]) -> dict[str, Region]:
    """Return the patterns that still decide about some label."""
    chosen = set(first_patterns(regions, labels).values())
    return {pattern: region for pattern, region in regions.items() if pattern in chosen}


def own_name(name: str, label: str) -> str:
    """Return the name of a region that stands at one label alone."""
    tail = "".join(c if c.isalnum() else "_" for c in label)
    return name if name.endswith(f".{tail}") else f"{name}.{tail}"


def _label_of(regions: dict[str, Region], pattern: str, what: str) -> str:
    """Return the label at which a population of the task is already, or else that of the one region that is meant."""
    fitting = matching(pattern, regions)
    there = next((label for label, own in regions.items() if what in own.populations), None)
    if there is not None and there not in fitting:
        raise LearnError(
            f"train.{what}.region: expected a pattern that fits {there}, whose region has the population {what!r} "
            f"already, found {pattern!r}; leave it out, or use a region without that population"
        )
    if there is None and len(fitting) != 1:
        found = "none" if not fitting else f"{len(fitting)}, such as {fitting[0]} and {fitting[1]}"
        raise LearnError(
            f"train.{what}.region: expected the pattern {pattern!r} to fit one region, found {found}; "
            f"{suggestion(pattern, list(regions)[:12])}"
        )
    return there or fitting[0]


def _with_input(region: Region, task: Task, spec: InputSpec) -> Region:
    if INPUT in region.populations:
        return _own(region, INPUT, task.n_channels, "channels")
    if not region.ports.inputs and not spec.populations:
        _check_not_lost(region, "input", any(lost.input is not None for lost in region.lost.values()))
    default = tuple(region.ports.inputs) or tuple(
        name
        for name, population in region.populations.items()
        if population.transmitter == "glutamate" and name != READOUT
    )
    targets = _populations(region, spec.populations, "input.populations") or default
    if not targets:
        raise LearnError(
            f"region {region.name}: train.input: expected populations with an input port or excitatory ones, found "
            f"none; name them in input.populations: {', '.join(region.populations)}"
        )
    projections = []
    for target in targets:
        receptors = region.cell_of(target).receptors
        receptor = spec.receptor or _usual_receptor(region, target)
        if receptor not in receptors:
            raise SpecError(
                [
                    Problem(
                        f"region {region.name}: train.input.receptor",
                        f"expected a receptor of population {target!r} ({', '.join(receptors) or 'it has none'}), "
                        f"found {receptor!r}",
                    )
                ]
            )
        weight = spec.weight if spec.weight is not None else _first_weight(region, target, receptor)
        connect = Connect(probability=spec.probability)
        projections.append(
            Projection(
                source=INPUT,
                target=target,
                receptor={receptor: 1.0},
                connect=connect,
                weight=weight,
                delay=_shortest_delay(task),
            )
        )
    cell = Cell(summary="Stands for spikes that are given.", model="relay", receptors=(RELAY_RECEPTOR,))
    return _extended(region, INPUT, cell, task.n_channels, projections)


def _with_readout(region: Region, task: Task, spec: ReadoutSpec) -> Region:
    if READOUT in region.populations:
        return _own(region, READOUT, task.n_outputs, "outputs")
    if not region.ports.outputs and not spec.populations:
        _check_not_lost(region, "readout", any(lost.output is not None for lost in region.lost.values()))
    default = region.ports.outputs or tuple(name for name in region.populations if name != INPUT)
    sources = _populations(region, spec.populations, "readout.populations") or default
    n_sources = sum(region.populations[name].size for name in sources)
    # At 10 Hz the outputs then spread by about 1 mV.
    spread = (n_sources * 0.01 * spec.time_constant / 2) ** -0.5
    weight = Distribution(kind="normal", first="0 mV", second=f"{spread!r} mV")
    projections = [
        Projection(
            source=name,
            target=READOUT,
            receptor={RELAY_RECEPTOR: 1.0},
            connect=Connect(probability=1.0),
            weight=weight,
            delay=_shortest_delay(task),
        )
        for name in sources
    ]
    cell = Cell(
        summary="Integrates spikes and never spikes: its membrane potential is the output.",
        model="leaky_integrator",
        receptors=(RELAY_RECEPTOR,),
        parameters={
            "C_m": f"{_READOUT_CAPACITANCE} pF",
            "g_L": f"{_READOUT_CAPACITANCE / spec.time_constant!r} nS",
        },
    )
    return _extended(region, READOUT, cell, task.n_outputs, projections)


def _check_not_lost(region: Region, what: str, lost: bool) -> None:
    """Refuse to choose populations in place of those that a lesion took out."""
    if lost:
        own = [name for name in region.populations if name not in (INPUT, READOUT)]
        raise LearnError(
            f"region {region.name}: train.{what}: expected a population with a port that is left after the lesion, "
            f"found none; name others in {what}.populations: {', '.join(own)}"
        )


def _shortest_delay(task: Task) -> str:
    """Return 1 ms, or a step where steps are longer."""
    return f"{max(1.0, task.dt)!r} ms"


def _extended(region: Region, name: str, cell: Cell, size: int, projections: list[Projection]) -> Region:
    if name in region.cells:
        raise LearnError(
            f"region {region.name}: expected no cell named {name!r}, which the task's population takes; rename it"
        )
    return region.model_copy(
        update={
            "cells": region.cells | {name: cell},
            "populations": region.populations | {name: Population(cell=name, size=size)},
            "projections": (*region.projections, *projections),
        }
    )


def _usual_receptor(region: Region, target: str) -> str | None:
    """Return the receptor that long-range axons releasing glutamate reach, else the first."""
    receptors = region.cell_of(target).receptors
    port = region.ports.inputs.get(target)
    return next((name for name in (port.glutamate if port else ()) if name in receptors), next(iter(receptors), None))


def _own(region: Region, name: str, size: int, what: str) -> Region:
    """Return the region, whose own population of that name is right for the task."""
    if (found := region.populations[name].size) != size:
        raise LearnError(
            f"region {region.name}: populations.{name}: expected {size} neurons, as many as the task has {what}, found "
            f"{found}; use the region without it, and let the task be attached"
        )
    cell = region.cell_of(name)
    is_relay = neuron_model(cell.model, region) == NEURON_MODELS["relay"]
    if name == INPUT and not (is_relay and RELAY_RECEPTOR in cell.receptors):
        whose = "a model of the region's own, " if cell.model in region.models else ""
        raise LearnError(
            f"region {region.name}: populations.{name}: expected relays with the receptor {RELAY_RECEPTOR!r}, where "
            f"the task's channels come in, found {whose}{cell.model!r} with {', '.join(cell.receptors) or 'none'}; "
            "rename the population"
        )
    if name == INPUT and any(drive.population == INPUT for drive in region.drives):
        raise LearnError(
            f"region {region.name}: populations.{name}: expected no drives, since the task's channels alone come in "
            f"there, found {sum(drive.population == INPUT for drive in region.drives)}; leave them out, or rename the "
            "population"
        )
    return region


def _populations(region: Region, names: tuple[str, ...], key: str) -> tuple[str, ...]:
    for name in names:
        if name not in region.populations:
            where = f"region {region.name}: train.{key}"
            raise SpecError([Problem(where, f"unknown population {name!r}; {suggestion(name, region.populations)}")])
    return names


def _first_weight(region: Region, target: str, receptor: str) -> Distribution:
    cell = region.cell_of(target)
    models = {name: receptor_model(name, region) for name in cell.receptors}
    program = step_program(neuron_model(cell.model, region), models)
    unit = program.units[program.jumps[receptor]]
    size = _FIRST_WEIGHT.get(unit, 1.0)
    if unit == "nS":
        return Distribution(kind="lognormal", first=f"{size} {unit}", second=0.5)
    return Distribution(kind="normal", first=f"0 {unit}", second=f"{size} {unit}")
