"""Projections between regions: their ends, and what may be wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from twinbrain.errors import Problem
from twinbrain.spec.explicit import wrong_numbers_of
from twinbrain.spec.projection import Projection
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import nearest, suggestion

_MOST_SHOWN = 12


def label_and_population(end: str) -> tuple[str, str]:
    """Return the label and the population of ``"label.population"``; labels may have dots."""
    label, _, population = end.rpartition(".")
    return label, population


def declared_problems(projections: Sequence[Projection]) -> Iterator[Problem]:
    """Yield what is wrong with projections between regions whatever the connectome is."""
    keys = Counter(projection.key for projection in projections)
    named: set[str] = set()
    for i, projection in enumerate(projections):
        where = f"projections[{i}]"
        ends = {end: label_and_population(getattr(projection, end)) for end in ("source", "target")}
        for end, parts in ends.items():
            if not all(parts):
                message = f'expected "label.population", found {getattr(projection, end)!r}; name the region too'
                yield Problem(f"{where}.{end}", message)
        if ends["source"][0] and ends["source"][0] == ends["target"][0]:
            message = f"expected another region than that of the source, found {ends['target'][0]!r} twice"
            yield Problem(f"{where}.target", f"{message}; declare it among the projections of the region")
        if projection.plasticity is not None:
            message = f"expected static synapses between regions, found the rule {projection.plasticity.model!r}"
            yield Problem(f"{where}.plasticity", f"{message}; drop it, or put both populations into one region")
        if keys[projection.key] > 1 and projection.key not in named:
            named.add(projection.key)
            message = f"{keys[projection.key]} projections are {projection.key!r}; give each a name"
            yield Problem(f"{where}.name", message)
        yield from wrong_numbers_of(projection, where)


def misplaced(projections: Sequence[Projection], regions: Mapping[str, Region]) -> Iterator[Problem]:
    """Yield what does not fit the regions at the labels of the connectome."""
    for i, projection in enumerate(projections):
        where = f"brain.projections[{i}]"
        known = {}
        for end in ("source", "target"):
            label, population = label_and_population(getattr(projection, end))
            if label not in regions:
                near = nearest(label, regions, n=_MOST_SHOWN, cutoff=0.0)
                yield Problem(f"{where}.{end}", f"no region is labelled {label!r}; {suggestion(label, near)}")
            elif population not in regions[label].populations:
                hint = suggestion(population, regions[label].populations)
                yield Problem(f"{where}.{end}", f"unknown population {population!r} of region {label!r}; {hint}")
            else:
                known[end] = regions[label], population
        if "target" in known:
            region, population = known["target"]
            receptors = region.cell_of(population).receptors
            for receptor in projection.receptor:
                if receptor not in receptors:
                    what = f"unknown receptor {receptor!r} of population {projection.target!r}"
                    yield Problem(f"{where}.receptor", f"{what}; {suggestion(receptor, receptors)}")
        for end, (region, population) in known.items() if projection.connect.pairs is not None else ():
            size = region.populations[population].size
            highest = int(getattr(projection.connect.pairs, end).max(initial=0))
            if highest >= size:
                message = f"expected indices below the size {size} of population {getattr(projection, end)!r}"
                yield Problem(f"{where}.connect.pairs.{end}", f"{message}, found {highest}")
