"""Work shared among threads: compiled loops let go of Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import pairwise

import torch

# Numbers to go through below which threads cost more than they gain.
_WORTH_A_THREAD = 100_000

_allowed: ContextVar[int | None] = ContextVar("allowed", default=None)


@contextmanager
def allow(n_threads: int) -> Iterator[None]:
    """Let work be shared among so many threads, however many PyTorch may use."""
    token = _allowed.set(n_threads)
    try:
        yield
    finally:
        _allowed.reset(token)


def share(n_units: int, size: int, work: Callable[[int, int], None]) -> None:
    """Call ``work`` with ranges that make up ``n_units``, in as many threads as PyTorch may use or `allow` says.

    Parameters
    ----------
    n_units : int
        What can be shared.
    size : int
        How many numbers are gone through.
    work : callable
        Takes the first unit and the one after the last.
    """
    n_threads = min(_allowed.get() or torch.get_num_threads(), n_units, 1 + size // _WORTH_A_THREAD)
    if n_threads <= 1:
        return work(0, n_units)
    bounds = [n_units * k // n_threads for k in range(n_threads + 1)]
    others = [_threads(os.getpid(), n_threads - 1).submit(work, *pair) for pair in pairwise(bounds[1:])]
    work(0, bounds[1])
    for other in others:
        other.result()
    return None


@cache
def _threads(process: int, n: int) -> ThreadPoolExecutor:
    """Return the threads of a process: one that was forked from another has none of its."""
    return ThreadPoolExecutor(n, thread_name_prefix="twinbrain-fused")
