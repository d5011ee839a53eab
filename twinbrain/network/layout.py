"""The layout: which neuron is where. It needs sizes alone, so a plan can be made of it before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.network.felt import unfelt_inputs
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
    """A neuron model with all receptors that its cells have anywhere in the brain."""

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
    keys: list[tuple[str, str]] = []
    names: list[str] = []
    models: list[NeuronModel] = []
    receptors: list[dict[str, ReceptorModel]] = []
    sizes: list[int] = []
    populations: list[PopulationSlice] = []
    problems: list[Problem] = []
    known: dict[str, dict[str, int]] = {}
    start = 0
    for label, region in zip(connectome.labels, regions, strict=True):
        if region.name not in known:
            known[region.name] = {}
            for name in sorted({population.cell for population in region.populations.values()}):
                cell = region.cells[name]
                try:
                    model = neuron_model(cell.model, region)
                    own = {receptor: receptor_model(receptor, region) for receptor in cell.receptors}
                except SpecError as error:
                    problems += error.within(f"region {region.name}: cells.{name}").problems
                    continue
                key = (cell.model, model.digest)
                if key not in keys:
                    keys.append(key)
                    names.append(unused_name(cell.model, names))
                    models.append(model)
                    receptors.append({})
                    sizes.append(0)
                block = keys.index(key)
                for receptor, definition in own.items():
                    if receptors[block].setdefault(receptor, definition) != definition:
                        where = f"region {region.name}: receptors.{receptor}"
                        problems.append(Problem(where, "another region defines this receptor otherwise; rename one"))
                known[region.name][name] = block
        if problems:
            continue
        for name, population in region.populations.items():
            block = known[region.name][population.cell]
            stop = start + population.size
            populations.append(
                PopulationSlice(label, region.name, name, start, stop, block, sizes[block], population.transmitter)
            )
            sizes[block] += population.size
            start = stop
    if problems:
        raise SpecError(problems)
    if start > MOST_NEURONS:
        found = f"expected at most {MOST_NEURONS:,} neurons in all, found {start:,}"
        raise SpecError([Problem("brain.regions", f"{found}; make populations smaller")])
    regions_of = dict(zip(connectome.labels, regions, strict=True))
    if problems := list(misplaced(brain.projections, regions_of)):
        raise SpecError(problems)
    for reached, receptor in _injected(regions_of, populations, stimuli):
        definition = receptor_model(receptor, regions_of[reached.label])
        if receptors[reached.block].setdefault(receptor, definition) != definition:
            where = f"region {reached.region}: receptors.{receptor}"
            raise SpecError([Problem(where, "another region defines this receptor otherwise; rename one")])
    blocks = tuple(
        BlockLayout(name, model, dict(sorted(own.items())), size)
        for name, model, own, size in zip(names, models, receptors, sizes, strict=True)
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


def _injected(
    regions: dict[str, Region], populations: list[PopulationSlice], stimuli: tuple[Stimulus, ...]
) -> Iterator[tuple[PopulationSlice, str]]:
    """Yield the populations into which a current is injected, and the receptor that it goes through."""
    for population in populations:
        for drive in regions[population.label].drives:
            if drive.population == population.population and drive.receptor in INJECTED:
                yield population, drive.receptor
    for stimulus in stimuli:
        if stimulus.receptor in INJECTED:
            yield from ((population, stimulus.receptor) for population in _reached(stimulus, populations))


def _reached(stimulus: Stimulus, populations: Iterable[PopulationSlice]) -> list[PopulationSlice]:
    populations = list(populations)
    labels = set(matching(stimulus.regions, (p.label for p in populations)))
    return [p for p in populations if p.population == stimulus.population and p.label in labels]


def unused_name(name: str, names: list[str]) -> str:
    """Return the name, numbered if other models of that name are there before it."""
    candidates = (name if i == 1 else f"{name}_{i}" for i in count(1))
    return next(candidate for candidate in candidates if candidate not in names)
