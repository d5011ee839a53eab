"""Draw the synapses of projections: those within a region, and what all projections share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.network.connect import Pairs, draw_pairs
from twinbrain.network.layout import Layout
from twinbrain.network.network import Inlet, PopulationSlice
from twinbrain.network.plastic import PlasticSynapses, draw_plastic
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import Floats, Key, stream_key, uniforms
from twinbrain.network.ranges import check_conductances
from twinbrain.network.sampling import mean_and_highest, sample
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Distribution, Value
from twinbrain.spec.region import Region

LONGEST_DELAY = 2**16 - 1
InletOf = Callable[[PopulationSlice, str], Inlet]
End = tuple[Region, PopulationSlice]


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses as they are drawn, in no order yet.

    Parameters
    ----------
    source : ndarray of int32
        Number of the source neuron.
    post : ndarray of int32
        Place in the flat inbox.
    weight : ndarray of int32
        In quanta.
    delay : ndarray of uint16
        In steps.
    """

    receptor: str
    origin: str
    source: NDArray[np.int32]
    post: NDArray[np.int32]
    weight: NDArray[np.int32]
    delay: NDArray[np.uint16]


def local_synapses(
    layout: Layout, node: int, inlet_of: InletOf, units: dict[str, str], dt: float, seed: int
) -> Iterator[Synapses | PlasticSynapses]:
    """Draw the synapses within the region of one node.

    Raises
    ------
    SpecError
        If a projection cannot be built as declared.
    """
    label, region = layout.connectome.labels[node], layout.regions[node]
    for i, projection in enumerate(region.projections):
        try:
            yield from _projection(layout, label, region, projection, inlet_of, units, dt, seed)
        except SpecError as error:
            raise error.within(f"region {region.name}: projections[{i}]") from None


def _projection(
    layout: Layout,
    label: str,
    region: Region,
    projection: Projection,
    inlet_of: InletOf,
    units: dict[str, str],
    dt: float,
    seed: int,
) -> Iterator[Synapses | PlasticSynapses]:
    source, target = layout.find(label, projection.source), layout.find(label, projection.target)
    streams: Callable[[str], Key] = lambda what: stream_key(seed, what, label, projection.key)  # noqa: E731
    pairs, delay = draw_ends(projection, (region, source), (region, target), streams, dt, seed)
    for receptor, factor in projection.receptor.items():
        inlet = inlet_of(target, receptor)
        weight = per_synapse("weight", projection.weight, units[receptor], len(delay), streams("weight")) * factor
        check_conductances(weight, units[receptor], receptor)
        if projection.plasticity is not None:
            own = (receptor, factor, units[receptor])
            yield draw_plastic(layout, label, region, projection, own, inlet, pairs, weight, delay, streams, dt)
            continue
        yield static_synapses("local", source, target, inlet, pairs, weight, delay)


def draw_ends(
    projection: Projection, source: End, target: End, streams: Callable[[str], Key], dt: float, seed: int
) -> tuple[Pairs, NDArray[np.uint16]]:
    """Return the pairs of neurons that a projection joins, and the delay of each in steps.

    Parameters
    ----------
    projection : Projection
        What is drawn.
    source, target : tuple of Region and PopulationSlice
        Its ends.
    streams : callable
        Gives the key of a named stream of this projection.
    dt : float (ms)
        Time step.
    seed : int
        Keys the positions.

    Raises
    ------
    SpecError
        If the projection cannot be built as declared.
    """
    pairs = draw_pairs(
        projection.connect,
        source[1].size,
        target[1].size,
        streams,
        same=source[1] is target[1],
        source_positions=positions(*source, seed),
        target_positions=positions(*target, seed),
    )
    return pairs, delay_steps(projection.delay, len(pairs[0]), streams("delay"), dt)


def static_synapses(
    origin: str,
    source: PopulationSlice,
    target: PopulationSlice,
    inlet: Inlet,
    pairs: Pairs,
    weight: Floats,
    delay: NDArray[np.uint16],
) -> Synapses:
    """Return the synapses of pairs of neurons, by their numbers and with weights in quanta.

    Raises
    ------
    SpecError
        If a weight is beyond the range of an integer.
    """
    from_, to = pairs
    return Synapses(
        inlet.receptor,
        origin,
        (from_ + source.start).astype(np.int32),
        (to + (inlet.start + target.offset)).astype(np.int32),
        in_quanta(weight, inlet.quantum, "weight"),
        delay,
    )


def per_synapse(where: str, value: Value, unit: str, n: int, key: Key) -> Floats:
    """Return a value of each synapse, in the coherent unit.

    Raises
    ------
    SpecError
        If explicit values are not ``n``; at the place ``where``.
    """
    if isinstance(value, Explicit) and len(value) != n:
        message = f"expected {n:,} values, one for each synapse that is drawn, found {len(value):,}"
        raise SpecError([Problem(where, f"{message}; give as many, or the synapses too, as connect.pairs")])
    return sample(value, unit, n, key)


def positions(region: Region, population: PopulationSlice, seed: int) -> Floats | None:
    """Return where the neurons of a population are, uniform in its extent, or None.

    Returns
    -------
    ndarray of float64 (mm), shape (size, 3)
    """
    extent = region.populations[population.population].extent
    if extent is None:
        return None
    key = stream_key(seed, "position", population.label, population.population)
    return np.asarray(uniforms(key, 3 * population.size).reshape(-1, 3) * np.array(extent), np.float64)


def delay_steps(value: Value, n: int, key: Key, dt: float) -> NDArray[np.uint16]:
    """Return delays in whole steps, each rounded to the nearest; a distribution is cut off at one step.

    Raises
    ------
    SpecError
        If a shared or explicit delay is under one step, a distribution wholly or in its mean, or one is too long.
    """
    delay = per_synapse("delay", value, "ms", n, key)
    least = dt * (1 - 1e-9)  # 0.1 ms may be a little less than the 0.1 ms of another sum
    if isinstance(value, Explicit) and n and (shortest := float(delay.min())) < least:
        message = f"expected at least one step ({dt:g} ms), found {shortest:g} ms of synapse {delay.argmin()}"
        raise SpecError([Problem("delay", f"{message}; give a longer delay")])
    if not isinstance(value, Distribution | Explicit) and n and delay[0] < least:
        raise SpecError(
            [Problem("delay", f"expected at least one step ({dt:g} ms), found {value}; give a longer delay")]
        )
    if isinstance(value, Distribution) and n:
        mean, highest = mean_and_highest(value, "ms")
        if highest < least or mean < 0.5 * least:
            found = f"a mean of {mean:.3g} ms" if highest >= least else f"none above {highest:.3g} ms"
            raise SpecError(
                [Problem("delay", f"expected delays of at least one step ({dt:g} ms), found {found}; give longer ones")]
            )
    return in_steps(delay, dt, "delay")


def in_steps(delay: Floats, dt: float, where: str) -> NDArray[np.uint16]:
    """Return delays in ms as whole steps, at least one.

    Raises
    ------
    SpecError
        If one is too long; at the place ``where``.
    """
    steps: Floats = np.maximum(np.floor(delay / dt + 0.5), 1.0)
    if len(steps) and steps.max() > LONGEST_DELAY:
        raise SpecError(
            [
                Problem(
                    where,
                    f"expected at most {LONGEST_DELAY} steps of {dt:g} ms, found {delay.max():g} ms; use a larger dt",
                )
            ]
        )
    return steps.astype(np.uint16)
