"""Check that what training has made of a network's parameters and weights can be built."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinbrain.errors import LearnError, SpecError
from twinbrain.learn.network import TrainableNetwork
from twinbrain.network.parameters import fill_parameters, program_constants
from twinbrain.network.ranges import of_both, range_problems
from twinbrain.network.table import check_range


@torch.no_grad()
def check_possible(network: TrainableNetwork) -> None:
    """Check trained parameters as the network that they are exported to will be checked when it is built.

    Parameters
    ----------
    network : TrainableNetwork
        As it is now.

    Raises
    ------
    LearnError
        If parameters are out of their ranges, constants that follow from them are no finite numbers, or weights are
        beyond the range of integers.
    """
    check_weights(network, "training", "lower learning_rate")
    lowered = network.lowered
    for number, (block, cell) in enumerate(zip(lowered.network.blocks, network.blocks(), strict=True)):
        if not (trained := cell.trained_parameters()):
            continue
        declared, program = lowered.layout.blocks[number], block.program
        of_receptors = (text for receptor in declared.receptors.values() for text in receptor.ranges)
        ranges = (*declared.model.ranges, *of_receptors)
        now = {name: parameter().cpu().numpy() for name, parameter in trained.items()}
        values = {**lowered.parameters[number], **now}
        try:
            fill_parameters(values, {}, program.parameters, lambda _, value, __: np.asarray(value, np.float64), ranges)
            both, units = of_both(ranges, program.parameters), program.parameters | program.units
            if problems := range_problems(both, {**values, **block.initial}, units, "initial"):
                raise SpecError(problems)
            program_constants(program, declared.model, values, lowered.network.dt, block.size)
        except SpecError as error:
            raise LearnError(
                f"expected parameters of {block.name} of which a model can be built, found that training has carried "
                f"{', '.join(trained)} too far: {error}; lower learning_rate, or leave one out of trainable"
            ) from None


@torch.no_grad()
def check_weights(network: TrainableNetwork, cause: str, remedy: str) -> None:
    """Check weights as the network that they are exported to will be checked when it is built, in the same quanta.

    Parameters
    ----------
    network : TrainableNetwork
        As it is now.
    cause, remedy : str
        What has changed weights, and what helps, for the message.

    Raises
    ------
    LearnError
        If what can arrive at a neuron in one step is beyond the range of integers.
    """
    built = network.lowered.network
    tables = []
    for weights, table in zip(network.tables(), built.tables, strict=True):
        quanta: NDArray[Any] = np.rint(weights().cpu().numpy() / weights.quantum)
        tables.append(replace(table, weight=quanta))
    try:
        check_range(tables, (*built.drives, *built.waveforms, built.events), built.n_inlets)
    except SpecError as error:
        raise LearnError(
            f"expected weights of which a model can be built, found that {cause} has carried some too far: {error}; "
            f"{remedy}, or give input.weight"
        ) from None
