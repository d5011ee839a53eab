"""What a rule cannot train, and why."""

from __future__ import annotations

from twinbrain.errors import LearnError
from twinbrain.learn.network import TrainableNetwork


def refuse_delays(network: TrainableNetwork, rule: str) -> None:
    """Refuse delays that are trained.

    Raises
    ------
    LearnError
        If there are any.
    """
    if network.delays is not None:
        raise LearnError(
            f"train.rule: {rule}: expected no delays in trainable, since a trace tells what a spike did at the step at "
            "which it arrived, and not what it would have done at another; found 'delay'; use 'bptt'"
        )


def refuse_parameters(network: TrainableNetwork, rule: str) -> None:
    """Refuse parameters of cells that are trained.

    Raises
    ------
    LearnError
        If there are any.
    """
    if trained := sorted({name for cell in network.blocks() for name in cell.trained_parameters()}):
        raise LearnError(
            f"train.rule: {rule}: expected weights alone to be trained, since its traces are those of spikes that "
            f"arrive, found {', '.join(trained)} in trainable; use 'eprop' or 'bptt'"
        )
