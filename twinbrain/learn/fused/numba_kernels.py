"""The loops on a CPU: trials and tiles of neurons are shared among threads."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from twinbrain.engines.generated import import_source
from twinbrain.learn.fused.kernels import Wanted
from twinbrain.learn.fused.numba_source import numba_source
from twinbrain.learn.fused.threads import share
from twinbrain.models.step import StepProgram

# Trials and neurons of a unit of work: their state stays in a near cache.
_TRIALS, _TILE = 8, 256


class NumbaKernels:
    """`twinbrain.learn.fused.kernels.Kernels` for tensors on a CPU.

    Parameters
    ----------
    program : StepProgram
        The step.
    wanted : Wanted
        What it is compiled for.
    """

    def __init__(self, program: StepProgram, wanted: Wanted) -> None:
        source = numba_source(program, wanted.dtype, wanted.surrogate, wanted.constants, wanted.observe)
        module = import_source("fused", source)
        self._forward, self._backward = module.forward, module.backward
        self.wanted = wanted
        self.places = tuple(list(program.constants).index(name) for name in wanted.constants)
        self._real = np.dtype(wanted.dtype).type

    def forward(
        self,
        every: int,
        start: int,
        stop: int,
        state: Tensor,
        constants: Tensor,
        arrived: Tensor,
        spikes: Tensor,
        seen: Tensor,
        kept: Tensor,
    ) -> None:
        """Compute the steps."""
        arrays = [tensor.numpy() for tensor in (state, constants, arrived, spikes, seen, kept)]
        n_units, size = _work(arrived, stop - start)
        share(
            n_units, size, lambda first, last: self._forward(first, last, _TRIALS, _TILE, every, start, stop, *arrays)
        )

    def room(self, every: int, kept: Tensor, in_parts: bool) -> Tensor:
        """Return room for the states of a segment: of all neurons, or of one unit."""
        n_units, _ = _work(kept.transpose(1, 2), 0)
        return kept.new_empty((n_units if in_parts else 1, every, kept.shape[1], _TRIALS, _TILE))

    def backward(
        self,
        every: int,
        start: int,
        stop: int,
        slope: float,
        kept: Tensor,
        past: Tensor,
        constants: Tensor,
        arrived: Tensor,
        grad_state: Tensor,
        grad_spikes: Tensor,
        feedback: Tensor,
        grad_seen: Tensor,
        grad_arrived: Tensor,
        grad_constants: Tensor,
    ) -> None:
        """Compute their adjoint."""
        gradients = (grad_state, grad_spikes, feedback, grad_seen, grad_arrived, grad_constants)
        arrays = [tensor.numpy() for tensor in (constants, arrived, *gradients)]
        before, room = kept.numpy(), past.numpy()
        n_units, size = _work(arrived, stop - start)
        slope = self._real(slope)

        def work(first: int, last: int) -> None:
            # Room for one unit is each thread's own.
            own = room if len(room) == n_units else np.empty_like(room)
            self._backward(first, last, _TRIALS, _TILE, every, start, stop, slope, before, own, *arrays)

        share(n_units, size, work)


def _work(tensor: Tensor, n_steps: int) -> tuple[int, int]:
    """Return the units of work and the steps of neurons."""
    _, n_trials, _, n_neurons = tensor.shape
    return -(-n_trials // _TRIALS) * -(-n_neurons // _TILE), n_steps * n_trials * n_neurons
