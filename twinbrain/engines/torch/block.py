"""A block on tensors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.torch.render import render
from twinbrain.network.network import Block


class BlockTensors:
    """One block of every network: its state and its step.

    Parameters
    ----------
    blocks : tuple of Block
        The block of each network.
    device : torch.device
        Where it lies.
    dtype : torch.dtype
        Of state and constants.
    """

    def __init__(self, blocks: tuple[Block, ...], device: torch.device, dtype: torch.dtype) -> None:
        def stacked(kind: str, name: str) -> Tensor:
            return torch.as_tensor(np.stack([getattr(block, kind)[name] for block in blocks])).to(device, dtype)

        block = blocks[0]
        self.name = block.name
        self.state = {name: stacked("initial", name) for name in block.program.state}
        self.constants = {name: stacked("constants", name) for name in block.program.constants}
        self._inlets = block.inlets
        self.neurons = torch.as_tensor(block.neurons).long().to(device)
        self._step = render(block.program)
        self._dtype, self._device = dtype, device

    def advance(self, inbox: Tensor) -> tuple[Tensor, Tensor]:
        """Compute one step; return the networks and the numbers of the neurons that spike.

        Parameters
        ----------
        inbox : Tensor of int32, shape (network, n_inlets)
            What arrived.
        """
        arrived = {i.receptor: inbox[:, i.start : i.stop].to(self._dtype) * i.quantum for i in self._inlets}
        self.state, spiked = self._step(self.state, self.constants, arrived)
        batch, place = spiked.nonzero(as_tuple=True)
        return batch, self.neurons[place]

    def places(self, places: np.ndarray) -> Tensor:
        """Return places of neurons as a tensor."""
        return torch.as_tensor(places).long().to(self._device)
