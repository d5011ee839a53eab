"""What a network has learned, apart from what follows from its declaration."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.network import TrainableNetwork


def learned(network: TrainableNetwork) -> dict[str, Tensor]:
    """Return copies of what training changes, and of what was calibrated before."""
    changing = {name for name, _ in network.named_parameters()}
    return {
        name: value.detach().clone()
        for name, value in network.state_dict().items()
        if name in changing or name.startswith("weights.")
    }


def take_over(network: TrainableNetwork, other: Mapping[str, Tensor]) -> None:
    """Let a network become what another of the same declaration has learned.

    Raises
    ------
    LearnError
        If the two are not of the same declaration.
    """
    own = {name: value.shape for name, value in learned(network).items()}
    found = {name: value.shape for name, value in other.items()}
    if different := sorted(dict(own.items() ^ found.items())):
        raise LearnError(
            f"expected what a network of the same declaration has learned, found another {different[0]}; build the "
            "network from the same model, seed and trainable"
        )
    network.load_state_dict(dict(other), strict=False)
