"""Levels: populations that reach each other in turn, in the order in which spikes go through a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.jacobian import CHUNK
from twinbrain.network.network import PopulationSlice


@dataclass(frozen=True, eq=False)
class Level:
    """Populations that reach each other, or one alone.

    Parameters
    ----------
    stage : int
        The stage that holds them.
    places : dict of int to Tensor of int64
        By block, the places of their neurons in it.
    neurons : Tensor of int64, shape (neuron,)
        Places of the same neurons in the stage, block by block.
    lag : int
        How many chunks of steps it is computed later than the end of the network, for what follows to be known.
    """

    stage: int
    places: dict[int, Tensor]
    neurons: Tensor
    lag: int


def find_levels(network: TrainableNetwork) -> list[Level]:
    """Return the levels of a network, each before those it sends to.

    That of the input is none of them, nor are neurons without receptors: nothing arrives there that could be learned.
    """
    populations = network.lowered.network.populations
    delays = _delays(network)
    n = len(populations)
    edges = np.array(sorted(delays), np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(edges.shape[1]), tuple(edges)), shape=(n, n))
    count, label = connected_components(graph, directed=True, connection="strong")
    lag = np.zeros(count, np.int64)
    for _ in range(count):
        for (source, target), delay in delays.items():
            if (a := label[source]) != (b := label[target]):
                lag[a] = max(lag[a], lag[b] + 1 + delay // CHUNK)
    levels = []
    for own in np.argsort(-lag, kind="stable"):
        members = [p for p, component in zip(populations, label, strict=True) if component == own]
        if network.input not in members and any(network.blocks()[p.block].program.jumps for p in members):
            levels.append(_level(network, members, int(lag[own])))
    return levels


def _level(network: TrainableNetwork, members: list[PopulationSlice], lag: int) -> Level:
    stage = next(n for n, stage in enumerate(network.layout) if members[0].block in stage.blocks)
    places, neurons, start = {}, [], 0
    for block in network.layout[stage].blocks:
        own = [np.arange(p.offset, p.offset + p.size) for p in members if p.block == block]
        if own:
            places[block] = torch.tensor(np.concatenate(own), device=network.place.device)
            neurons.append(start + places[block])
        start += network.blocks()[block].n_neurons
    return Level(stage, places, torch.cat(neurons), lag)


def _delays(network: TrainableNetwork) -> dict[tuple[int, int], int]:
    """Return the longest delay, in steps, from each population to each that it reaches."""
    found: dict[tuple[int, int], int] = {}
    for built, table in zip(network.lowered.network.tables, network.tables(), strict=True):
        longest = np.zeros(len(table.groups), np.int64)
        np.maximum.at(longest, table.group.cpu().numpy(), built.delay)
        for group, delay in zip(table.groups, longest.tolist(), strict=True):
            pair = group.source, group.target
            found[pair] = max(found.get(pair, 0), delay)
    return found
