"""Draw the synapses between regions that one rule gives: how many, from which axons, how late."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from twinbrain.errors import Problem, SpecError
from twinbrain.network.axons import Axons
from twinbrain.network.inflow import Inflow
from twinbrain.network.layout import Layout
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import stream_key, uniforms
from twinbrain.network.sampling import sample
from twinbrain.network.synapses import InletOf, Synapses, in_steps
from twinbrain.spec.brain import LongRange


def long_range_synapses(
    layout: Layout,
    node: int,
    axons: Axons,
    inflow: Inflow,
    rule: LongRange,
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
    label, region = layout.connectome.labels[node], layout.regions[node]
    row = inflow.row
    if row.sum() == 0:
        return
    cumulative = np.cumsum(row) / row.sum()
    length = np.where(row > 0, layout.connectome.length.values[node], 0.0)
    delay_of_node = in_steps(length / rule.speed, dt, f"brain.long_range.speed, length to {label}")
    for name, degree in inflow.in_degree.items():
        target = layout.find(label, name)
        key = partial(stream_key, seed, "long range", label, name)
        n = degree * target.size
        post = np.repeat(np.arange(target.size), degree) + target.offset
        from_node = np.searchsorted(cumulative, uniforms(key("node"), n), side="right")
        # Rounding may leave the last cumulative value a little under 1.
        from_node = np.minimum(from_node, np.flatnonzero(row)[-1])
        chosen = axons.start[from_node] + np.floor(uniforms(key("axon"), n) * axons.count[from_node]).astype(np.int64)
        for is_inhibitory, weight, receptors in (
            (False, inflow.weight, region.ports.inputs[name].glutamate),
            (True, rule.weight_of_gaba(inflow.weight), region.ports.inputs[name].gaba),
        ):
            # Those of axons that a lesion took out are missing; nothing is made in their place.
            kept = (axons.inhibitory[chosen] == is_inhibitory) & (axons.neuron[chosen] >= 0)
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
