"""Lesions: some neurons, or hidden units, fall silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from twinbrain.errors import LearnError
from twinbrain.learn.baselines.recurrent import Recurrent
from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.tasks.split import generator
from twinbrain.learn.weights import synapse_ends
from twinbrain.network.network import PopulationSlice
from twinbrain.spec.suggest import listed, suggestion


@contextmanager
def lesioned(network: TrainableNetwork, share: float, seed: int) -> Iterator[None]:
    """Silence a share of a network's neurons for a while: their outgoing weights are 0.

    Parameters
    ----------
    network : TrainableNetwork
        Its populations ``input`` and ``readout`` are left alone.
    share : float
        From 0 to 1. What a smaller share silences, a larger one silences too.
    seed : int
        Names the draw.
    """
    with silenced(network, _chosen(network.own_neurons(), share, seed)):
        yield


@contextmanager
def silenced(network: TrainableNetwork, neurons: NDArray[np.int64]) -> Iterator[None]:
    """Set the outgoing weights of neurons to 0 for a while.

    Parameters
    ----------
    network : TrainableNetwork
        Is put back afterwards.
    neurons : ndarray of int64, shape (silent,)
        Their numbers.
    """
    before = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        with torch.no_grad():
            for weights, table in zip(network.tables(), network.lowered.network.tables, strict=True):
                lost = torch.as_tensor(np.isin(synapse_ends(network.lowered.network, table)[0], neurons))
                lost = lost.to(weights.base.device)
                weights.base[lost] = 0.0
                weights.relative[lost[weights.per_synapse]] = 0.0
        yield
    finally:
        network.load_state_dict(before)


def neurons_named(network: TrainableNetwork, name: str) -> NDArray[np.int64]:
    """Return the numbers of the neurons of a cell class, or of a population.

    Parameters
    ----------
    network : TrainableNetwork
        Of a region or a brain.
    name : str
        Of the cell or the population, in every region that has it, or ``"label.population"`` for one region's. A name
        of both is that of the class, which has to hold all of the population.

    Raises
    ------
    LearnError
        If there is none of that name, or it names a class and neurons of other classes.
    """
    layout = network.lowered.layout
    regions = dict(zip(layout.connectome.labels, layout.regions, strict=True))
    classes: dict[str, list[PopulationSlice]] = {}
    populations: dict[str, list[PopulationSlice]] = {}
    for p in network.lowered.network.populations:
        if p.population in (INPUT, READOUT):
            continue
        cell = regions[p.label].populations[p.population].cell
        classes.setdefault(cell, []).append(p)
        for own in (p.population, f"{p.label}.{p.population}"):
            populations.setdefault(own, []).append(p)
    chosen = classes.get(name) or populations.get(name)
    if chosen is None:
        hint = suggestion(name, {*classes, *populations})
        raise LearnError(f"without: expected a cell class or a population, found {name!r}; {hint}")
    if others := [p for p in populations.get(name, []) if p not in chosen]:
        raise LearnError(
            f"without: expected a name of neurons of one kind, found {name!r}, the cell class of "
            f"{_listed(chosen)} and the name of {_listed(others)}; name a population as 'region.population', or rename "
            "the class"
        )
    return np.concatenate([np.arange(p.start, p.stop) for p in chosen])


def _listed(populations: list[PopulationSlice]) -> str:
    return listed([f"{p.label}.{p.population}" for p in populations])


@contextmanager
def lesioned_baseline(module: nn.Module, share: float, seed: int) -> Iterator[None]:
    """Silence a share of what the readout of a baseline reads for a while, also where it comes back to the layer.

    Parameters
    ----------
    module : torch.nn.Module
        A baseline with a linear ``readout``.
    share : float
        From 0 to 1.
    seed : int
        Names the draw.
    """
    before = {name: value.clone() for name, value in module.state_dict().items()}
    readout = module.get_submodule("readout")
    assert isinstance(readout, nn.Linear)
    silent = torch.as_tensor(_chosen(np.arange(readout.in_features), share, seed))
    try:
        with torch.no_grad():
            readout.weight[:, silent] = 0.0
            if isinstance(module, Recurrent):
                module.layer.get_parameter("weight_hh_l0")[:, silent] = 0.0
        yield
    finally:
        module.load_state_dict(before)


def _chosen(neurons: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    order = generator(seed, "lesion").permutation(neurons)
    return np.sort(order[: round(share * len(neurons))])
