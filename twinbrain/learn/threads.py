"""How many cores are used while small networks are computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from twinbrain.learn.fused.threads import allow


@contextmanager
def one_thread(n_neurons: int, n_trials: int, device: torch.device) -> Iterator[None]:
    """Let PyTorch compute on one core where its threads would wait for each other longer than they compute.

    Kernels, whose threads take many steps at once, keep the others.
    """
    if device.type != "cpu" or n_neurons * n_trials >= 1 << 18:
        yield
        return
    with allow(torch.get_num_threads()), _of_pytorch(1):
        yield


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute on one core: others have work of their own."""
    with allow(1), _of_pytorch(1):
        yield


@contextmanager
def _of_pytorch(n_threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
