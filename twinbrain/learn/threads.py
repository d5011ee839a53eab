"""How many cores PyTorch uses while small networks are computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(n_neurons: int, n_trials: int, device: torch.device) -> Iterator[None]:
    """Let PyTorch compute on one core where its threads would wait for each other longer than they compute."""
    before = torch.get_num_threads()
    if device.type == "cpu" and n_neurons * n_trials < 1 << 18:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def single_thread() -> Iterator[None]:
    """Let PyTorch compute on one core: others have work of their own."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
