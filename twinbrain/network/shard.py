"""A shard: some of a brain's nodes, built by themselves, to the same integers as within the whole brain.

Its neurons keep their numbers, and its tables have a row for every neuron of the brain; but it holds only neurons,
inputs and probes of its own nodes, and only synapses that reach these.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

from twinbrain.network.layout import Layout
from twinbrain.network.network import Network, PopulationSlice


def shard_layout(layout: Layout, nodes: tuple[int, ...]) -> Layout:
    """Return the layout of a shard.

    Parameters
    ----------
    layout : Layout
        Of the whole brain.
    nodes : tuple of int
        The shard's nodes.

    Returns
    -------
    Layout
        With the blocks of the whole brain, whose sizes are those of the shard; some may be empty.
    """
    nodes = tuple(sorted(nodes))
    shard = replace(layout, built=nodes)
    sizes = [0] * len(layout.blocks)
    populations: list[PopulationSlice] = []
    for population in layout.populations:
        if shard.is_built(population):
            populations.append(replace(population, offset=sizes[population.block]))
            sizes[population.block] += population.size
        else:
            populations.append(replace(population, offset=-1))
    blocks = tuple(replace(block, size=size) for block, size in zip(layout.blocks, sizes, strict=True))
    return Layout(layout.connectome, layout.regions, tuple(populations), blocks, nodes)


def without_empty_blocks(network: Network) -> Network:
    """Return a shard's network without the blocks of which it has no neuron; engines need at least one in each."""
    number = list(accumulate((block.size > 0 for block in network.blocks), initial=0))
    return replace(
        network,
        blocks=tuple(block for block in network.blocks if block.size),
        populations=tuple(replace(p, block=number[p.block] if p.offset >= 0 else -1) for p in network.populations),
        probes=tuple(replace(probe, block=number[probe.block]) for probe in network.probes),
    )
