"""Find weights of the input with which a network begins to learn: neither silent nor saturated."""

from __future__ import annotations

import numpy as np
import torch

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch
from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.metrics.score import mean_output
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.possible import check_weights
from twinbrain.learn.weights import Weights

_WIDEST = 2.0**8
_HALVINGS = 12
# The input counts beside drives if rates are higher by this factor than without it.
_ABOVE = 1.5
# The mean outputs spread by so many mV over trials, before training.
_SPREAD = 1.0


def check_rate(network: TrainableNetwork, rate: float) -> None:
    """Refuse a rate that the neurons that the input reaches cannot have, whatever their weights.

    Parameters
    ----------
    network : TrainableNetwork
        Whose input has synapses.
    rate : float (Hz)
        Mean rate of these neurons.

    Raises
    ------
    LearnError
        If it is above what their refractory periods and the time step allow.
    """
    lowered = network.lowered
    dt = lowered.network.dt
    highest = []
    reached = _reached(network)
    for number in reached:
        population = lowered.network.populations[number]
        here = slice(population.offset, population.offset + population.size)
        period = lowered.parameters[population.block].get(
            lowered.layout.blocks[population.block].model.refractory or ""
        )
        pause = np.full(population.size, dt) if period is None else np.maximum(period[here], dt)
        highest.append(1e3 / pause)
    if reached and rate > (most := float(np.concatenate(highest).mean())):
        raise LearnError(
            f"train.input.rate: expected at most {most:.4g} Hz, as often as {_names(network, reached)} can spike with "
            f"their refractory periods and steps of {dt:g} ms, found {rate:g} Hz; lower it"
        )


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
        If they do not spike whatever the weights are, cannot spike at that rate, or the weights are beyond the range of
        integers.
    """
    groups = _groups_from(network, INPUT)
    populations = network.lowered.network.populations
    reached = _reached(network)
    if not reached:
        raise LearnError("train.input: expected synapses of the input, found none; raise its probability")
    check_rate(network, rate)
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
        raise LearnError(
            f"train.input: expected weights with which {_names(network, reached)} spike at {rate:g} Hz, found none up "
            f"to {now:.3g} times the first; name a receptor that excites, or give input.weight"
        )
    output = mean_output(network(batch.inputs, batch.background).output, batch.scored)
    spread = float(output.std(0).mean()) if len(output) > 1 else 0.0
    if spread > 0:
        for weights, group in _groups_to(network, READOUT):
            weights.multiply(group, _SPREAD / spread)
    check_weights(network, "the search for those of the input", "make the weights of one receptor less unequal")


def _reached(network: TrainableNetwork) -> list[int]:
    return sorted({weights.groups[g].target for weights, g in _groups_from(network, INPUT)})


def _names(network: TrainableNetwork, populations: list[int]) -> str:
    return ", ".join(_name(network, number) for number in populations)


def _groups_from(network: TrainableNetwork, population: str) -> list[tuple[Weights, int]]:
    return [(w, g) for w, g in _groups(network) if _name(network, w.groups[g].source) == population]


def _groups_to(network: TrainableNetwork, population: str) -> list[tuple[Weights, int]]:
    return [(w, g) for w, g in _groups(network) if _name(network, w.groups[g].target) == population]


def _groups(network: TrainableNetwork) -> list[tuple[Weights, int]]:
    return [(weights, g) for weights in network.tables() for g in range(len(weights.groups))]


def _name(network: TrainableNetwork, number: int) -> str:
    return network.lowered.network.populations[number].population
