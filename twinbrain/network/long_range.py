"""Draw the synapses between regions that one rule gives: how many, from which axons, how late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.network.layout import Layout
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import stream_key, uniforms
from twinbrain.network.sampling import sample
from twinbrain.network.synapses import InletOf, Synapses, in_steps


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
    delay_of_node = in_steps(length / speed, dt, f"brain.long_range.speed, length to {label}")
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
