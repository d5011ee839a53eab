"""Draw the synapses of a brain: those within each region, and those between regions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.network.connect import draw_pairs
from twinbrain.network.layout import Layout
from twinbrain.network.network import Inlet, PopulationSlice
from twinbrain.network.plastic import PlasticSynapses, draw_plastic
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import Floats, Key, stream_key, uniforms
from twinbrain.network.sampling import sample
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Distribution, Value
from twinbrain.spec.region import Region

LONGEST_DELAY = 2**16 - 1
InletOf = Callable[[PopulationSlice, str], Inlet]


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
    from_, to = draw_pairs(
        projection.connect,
        source.size,
        target.size,
        streams,
        same=source is target,
        source_positions=positions(region, source, seed),
        target_positions=positions(region, target, seed),
    )
    n = len(from_)
    delay = delay_steps(projection.delay, n, streams("delay"), dt)
    numbers = (from_ + source.start).astype(np.int32)
    for receptor, factor in projection.receptor.items():
        inlet = inlet_of(target, receptor)
        weight = _per_synapse("weight", projection.weight, units[receptor], n, streams("weight")) * factor
        if projection.plasticity is not None:
            yield draw_plastic(
                layout,
                label,
                region,
                projection,
                (receptor, factor, units[receptor]),
                inlet,
                (from_, to),
                weight,
                delay,
                streams,
                dt,
            )
            continue
        yield Synapses(
            receptor,
            "local",
            numbers,
            (to + (inlet.start + target.offset)).astype(np.int32),
            in_quanta(weight, inlet.quantum, "weight"),
            delay,
        )


def _per_synapse(where: str, value: Value, unit: str, n: int, key: Key) -> Floats:
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
    """Return delays in whole steps; a distribution is cut off at one step.

    Raises
    ------
    SpecError
        If a shared or explicit delay is under one step, or one is too long.
    """
    delay = _per_synapse("delay", value, "ms", n, key)
    if isinstance(value, Explicit) and n and (shortest := float(delay.min())) < dt / 2:
        message = f"expected at least one step ({dt:g} ms), found {shortest:g} ms of synapse {delay.argmin()}"
        raise SpecError([Problem("delay", f"{message}; give a longer delay")])
    if not isinstance(value, Distribution | Explicit) and n and delay[0] < dt / 2:
        raise SpecError(
            [Problem("delay", f"expected at least one step ({dt:g} ms), found {value}; give a longer delay")]
        )
    return _in_steps(delay, dt, "delay")


def _in_steps(delay: Floats, dt: float, where: str) -> NDArray[np.uint16]:
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


@dataclass(frozen=True, eq=False)
class Axons:
    """The neurons whose axons leave their regions, node by node."""

    neuron: NDArray[np.int32]
    inhibitory: NDArray[np.bool_]
    start: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.int64]:
        """How many there are in each node."""
        return np.diff(self.start)


def long_range_axons(layout: Layout) -> Axons:
    """Return the neurons whose axons leave."""
    neurons, inhibitory, start = [], [], [0]
    for label, region in zip(layout.connectome.labels, layout.regions, strict=True):
        outputs = [layout.find(label, name) for name in region.ports.outputs]
        neurons += [np.arange(p.start, p.stop, dtype=np.int32) for p in outputs]
        inhibitory += [np.full(p.size, p.transmitter == "gaba") for p in outputs]
        start.append(start[-1] + sum(p.size for p in outputs))
    return Axons(
        np.concatenate([np.empty(0, np.int32), *neurons]),
        np.concatenate([np.empty(0, np.bool_), *inhibitory]),
        np.array(start),
    )


def in_degrees(layout: Layout, node: int, mean: int) -> dict[str, int]:
    """Return the number of long-range synapses of a neuron of each input population of a node."""
    label, region = layout.connectome.labels[node], layout.regions[node]
    sizes = {name: layout.find(label, name).size for name in region.ports.inputs}
    total = mean * sum(sizes.values())
    shares = sum(port.share for port in region.ports.inputs.values())
    return {name: round(total * port.share / shares / sizes[name]) for name, port in region.ports.inputs.items()}


def long_range_synapses(
    layout: Layout,
    node: int,
    axons: Axons,
    rule: tuple[int, str | float, str | float, float],
    inlet_of: InletOf,
    units: dict[str, str],
    dt: float,
    seed: int,
) -> Iterator[Synapses]:
    """Draw the synapses that reach one node from others.

    Each neuron has a fixed number of them; the source's region is drawn in proportion to the connectome's row, the
    source uniformly among its axons.

    Raises
    ------
    SpecError
        If a population receives from axons for which its cell has no receptor.
    """
    mean, excitatory_weight, inhibitory_weight, speed = rule
    label, region = layout.connectome.labels[node], layout.regions[node]
    row = np.where(axons.count > 0, layout.connectome.weight.values[node], 0.0)
    row[node] = 0.0
    if row.sum() == 0:
        return
    cumulative = np.cumsum(row) / row.sum()
    length = np.where(row > 0, layout.connectome.length.values[node], 0.0)
    delay_of_node = _in_steps(length / speed, dt, f"brain.long_range.speed, length to {label}")
    for name, degree in in_degrees(layout, node, mean).items():
        target = layout.find(label, name)
        key = partial(stream_key, seed, "long range", label, name)
        n = degree * target.size
        post = np.repeat(np.arange(target.size), degree) + target.offset
        from_node = np.searchsorted(cumulative, uniforms(key("node"), n), side="right")
        # Rounding may leave the last cumulative value a little under 1.
        from_node = np.minimum(from_node, np.flatnonzero(row)[-1])
        chosen = axons.start[from_node] + np.floor(uniforms(key("axon"), n) * axons.count[from_node]).astype(np.int64)
        for is_inhibitory, weight, receptors in (
            (False, excitatory_weight, region.ports.inputs[name].glutamate),
            (True, inhibitory_weight, region.ports.inputs[name].gaba),
        ):
            kept = axons.inhibitory[chosen] == is_inhibitory
            if not kept.any():
                continue
            for receptor, factor in receptors.items():
                if receptor not in region.cell_of(name).receptors:
                    transmitter = "gaba" if is_inhibitory else "glutamate"
                    raise SpecError(
                        [
                            Problem(
                                f"region {region.name}: ports.inputs.{name}.{transmitter}",
                                f"expected a receptor of population {name!r} "
                                f"({', '.join(region.cell_of(name).receptors)}), found {receptor!r}",
                            )
                        ]
                    )
                inlet = inlet_of(target, receptor)
                values = sample(weight, units[receptor], 1, key("weight")) * factor
                yield Synapses(
                    receptor,
                    "long_range",
                    axons.neuron[chosen[kept]],
                    (post[kept] + inlet.start).astype(np.int32),
                    np.full(int(kept.sum()), in_quanta(values, inlet.quantum, "brain.long_range.weight")[0], np.int32),
                    delay_of_node[from_node[kept]],
                )
