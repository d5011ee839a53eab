"""Check that what training has made of a network's parameters can be built."""

from __future__ import annotations

import numpy as np
import torch

from twinbrain.errors import LearnError, SpecError
from twinbrain.learn.network import TrainableNetwork
from twinbrain.network.parameters import fill_parameters, program_constants
from twinbrain.network.ranges import of_both, range_problems


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
        If parameters are out of their ranges, or constants that follow from them are no finite numbers.
    """
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
