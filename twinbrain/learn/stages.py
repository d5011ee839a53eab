"""Stages: in which order blocks of a network can be computed, each for all steps, before what depends on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twinbrain.learn.weights import synapse_ends
from twinbrain.network.network import Network


@dataclass(frozen=True, eq=False)
class StageLayout:
    """Blocks whose spikes reach each other, or one alone.

    Parameters
    ----------
    blocks : tuple of int
        By number.
    neurons : ndarray of int64, shape (neuron,)
        Numbers of its neurons, block by block.
    inlets : ndarray of int64, shape (inlet,)
        Its places of the flat inbox, block by block and receptor by receptor.
    """

    blocks: tuple[int, ...]
    neurons: NDArray[np.int64]
    inlets: NDArray[np.int64]


def find_stages(network: Network) -> list[StageLayout]:
    """Return the stages of a network, each after those it receives from."""
    n = len(network.blocks)
    block_of = np.empty(network.n_neurons, np.int64)
    for i, block in enumerate(network.blocks):
        block_of[block.neurons] = i
    edges = set()
    for table in network.tables:
        source, target = synapse_ends(network, table)
        edges |= set(np.unique(block_of[source] * n + block_of[target]).tolist())
    from_, to = np.array(sorted(edges), np.int64).reshape(-1) // n, np.array(sorted(edges), np.int64).reshape(-1) % n
    graph = coo_array((np.ones(len(from_)), (from_, to)), shape=(n, n))
    count, label = connected_components(graph, directed=True, connection="strong")
    depth = np.zeros(count, np.int64)
    for _ in range(count):  # the longest path that leads to each
        for a, b in zip(label[from_], label[to], strict=True):
            if a != b:
                depth[b] = max(depth[b], depth[a] + 1)
    return [_stage(network, tuple(np.flatnonzero(label == c).tolist())) for c in np.argsort(depth, kind="stable")]


def _stage(network: Network, blocks: tuple[int, ...]) -> StageLayout:
    neurons = np.concatenate([network.blocks[b].neurons.astype(np.int64) for b in blocks])
    inlets = [np.arange(i.start, i.stop) for b in blocks for i in network.blocks[b].inlets]
    return StageLayout(blocks, neurons, np.concatenate([np.empty(0, np.int64), *inlets]))
