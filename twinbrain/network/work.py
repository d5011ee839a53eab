"""The work of a node: what a step of it is expected to take, relative to others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.models.step import step_program
from twinbrain.network.arriving import expected_long_range
from twinbrain.network.between_regions import by_target, expected_of
from twinbrain.network.layout import Layout
from twinbrain.network.plan import (
    ASSUMED_RATE,
    EVENTS_A_SECOND,
    NANOSECONDS_A_STATEMENT,
    expected_local_synapses,
    statements,
)
from twinbrain.spec.brain import Brain

_NANOSECONDS_A_DRAW = 3.0


def work_of_nodes(brain: Brain, layout: Layout, dt: float) -> NDArray[np.float64]:
    """Return the work of each node.

    Parameters
    ----------
    brain, layout
        The whole brain.
    dt : float (ms)
        Time step.

    Returns
    -------
    ndarray of float64, shape (node,)
        Nanoseconds a step, right to a factor of about two; what each step costs whatever its size is left out.
    """
    costs = [
        NANOSECONDS_A_STATEMENT * statements(step_program(block.model, block.receptors, f"model {block.name}"))
        for block in layout.blocks
    ]
    neurons = dict.fromkeys(layout.connectome.labels, 0.0)
    for population in layout.populations:
        neurons[population.label] += population.size * costs[population.block]
    drawn = {
        region.name: sum(region.populations[d.population].size for d in region.drives if d.kind in ("rate", "noise"))
        for region in layout.regions
    }
    local = {region.name: expected_local_synapses(region) for region in layout.regions}
    declared = by_target(brain)
    from_others = expected_long_range(brain.long_range, layout) if brain.long_range else np.zeros(len(layout.regions))
    work = []
    for node, (label, region) in enumerate(zip(layout.connectome.labels, layout.regions, strict=True)):
        n_synapses = local[region.name] + float(from_others[node])
        n_synapses += sum(expected_of(layout, projection) for _, projection in declared.get(label, []))
        arriving = n_synapses * ASSUMED_RATE * dt * 1e-3
        work.append(neurons[label] + _NANOSECONDS_A_DRAW * drawn[region.name] + arriving * 1e9 / EVENTS_A_SECOND)
    return np.array(work)
