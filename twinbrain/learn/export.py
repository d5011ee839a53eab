"""Put what was trained back into a declaration, in which every weight, delay and parameter stands as it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import escape
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.attach import own_name
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.weights import synapse_ends
from twinbrain.models.library import neuron_model
from twinbrain.network.inflow import Inflow, given_way, inflows
from twinbrain.network.layout import unused_name
from twinbrain.network.network import PopulationSlice
from twinbrain.spec.brain import Brain
from twinbrain.spec.cell import Cell
from twinbrain.spec.drive import Drive
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Connect, Pairs, Projection
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.region import Region
from twinbrain.units import coherent_unit


def export_model(network: TrainableNetwork) -> Region | Brain:
    """Return what a network has become: a region if it is one alone, else a brain."""
    return export_region(network) if len(network.lowered.layout.regions) == 1 else export_brain(network)


@torch.no_grad()
def export_region(network: TrainableNetwork) -> Region:
    """Return the region that a network of one region has become.

    Nothing in it is drawn any more but what its drives give: each synapse stands with its ends, weight and delay, and
    each parameter that was trained, or differed between neurons, with its values. Receptors keep the quanta in which
    weights and drives were counted, so that none is rounded anew. It is the same whatever the seed.

    Raises
    ------
    LearnError
        If the network is of a brain of several regions; see `export_brain`.
    """
    lowered = network.lowered
    labels = lowered.layout.connectome.labels
    if len(labels) != 1:
        raise LearnError(f"expected a network of one region, found one of {len(labels)}; use export_brain")
    return _region_at(network, labels[0], lowered.layout.regions[0], _bundles(network))


@torch.no_grad()
def export_brain(network: TrainableNetwork) -> Brain:
    """Return the brain that a network has become.

    Every node has a region of its own, named after its label, as `export_region` gives it; every pair of populations
    of two regions a projection of its own, in place of the rule and the coupling. Drives that give way to the rule
    (``long_range.share``) have the rates that are left of them. It is the same whatever the seed, but for what drives
    give, whose draws are those of the brain that was trained.
    """
    lowered = network.lowered
    inner: dict[str, list[_Bundle]] = {label: [] for label in lowered.layout.connectome.labels}
    between: list[_Bundle] = []
    for bundle in _bundles(network):
        (inner[bundle.source.label] if bundle.source.label == bundle.target.label else between).append(bundle)
    regions: dict[str, Region] = {}
    inflow = inflows(lowered.brain, lowered.layout, lowered.units) or (None,) * len(inner)
    for (label, own), region, arriving in zip(inner.items(), lowered.layout.regions, inflow, strict=True):
        name = unused_name(own_name(region.name, label), [other.name for other in regions.values()])
        regions[escape(label)] = _region_at(network, label, region, own, arriving).model_copy(update={"name": name})
    projections = tuple(
        bundle.projection(
            f"{bundle.source.label}.{bundle.source.population}", f"{bundle.target.label}.{bundle.target.population}"
        )
        for bundle in between
    )
    changes = {"regions": regions, "long_range": None, "projections": projections, "coupling": 1.0}
    return lowered.brain.model_copy(update=changes)


def _region_at(
    network: TrainableNetwork, label: str, region: Region, bundles: Iterable[_Bundle], inflow: Inflow | None = None
) -> Region:
    made = {p.population: _cell(network, p, region) for p in network.lowered.network.populations if p.label == label}
    cells: dict[str, Cell] = {}
    populations = {}
    for population, cell in made.items():
        declared = region.populations[population]
        name = declared.cell
        # Populations that share a cell have one each where they have become different.
        if any(cell != made[other] for other, p in region.populations.items() if p.cell == name):
            name = unused_name(f"{name}_{population}", [*region.cells, *cells])
        cells[name] = cell
        populations[population] = declared.model_copy(update={"cell": name})
    projections = tuple(b.projection(b.source.population, b.target.population) for b in bundles)
    drives = _remaining(region, inflow, network.lowered.units) if inflow else region.drives
    changes = {"cells": cells, "populations": populations, "projections": projections, "drives": drives}
    changes["quanta"] = _quanta(network, region)
    return region.model_copy(update=changes)


def _quanta(network: TrainableNetwork, region: Region) -> dict[str, int]:
    """Return the quanta of a region's receptors while they were trained, as powers of two."""
    built, driven = network.lowered.network, {drive.receptor for drive in region.drives}
    own = {receptor for cell in region.cells.values() for receptor in cell.receptors} | driven
    # The others take theirs from what a run may bring to them.
    used = {table.receptor for table in built.tables} | driven
    found = {inlet.receptor: inlet.quantum for block in built.blocks for inlet in block.inlets}
    return {receptor: round(math.log2(found[receptor])) for receptor in sorted(own & used & found.keys())}


def _remaining(region: Region, inflow: Inflow, units: dict[str, str]) -> tuple[Drive, ...]:
    """Return a region's drives with the rates that are left of them."""
    given = given_way(region, inflow, units)
    return tuple(
        drive.model_copy(update={"rate": f"{drive.rate * float(1.0 - part)!r} Hz"}) if part and drive.rate else drive
        for drive, part in zip(region.drives, given, strict=True)
    )


def _cell(network: TrainableNetwork, population: PopulationSlice, region: Region) -> Cell:
    lowered = network.lowered
    block = lowered.network.blocks[population.block]
    here = slice(population.offset, population.offset + population.size)
    cell = region.cell_of(population.population)
    base = lowered.parameters[population.block]
    trained = network.blocks()[population.block].trained_parameters()
    model, receptors = neuron_model(cell.model, region), lowered.layout.blocks[population.block].receptors
    defaults = {**model.parameters, **{k: v for one in receptors.values() for k, v in one.parameters.items()}}
    own = lowered.parameters_of(population)
    declared = {name: value for name, value in defaults.items() if name in own} | cell.parameters
    parameters = dict(cell.parameters)
    for name, values in base.items():
        now = trained[name]().cpu().numpy() if name in trained else values
        if not np.array_equal(now[here], values[here]) or isinstance(declared.get(name), Distribution | Explicit):
            parameters[name] = Explicit(now[here], coherent_unit(block.program.parameters[name]))
    initial = dict(cell.initial)
    for name, value in {**model.initial, **cell.initial}.items():
        if isinstance(value, Distribution | Explicit):
            initial[name] = Explicit(block.initial[name][here], coherent_unit(block.program.units[name]))
    return cell.model_copy(update={"parameters": parameters, "initial": initial})


@dataclass(frozen=True, eq=False)
class _Bundle:
    """All synapses from one population to another through one receptor."""

    source: PopulationSlice
    target: PopulationSlice
    receptor: str
    pairs: Pairs
    weight: Explicit
    delay: Explicit | str

    def projection(self, source: str, target: str) -> Projection:
        """Return it as a projection between populations of these names."""
        return Projection(
            source=source,
            target=target,
            receptor={self.receptor: 1.0},
            connect=Connect(pairs=self.pairs, autapses=self.source is self.target),
            weight=self.weight,
            delay=self.delay,
        )


def _bundles(network: TrainableNetwork) -> Iterator[_Bundle]:
    lowered = network.lowered
    populations = lowered.network.populations
    delays = network.whole_delays()
    for number, table in enumerate(lowered.network.tables):
        weights = network.tables()[number]
        values, group = weights().cpu().numpy(), weights.group.cpu().numpy()
        source, target = synapse_ends(lowered.network, table)
        first = network.offsets()[number]
        delay = delays[first : first + table.n_synapses] * lowered.network.dt
        for place, members in _members(group, len(weights.groups)):
            from_, to = populations[weights.groups[place].source], populations[weights.groups[place].target]
            yield _Bundle(
                from_,
                to,
                table.receptor,
                Pairs(source=source[members] - from_.start, target=target[members] - to.start),
                Explicit(values[members], coherent_unit(lowered.units[table.receptor])),
                _delay(delay[members]),
            )


def _delay(values: NDArray[np.floating[Any]]) -> Explicit | str:
    return f"{float(values[0])!r} ms" if (values == values[0]).all() else Explicit(values, "ms")


def _members(group: NDArray[np.int64], n_groups: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each group with the places of its synapses."""
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(n_groups + 1))
    yield from ((g, order[ends[g] : ends[g + 1]]) for g in range(n_groups))
