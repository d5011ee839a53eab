"""The loops on a CPU: trials and tiles of neurons are shared among threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from twinbrain.engines.generated import import_source
from twinbrain.learn.fused.kernels import Wanted
from twinbrain.learn.fused.numba_source import numba_source
from twinbrain.learn.fused.threads import share
from twinbrain.models.step import StepProgram

# Neurons of a tile: their state and constants stay in the nearest cache.
_TILE = 256


class NumbaKernels:
    """`twinbrain.learn.fused.kernels.Kernels` for tensors on a CPU.

    Parameters
    ----------
    program : StepProgram
        The step.
    wanted : Wanted
        What it is compiled for.
    """

    every = 32

    def __init__(self, program: StepProgram, wanted: Wanted) -> None:
        source = numba_source(program, wanted.dtype, wanted.surrogate, wanted.constants, wanted.observe)
        module = import_source("fused", source)
        self._forward, self._backward = module.forward, module.backward
        self.wanted = wanted
        self.places = tuple(list(program.constants).index(name) for name in wanted.constants)
        self._real = np.dtype(wanted.dtype).type

    def forward(
        self, state: Tensor, constants: Tensor, arrived: Tensor, spikes: Tensor, seen: Tensor, kept: Tensor
    ) -> None:
        """Compute the steps."""
        arrays = [tensor.numpy() for tensor in (state, constants, arrived, spikes, seen, kept)]
        _share(spikes, lambda first, last: self._forward(first, last, _TILE, self.every, *arrays))

    def backward(
        self,
        slope: float,
        kept: Tensor,
        constants: Tensor,
        arrived: Tensor,
        grad_state: Tensor,
        grad_spikes: Tensor,
        grad_seen: Tensor,
        grad_arrived: Tensor,
        grad_constants: Tensor,
    ) -> None:
        """Compute their adjoint."""
        tensors = (kept, constants, arrived, grad_state, grad_spikes, grad_seen, grad_arrived, grad_constants)
        arrays = [tensor.numpy() for tensor in tensors]
        slope = self._real(slope)
        _share(grad_spikes, lambda first, last: self._backward(first, last, _TILE, self.every, slope, *arrays))


def _share(spikes: Tensor, work: Callable[[int, int], None]) -> None:
    share(spikes.shape[1] * -(-spikes.shape[2] // _TILE), spikes.numel(), work)
