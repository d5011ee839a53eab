"""Large tensors, whose memory is used again.

A step of training takes and gives back some large tensors of always the same shapes. Getting their memory from the
system each time takes longer than much of what is done with it.
"""

from __future__ import annotations

import math
import weakref
from collections import deque

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Bytes from which memory is used again, and up to which; so much of it at most: about as much as a step takes.
_SMALLEST, _LARGEST, _MOST = 1 << 18, 1 << 27, 12


def empty(like: Tensor, *shape: int) -> Tensor:
    """Return a tensor of that shape, and of the precision and device of another, with anything in it."""
    size = math.prod(shape) * like.element_size()
    if like.device.type != "cpu" or size < _SMALLEST:
        return like.new_empty(shape)
    memory = _take(size)
    array = memory.view(_name(like))
    if size <= _LARGEST:
        weakref.finalize(array, _free.append, memory).atexit = False
    return torch.from_numpy(array).view(shape)


def zeros(like: Tensor, *shape: int) -> Tensor:
    """Return the same with zeros in it."""
    if like.device.type != "cpu":
        return like.new_zeros(shape)
    # Threads of PyTorch would be woken, and then wait busily on cores that are needed for what follows.
    return torch.from_numpy(np.zeros(shape, _name(like)))


def copied(tensor: Tensor) -> Tensor:
    """Return a contiguous copy."""
    return empty(tensor, *tensor.shape).copy_(tensor)


def contiguous(tensor: Tensor) -> Tensor:
    """Return a contiguous tensor, the same where it is."""
    return tensor if tensor.is_contiguous() else copied(tensor)


def joined(parts: list[Tensor], dim: int) -> Tensor:
    """Return tensors as one, along a dimension; one alone as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)


_free: deque[NDArray[np.uint8]] = deque(maxlen=_MOST)


def _take(size: int) -> NDArray[np.uint8]:
    for _ in range(len(_free)):
        try:
            memory = _free.popleft()
        except IndexError:  # another thread took it
            break
        if memory.nbytes == size:
            return memory
        _free.append(memory)
    # numpy asks the system for large pages.
    return np.empty(size, np.uint8)


def each_step(gradient: Tensor) -> Tensor:
    """Return a contiguous gradient of shape (step, ...), or (1, ...) where that of all steps is the same memory."""
    return contiguous(gradient[:1] if gradient.stride(0) == 0 else gradient)


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
