"""Find weights of the input with which a network begins to learn: neither silent nor saturated."""

from __future__ import annotations

import torch

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch
from twinbrain.learn.metrics.score import mean_output
from twinbrain.learn.network import INPUT, READOUT, TrainableNetwork
from twinbrain.learn.weights import Weights

_WIDEST = 2.0**8
_HALVINGS = 12
# The input counts beside drives if rates are higher by this factor than without it.
_ABOVE = 1.5
# The mean outputs spread by so many mV over trials, before training.
_SPREAD = 1.0


@torch.no_grad()
def calibrate(network: TrainableNetwork, batch: Batch, rate: float) -> None:
    """Scale the weights of the input such that neurons spike at a rate, then those of the readout.

    Parameters
    ----------
    network : TrainableNetwork
        Is changed.
    batch : Batch
        Trials on which rates are measured.
    rate : float (Hz)
        Mean rate of the neurons that the input reaches; half as much again as without it, where that is more.

    Raises
    ------
    LearnError
        If they do not spike whatever the weights are.
    """
    groups = _groups_from(network, INPUT)
    populations = network.lowered.network.populations
    reached = sorted({weights.groups[g].target for weights, g in groups})
    if not reached:
        raise LearnError("train.input: expected synapses of the input, found none; raise its probability")
    neurons = torch.cat([torch.arange(populations[t].start, populations[t].stop) for t in reached])
    dt = network.lowered.network.dt

    def scale(factor: float) -> None:
        for weights, group in groups:
            weights.multiply(group, factor)

    def found() -> float:
        spikes = network(batch.inputs, batch.background).spikes
        return float(spikes[:, :, neurons].mean()) * 1e3 / dt

    low, high = 1.0 / _WIDEST, _WIDEST
    scale(low)
    rate = max(rate, _ABOVE * found())
    now = low
    for _ in range(_HALVINGS):
        wanted = (low * high) ** 0.5
        scale(wanted / now)
        now = wanted
        low, high = (wanted, high) if found() < rate else (low, wanted)
    if found() == 0.0:
        names = ", ".join(populations[t].population for t in reached)
        raise LearnError(
            f"train.input: expected weights with which {names} spike at {rate:g} Hz, found none up to {now:.3g} times "
            "the first; name a receptor that excites, or give input.weight"
        )
    output = mean_output(network(batch.inputs, batch.background).output, batch.scored)
    spread = float(output.std(0).mean()) if len(output) > 1 else 0.0
    if spread > 0:
        for weights, group in _groups_to(network, READOUT):
            weights.multiply(group, _SPREAD / spread)


def _groups_from(network: TrainableNetwork, population: str) -> list[tuple[Weights, int]]:
    return [(w, g) for w, g in _groups(network) if _name(network, w.groups[g].source) == population]


def _groups_to(network: TrainableNetwork, population: str) -> list[tuple[Weights, int]]:
    return [(w, g) for w, g in _groups(network) if _name(network, w.groups[g].target) == population]


def _groups(network: TrainableNetwork) -> list[tuple[Weights, int]]:
    return [(weights, g) for weights in network.tables() for g in range(len(weights.groups))]


def _name(network: TrainableNetwork, number: int) -> str:
    return network.lowered.network.populations[number].population
