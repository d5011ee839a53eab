"""The layout: which neuron is where. It needs sizes alone, so a plan can be made of it before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.models.at_rest import acts_at_rest
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.network.felt import unfelt_inputs
from twinbrain.network.grouping import Group, group_of
from twinbrain.network.network import PopulationSlice
from twinbrain.spec.between_regions import misplaced
from twinbrain.spec.brain import Brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.drive import INJECTED, Stimulus
from twinbrain.spec.labels import matching
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.population import MOST_NEURONS
from twinbrain.spec.region import Region


@dataclass(frozen=True)
class BlockLayout:
    """A neuron model with all receptors that its cells have anywhere in the brain; see `network.grouping`."""

    name: str
    model: NeuronModel
    receptors: dict[str, ReceptorModel]
    size: int


@dataclass(frozen=True)
class Layout:
    """Regions and populations in order, and the blocks that hold them.

    Parameters
    ----------
    connectome : Connectome
        Normalised.
    regions : tuple of Region
        One a node.
    built : tuple of int, optional
        The nodes that are built, where that is a shard of the brain; see `twinbrain.network.shard`.
    """

    connectome: Connectome
    regions: tuple[Region, ...]
    populations: tuple[PopulationSlice, ...]
    blocks: tuple[BlockLayout, ...]
    built: tuple[int, ...] | None = None

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that are built, ascending."""
        return tuple(range(len(self.regions))) if self.built is None else self.built

    def is_built(self, population: PopulationSlice) -> bool:
        """Return whether a population is built."""
        return self.built is None or population.label in self._built_labels

    @cached_property
    def _built_labels(self) -> frozenset[str]:
        return frozenset(self.connectome.labels[node] for node in self.nodes)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.populations[-1].stop

    def find(self, label: str, population: str) -> PopulationSlice:
        """Return a population's slice."""
        return self._index[label, population]

    def reached(self, stimulus: Stimulus) -> list[PopulationSlice]:
        """Return the populations that a stimulus reaches."""
        return _reached(stimulus, self.populations)

    @cached_property
    def _index(self) -> dict[tuple[str, str], PopulationSlice]:
        return {(p.label, p.population): p for p in self.populations}


def lay_out(brain: Brain, connectome: Connectome, stimuli: tuple[Stimulus, ...] = ()) -> Layout:
    """Return the layout of a brain on a (loaded and normalised) connectome.

    Neurons into which a drive or a stimulus injects a current have a receptor for it, whether their cell lists it or
    not; others have none.

    Raises
    ------
    SpecError
        If a node has no region, a cell names an unknown model or receptor, a projection between regions names what
        there is not, or something arrives at a receptor that does not act on its neurons.
    """
    regions = tuple(brain.assignment(connectome.labels))
    groups: list[Group] = []
    sizes: list[int] = []
    populations: list[PopulationSlice] = []
    problems: list[Problem] = []
    known: dict[str, dict[str, int]] = {}
    injections = _injections(dict(zip(connectome.labels, regions, strict=True)), stimuli)
    start = 0
    for label, region in zip(connectome.labels, regions, strict=True):
        if region.name not in known:
            known[region.name] = {}
            for name in sorted({population.cell for population in region.populations.values()}):
                cell = region.cells[name]
                try:
                    model = neuron_model(cell.model, region)
                    own = {receptor: receptor_model(receptor, region) for receptor in cell.receptors}
                    beside = {r: receptor_model(r, region) for r in sorted(injections.get((region.name, name), ()))}
                except SpecError as error:
                    problems += error.within(f"region {region.name}: cells.{name}").problems
                    continue
                block = known[region.name][name] = group_of(groups, cell.model, model, own, beside)
                problems += _take(groups[block], region, name, own, beside)
        if problems:
            continue
        for name, population in region.populations.items():
            block = known[region.name][population.cell]
            sizes += [0] * (len(groups) - len(sizes))
            stop = start + population.size
            populations.append(
                PopulationSlice(label, region.name, name, start, stop, block, sizes[block], population.transmitter)
            )
            sizes[block] += population.size
            start = stop
    if problems:
        raise SpecError(problems)
    # Those that a lesion took out have places among the axons; see `network.axons`.
    total = start + sum(lost.size for region in regions for lost in region.lost.values())
    if total > MOST_NEURONS:
        found = f"expected at most {MOST_NEURONS:,} neurons in all, found {total:,}"
        raise SpecError([Problem("brain.regions", f"{found}; make populations smaller")])
    regions_of = dict(zip(connectome.labels, regions, strict=True))
    if problems := list(misplaced(brain.projections, regions_of)):
        raise SpecError(problems)
    names: list[str] = []
    for group in groups:
        names.append(unused_name(group.name, names))
    blocks = tuple(
        BlockLayout(name, group.model, dict(sorted(group.receptors.items())), size)
        for name, group, size in zip(names, groups, sizes, strict=True)
    )
    layout = Layout(connectome, regions, tuple(populations), blocks)
    if problems := list(dict.fromkeys(unfelt_inputs(brain, layout, stimuli))):
        raise SpecError(problems)
    return layout


def block_neurons(layout: Layout) -> list[NDArray[np.int32]]:
    """Return the numbers of the neurons of each block that are built, ascending."""
    members: list[list[NDArray[np.int32]]] = [[np.empty(0, np.int32)] for _ in layout.blocks]
    for population in filter(layout.is_built, layout.populations):
        members[population.block].append(np.arange(population.start, population.stop, dtype=np.int32))
    return [np.concatenate(parts) for parts in members]


def _injections(regions: dict[str, Region], stimuli: tuple[Stimulus, ...]) -> dict[tuple[str, str], set[str]]:
    """Return the receptors through which a current is injected into neurons of a region's cell."""
    found: dict[tuple[str, str], set[str]] = {}

    def add(region: Region, name: str, receptor: str) -> None:
        if receptor in INJECTED and (population := region.populations.get(name)):
            found.setdefault((region.name, population.cell), set()).add(receptor)

    for region in {region.name: region for region in regions.values()}.values():
        for drive in region.drives:
            add(region, drive.population, drive.receptor)
    for stimulus in stimuli:
        for label in matching(stimulus.regions, regions):
            add(regions[label], stimulus.population, stimulus.receptor)
    return found


def _take(
    group: Group, region: Region, cell: str, own: dict[str, ReceptorModel], injected: dict[str, ReceptorModel]
) -> Iterator[Problem]:
    """Add the receptors of a cell, and those through which a current is injected, to those of its group."""
    for name, definition in {**injected, **own}.items():
        where = f"region {region.name}: receptors.{name}"
        if group.receptors.setdefault(name, definition) != definition:
            yield Problem(where, "another region defines this receptor otherwise; rename one")
        elif name not in own and acts_at_rest(group.model, definition):
            found = f"found one that acts without input and is injected into cells.{cell}, which does not list it"
            yield Problem(where, f"expected an injected current that is 0 without input, {found}; list it there")


def _reached(stimulus: Stimulus, populations: Iterable[PopulationSlice]) -> list[PopulationSlice]:
    populations = list(populations)
    labels = set(matching(stimulus.regions, (p.label for p in populations)))
    return [p for p in populations if p.population == stimulus.population and p.label in labels]


def unused_name(name: str, names: list[str]) -> str:
    """Return the name, numbered if other models of that name are there before it."""
    candidates = (name if i == 1 else f"{name}_{i}" for i in count(1))
    return next(candidate for candidate in candidates if candidate not in names)
