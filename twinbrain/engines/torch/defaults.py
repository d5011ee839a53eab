"""What PyTorch keeps for the whole process, which a person may have changed, put aside while we compute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def own_defaults() -> Iterator[None]:
    """Let tensors that name no type or device be of float32 on the CPU, for a time, as everywhere in this package.

    Optimisers and layers of PyTorch ask for the default type, too, so results would depend on it. A process that was
    forked from one that has PyTorch computes on one core: it has none of the threads, and would wait for them.
    """
    dtype, n_threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float32)
    if _forked:
        torch.set_num_threads(1)
    try:
        # The context makes each call slower, so it is entered where it changes something.
        with nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)
        if _forked:
            torch.set_num_threads(n_threads)
