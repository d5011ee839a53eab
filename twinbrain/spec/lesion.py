"""Lesions: a region or a brain without some of its parts, the others as they were.

What the long-range synapses of others are reckoned from is remembered of populations (`spec.lost`), and not of regions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from twinbrain.errors import Problem, SpecError
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.drive import Drive
from twinbrain.spec.labels import first_patterns, matching
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
    gone = _meant("populations", names, region.populations)
    return _cut(region, gone, _meant("projections", keys, [projection.key for projection in region.projections]))


def brain_without(
    brain: Brain, regions: Patterns = (), populations: Patterns = (), projections: Patterns = ()
) -> Brain:
    """Return a brain without some regions, populations and projections; see `Brain.without`."""
    keys, given = _listed(projections), _listed(populations)
    names, placed = [p for p in given if "/" not in p], [p for p in given if "/" in p]
    kinds = list(brain.regions.values())
    local = [projection.key for region in kinds for projection in region.projections]
    everywhere = _meant("populations", names, [name for region in kinds for name in region.populations])
    between = [projection.key for projection in brain.projections]
    ends = chain.from_iterable((projection.source, projection.target) for projection in brain.projections)
    labels_there = {label_and_population(end)[0] for end in ends}.union(getattr(brain.connectome, "labels", ()))
    cut_off = _meant("projections", keys, [*local, *between], labels_there)
    gone_of = _placed(brain, placed)
    left = {pattern: _cut(region, everywhere, cut_off) for pattern, region in brain.regions.items()}
    left = _cut_at_labels(brain, left, gone_of)
    connectome = brain.connectome
    if labels := _listed(regions):
        connectome = _itself(brain)
        gone = {connectome.labels[i] for i in connectome.match(labels)}
        staying = [i for i, label in enumerate(connectome.labels) if label not in gone]
        if not staying:
            raise SpecError([Problem("regions", "expected that a region is left, found none; take out fewer")])
        connectome = connectome.at(staying)
    if isinstance(connectome, Connectome) and (labels or gone_of):
        # Of all labels, since what is a name of one that is gone would be a pattern for the others.
        pattern_of = first_patterns(left, _itself(brain).labels)
        used = {pattern_of[label] for label in connectome.labels if label in pattern_of}
        left = {pattern: region for pattern, region in left.items() if pattern in used}

    def stays(projection: Projection) -> bool:
        ends = [label_and_population(end) for end in (projection.source, projection.target)]
        return projection.key not in cut_off and not any(
            population in everywhere
            or population in gone_of.get(label, ())
            or (isinstance(connectome, Connectome) and label not in connectome.labels)
            for label, population in ends
        )

    return brain.replace(connectome=connectome, regions=left, projections=tuple(filter(stays, brain.projections)))


def _itself(brain: Brain) -> Connectome:
    """Return the connectome of a brain, whose labels are needed."""
    connectome = brain.connectome
    if not isinstance(connectome, Connectome):
        message = f"expected the connectome itself, to take parts out at its labels, found its name {connectome!r}"
        remedy = f"brain.replace(connectome=tb.load_connectome({connectome!r}))"
        raise SpecError([Problem("connectome", f"{message}; first: {remedy}")])
    return connectome


def _placed(brain: Brain, patterns: Sequence[str]) -> dict[str, list[str]]:
    """Return for labels the populations that patterns such as ``"V1/pv"`` mean there."""
    if not patterns:
        return {}
    labels = _itself(brain).labels
    found = zip(labels, brain.assignment(labels), strict=True)
    ends = {f"{label}/{name}": (label, name) for label, region in found for name in region.populations}
    gone: dict[str, list[str]] = {}
    for full in _meant("populations", patterns, ends, labels):
        label, name = ends[full]
        gone.setdefault(label, []).append(name)
    return gone


def _cut_at_labels(brain: Brain, left: dict[str, Region], gone_of: dict[str, list[str]]) -> dict[str, Region]:
    """Return the regions, with those that lose populations at some labels alone put before them, under new names.

    Draws go by labels and not by names of regions, so that what stays there is as it was.
    """
    own: dict[str, Region] = {}
    pattern_of = first_patterns(left, _itself(brain).labels) if gone_of else {}
    for label, names in gone_of.items():
        pattern = pattern_of[label]
        cut = _cut(left[pattern], names, ())
        if cut is left[pattern]:  # the population goes everywhere, too
            continue
        name = f"{cut.name}_without_{'_'.join(name for name in left[pattern].populations if name in names)}"
        known = {region.name: region for region in (*left.values(), *own.values())}
        while known.get(name, cut.replace(name=name)) != cut.replace(name=name):
            name += "_"
        own[label] = cut.replace(name=name)
    return own | {pattern: region for pattern, region in left.items() if pattern not in own}


def _cut(region: Region, names: Collection[str], keys: Collection[str]) -> Region:
    def stays(name: str) -> bool:
        return name not in names

    populations = {name: population for name, population in region.populations.items() if stays(name)}
    if not populations:
        where, message = f"region {region.name}", "expected that a population is left, found none"
        raise SpecError([Problem(where, f"{message}; take out fewer, or the whole region")])
    if len(populations) == len(region.populations) and not any(p.key in keys for p in region.projections):
        return region
    projections = [p for p in region.projections if stays(p.source) and stays(p.target) and p.key not in keys]
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


def _meant(what: str, patterns: Iterable[str], known: Iterable[str], labels: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names that patterns mean among all that there are: a name as it stands means that name alone."""
    names, meant = list(dict.fromkeys(known)), dict[str, None]()
    for pattern in patterns:
        found = matching(pattern, names, labels)
        if not found:
            raise SpecError([Problem(what, f"nothing is called {pattern!r}; {suggestion(pattern, names)}")])
        meant |= dict.fromkeys(found)
    return tuple(meant)
