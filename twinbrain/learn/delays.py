"""Delays that are trained: a synapse acts at several delays near its own, ever fewer, and in the end at one."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# Steps over which a synapse is spread at the beginning.
WIDEST = 4.0


class TrainedDelays(nn.Module):
    """Delays of synapses, in steps.

    While training a synapse of delay d acts at each delay k with a share of its weight that falls linearly with
    ``|k - d|`` and vanishes at ``width``; so the loss changes with d. With a width of 1 it acts at the two whole delays
    next to d. Where the network is evaluated (``network.eval()``) it acts at the nearest alone, as after training.

    Parameters
    ----------
    delay : ndarray of int64, shape (synapse,)
        Before training, in steps.
    longest : int
        No delay becomes longer.

    References
    ----------
    arXiv 2306.17670 (dilated convolutions with learnable spacings)
    """

    base: Tensor

    def __init__(self, delay: NDArray[np.int64], longest: int) -> None:
        super().__init__()
        self.longest, self.width = longest, WIDEST
        # In units of a tenth of the range: one learning rate suits this and what else is trained.
        self.scale = max(1.0, longest / 10)
        self.register_buffer("base", torch.tensor(delay, dtype=torch.float64))
        self.change = nn.Parameter(torch.zeros(len(delay), dtype=torch.float64))

    def forward(self) -> Tensor:
        """Return the delays, shape (synapse,), between whole steps as they may be."""
        return (self.base + self.scale * self.change.double()).clamp(1.0, float(self.longest))

    def shares(self) -> Tensor:
        """Return the share of each synapse's weight that acts at each whole delay from 1 on.

        Returns
        -------
        Tensor of float64, shape (delay, synapse)
            They sum to 1 over the delays.
        """
        each = torch.arange(1, self.longest + 1, device=self.base.device)[:, None]
        if not self.training:
            return (each == _nearest(self())).double()
        distance = (each - self()[None, :]).abs()
        shares = (1.0 - distance / self.width).clamp(min=0.0)
        return shares / shares.sum(0)

    @torch.no_grad()
    def whole(self) -> NDArray[np.int64]:
        """Return the nearest whole delays."""
        return _nearest(self()).cpu().numpy().astype(np.int64)


def _nearest(delay: Tensor) -> Tensor:
    return torch.floor(delay + 0.5)
