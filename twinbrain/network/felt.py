"""Find what would arrive at receptors that act on nothing of their neurons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from twinbrain.errors import Problem
from twinbrain.models.reach import unfelt, unfelt_problem
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.region import Region

if TYPE_CHECKING:
    from twinbrain.network.layout import Layout


def unfelt_inputs(brain: Brain, layout: Layout, stimuli: Iterable[Stimulus]) -> Iterator[Problem]:
    """Yield a problem for each drive, stimulus, projection and port of which nothing would be felt."""
    unfelt_of = [unfelt(block.model, block.receptors) for block in layout.blocks]
    if not any(unfelt_of):
        return
    blocks = {(population.region, population.population): population.block for population in layout.populations}
    regions = dict(zip(layout.connectome.labels, layout.regions, strict=True))

    def problems(where: str, region: Region, population: str, receptors: Iterable[str]) -> Iterator[Problem]:
        block = blocks[region.name, population]
        for name in receptors:
            if name in unfelt_of[block]:
                yield unfelt_problem(where, name, layout.blocks[block].receptors[name])

    for region in {region.name: region for region in layout.regions}.values():
        where = f"region {region.name}"
        for i, drive in enumerate(region.drives):
            yield from problems(f"{where}: drives[{i}]", region, drive.population, [drive.receptor])
        for i, projection in enumerate(region.projections):
            yield from problems(f"{where}: projections[{i}]", region, projection.target, projection.receptor)
        for name, port in region.ports.inputs.items() if brain.long_range is not None else ():
            reached = set(region.cell_of(name).receptors) & {*port.glutamate, *port.gaba}
            yield from problems(f"{where}: ports.inputs.{name}", region, name, sorted(reached))
    for stimulus in stimuli:
        for region in {reached.region: regions[reached.label] for reached in layout.reached(stimulus)}.values():
            yield from problems(f"stimuli.{stimulus.name}", region, stimulus.population, [stimulus.receptor])
    for i, projection in enumerate(brain.projections):
        label, name = label_and_population(projection.target)
        yield from problems(f"brain.projections[{i}]", regions[label], name, projection.receptor)
