"""Lesions: some neurons, or hidden units, fall silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from twinbrain.learn.baselines.recurrent import Recurrent
from twinbrain.learn.network import INPUT, READOUT, TrainableNetwork
from twinbrain.learn.tasks.split import generator
from twinbrain.learn.weights import synapse_ends


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
    populations = [p for p in network.lowered.network.populations if p.population not in (INPUT, READOUT)]
    silent = _chosen(np.concatenate([np.arange(p.start, p.stop) for p in populations]), share, seed)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        with torch.no_grad():
            for weights, table in zip(network.tables(), network.lowered.network.tables, strict=True):
                lost = torch.as_tensor(np.isin(synapse_ends(network.lowered.network, table)[0], silent))
                lost = lost.to(weights.base.device)
                weights.base[lost] = 0.0
                weights.relative[lost[weights.per_synapse]] = 0.0
        yield
    finally:
        network.load_state_dict(before)


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
