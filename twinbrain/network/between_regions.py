"""Draw the synapses between regions that are declared one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from twinbrain import units as units_
from twinbrain.errors import SpecError
from twinbrain.network.connect import expected_synapses
from twinbrain.network.layout import Layout
from twinbrain.network.random import Key, stream_key
from twinbrain.network.ranges import check_conductances
from twinbrain.network.sampling import coherent_values
from twinbrain.network.synapses import InletOf, Synapses, draw_ends, per_synapse, static_synapses
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.brain import Brain
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Distribution, Value

Numbered = tuple[int, Projection]


def by_target(brain: Brain) -> dict[str, list[Numbered]]:
    """Return for each label the projections that reach it, with their places in the declaration."""
    found: dict[str, list[Numbered]] = {}
    for i, projection in enumerate(brain.projections):
        found.setdefault(label_and_population(projection.target)[0], []).append((i, projection))
    return found


def declared_synapses(
    layout: Layout,
    declared: Sequence[Numbered],
    inlet_of: InletOf,
    units: dict[str, str],
    dt: float,
    seed: int,
) -> Iterator[Synapses]:
    """Draw the synapses of projections between regions.

    Their streams are keyed by the target's label, so any part of a brain draws those that reach it.

    Raises
    ------
    SpecError
        If a projection cannot be built as declared.
    """
    regions = dict(zip(layout.connectome.labels, layout.regions, strict=True))
    for i, projection in declared:
        ends = [label_and_population(end) for end in (projection.source, projection.target)]
        source, target = (layout.find(*end) for end in ends)
        streams = _streams(seed, target.label, projection.key)
        try:
            pairs, delay = draw_ends(
                projection, (regions[source.label], source), (regions[target.label], target), streams, dt, seed
            )
            for receptor, factor in projection.receptor.items():
                weight = per_synapse("weight", projection.weight, units[receptor], len(delay), streams("weight"))
                check_conductances(weight * factor, units[receptor], receptor)
                inlet = inlet_of(target, receptor)
                yield static_synapses("long_range", source, target, inlet, pairs, weight * factor, delay)
        except SpecError as error:
            raise error.within(f"brain.projections[{i}]") from None


def _streams(seed: int, label: str, key: str) -> Callable[[str], Key]:
    return lambda what: stream_key(seed, "between regions", what, label, key)


def expected_of(layout: Layout, projection: Projection) -> float:
    """Return the expected number of synapses of a projection between regions."""
    source, target = (layout.find(*label_and_population(end)) for end in (projection.source, projection.target))
    regions = layout.regions
    labels = layout.connectome.labels
    extents = [regions[labels.index(p.label)].populations[p.population].extent for p in (source, target)]
    n = expected_synapses(
        projection.connect, source.size, target.size, source_extent=extents[0], target_extent=extents[1]
    )
    return n * len(projection.receptor)


def shortest_delay(value: Value) -> float:
    """Return a delay that none goes below, in ms; 0 where a distribution has no bound, and is cut off at one step."""
    if isinstance(value, Explicit):
        return float(coherent_values(value, "ms").min()) if len(value) else 0.0
    if not isinstance(value, Distribution):
        return units_.coherent(value, "ms")
    if value.minimum is not None:
        return units_.coherent(value.minimum, "ms")
    return units_.coherent(value.first, "ms") if value.kind == "uniform" else 0.0
