"""Large tensors.

On a CPU they are numpy's, which asks the system for large pages: those come in a tenth of the time that PyTorch's take.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def empty(like: Tensor, *shape: int) -> Tensor:
    """Return a tensor of that shape, and of the precision and device of another, with anything in it."""
    if like.device.type != "cpu":
        return like.new_empty(shape)
    dtype = np.dtype(str(like.dtype).removeprefix("torch."))
    return torch.from_numpy(np.empty(math.prod(shape), dtype)).view(shape)


def copied(tensor: Tensor) -> Tensor:
    """Return a contiguous copy."""
    return empty(tensor, *tensor.shape).copy_(tensor)


def contiguous(tensor: Tensor) -> Tensor:
    """Return a contiguous tensor, the same where it is."""
    return tensor if tensor.is_contiguous() else copied(tensor)
