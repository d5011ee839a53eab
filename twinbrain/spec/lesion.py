"""Lesions: a region or a brain without some of its parts, the others as they were.

What the long-range synapses of others are reckoned from is remembered of populations (`spec.lost`), and not of regions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from twinbrain.errors import Problem, SpecError
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.drive import Drive
from twinbrain.spec.labels import matching
from twinbrain.spec.lost import lost_with
from twinbrain.spec.projection import Projection
from twinbrain.spec.suggest import suggestion

if TYPE_CHECKING:
    from twinbrain.spec.brain import Brain
    from twinbrain.spec.region import Region

Patterns = str | Iterable[str]


def region_without(region: Region, populations: Patterns = (), projections: Patterns = ()) -> Region:
    """Return a region without some populations and projections; see `Region.without`."""
    names, keys = _listed(populations), _listed(projections)
    _check_known("populations", names, region.populations)
    _check_known("projections", keys, [projection.key for projection in region.projections])
    return _cut(region, names, keys)


def brain_without(
    brain: Brain, regions: Patterns = (), populations: Patterns = (), projections: Patterns = ()
) -> Brain:
    """Return a brain without some regions, populations and projections; see `Brain.without`."""
    names, keys = _listed(populations), _listed(projections)
    kinds = list(brain.regions.values())
    local = [projection.key for region in kinds for projection in region.projections]
    _check_known("populations", names, [name for region in kinds for name in region.populations])
    _check_known("projections", keys, [*local, *(projection.key for projection in brain.projections)])
    left = {pattern: _cut(region, names, keys) for pattern, region in brain.regions.items()}
    connectome = brain.connectome
    if labels := _listed(regions):
        if not isinstance(connectome, Connectome):
            message = f"expected the connectome itself, to take regions out of it, found its name {connectome!r}"
            remedy = f"brain.replace(connectome=tb.load_connectome({connectome!r}))"
            raise SpecError([Problem("connectome", f"{message}; first: {remedy}")])
        gone = {connectome.labels[i] for i in connectome.match(labels)}
        staying = [i for i, label in enumerate(connectome.labels) if label not in gone]
        if not staying:
            raise SpecError([Problem("regions", "expected that a region is left, found none; take out fewer")])
        connectome = connectome.at(staying)
        used = brain.replace(connectome=connectome).patterns(connectome.labels)
        left = {pattern: region for pattern, region in left.items() if pattern in used}

    def stays(projection: Projection) -> bool:
        ends = [label_and_population(end) for end in (projection.source, projection.target)]
        return not _any(projection.key, keys) and not any(
            _any(population, names) or (isinstance(connectome, Connectome) and label not in connectome.labels)
            for label, population in ends
        )

    return brain.replace(connectome=connectome, regions=left, projections=tuple(filter(stays, brain.projections)))


def _cut(region: Region, names: Sequence[str], keys: Sequence[str]) -> Region:
    def stays(name: str) -> bool:
        return not _any(name, names)

    populations = {name: population for name, population in region.populations.items() if stays(name)}
    if not populations:
        where, message = f"region {region.name}", "expected that a population is left, found none"
        raise SpecError([Problem(where, f"{message}; take out fewer, or the whole region")])
    if len(populations) == len(region.populations) and not any(_any(p.key, keys) for p in region.projections):
        return region
    projections = [p for p in region.projections if stays(p.source) and stays(p.target) and not _any(p.key, keys)]
    for i, projection in enumerate(projections):
        if projection.plasticity is not None and not stays(projection.plasticity.modulator or ""):
            message = f"expected its modulator {projection.plasticity.modulator!r}, which is taken out"
            raise SpecError([Problem(f"region {region.name}: projections[{i}]", f"{message}; take it out too")])
    ports = region.ports.replace(
        outputs=tuple(filter(stays, region.ports.outputs)),
        inputs={name: port for name, port in region.ports.inputs.items() if stays(name)},
    )
    return region.replace(
        populations=populations,
        projections=tuple(projections),
        drives=_drives_left(region.drives, stays),
        ports=ports,
        expected={name: rates for name, rates in region.expected.items() if stays(name)},
        lost=lost_with(region, [name for name in region.populations if not stays(name)]),
    )


def _drives_left(drives: Sequence[Drive], stays: Callable[[str], bool]) -> tuple[Drive, ...]:
    """Return the drives of what stays; where one moves up, its name keeps the stream that its place gave it."""
    left = [(place, drive) for place, drive in enumerate(drives) if stays(drive.population)]
    return tuple(
        drive if drive.name or place == now else drive.replace(name=str(place))
        for now, (place, drive) in enumerate(left)
    )


def _listed(patterns: Patterns) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(matching(pattern, [name]) for pattern in patterns)


def _check_known(what: str, patterns: Iterable[str], known: Iterable[str]) -> None:
    names = list(dict.fromkeys(known))
    for pattern in patterns:
        if not any(_any(name, [pattern]) for name in names):
            raise SpecError([Problem(what, f"nothing is called {pattern!r}; {suggestion(pattern, names)}")])
