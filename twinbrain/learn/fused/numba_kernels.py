"""The loops on a CPU: trials and tiles of neurons are shared among threads."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.generated import import_source
from twinbrain.learn.fused.in_chunks import backward_in_chunks, forward_in_chunks
from twinbrain.learn.fused.kernels import Adjoint, Steps, Synapses, Wanted
from twinbrain.learn.fused.numba_source import numba_source
from twinbrain.learn.fused.threads import share
from twinbrain.models.step import StepProgram

# Trials and neurons of a unit of work: their state stays in a near cache.
_TRIALS, _TILE = 8, 256

# Neurons of a recurrent block up to which its weights stay in a near cache, so that a thread takes trials through all
# steps. More are worth threads, and a library's products, in every chunk.
_NEAR = 768
# In so many parts gradients of weights are summed, whatever the number of threads.
_GROUPS = 16


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
        self._forward_recurrent, self._backward_recurrent = module.forward_recurrent, module.backward_recurrent
        self.wanted = wanted
        self.places = tuple(list(program.constants).index(name) for name in wanted.constants)
        self._real = np.dtype(wanted.dtype).type

    def forward(self, every: int, start: int, stop: int, steps: Steps) -> None:
        """Compute the steps."""
        arrays = [tensor.numpy() for tensor in steps]
        n_units, size = _work(steps.arrived, stop - start)
        share(
            n_units, size, lambda first, last: self._forward(first, last, _TRIALS, _TILE, every, start, stop, *arrays)
        )

    def room(self, every: int, kept: Tensor, in_parts: bool) -> Tensor:
        """Return room for the states of a segment: of all neurons, or of one unit."""
        n_units, _ = _work(kept.transpose(1, 2), 0)
        return kept.new_empty((n_units if in_parts else 1, every, kept.shape[1], _TRIALS, _TILE))

    def backward(self, every: int, start: int, stop: int, slope: float, past: Tensor, adjoint: Adjoint) -> None:
        """Compute their adjoint."""
        kept, *arrays = (tensor.numpy() for tensor in adjoint)
        room = past.numpy()
        n_units, size = _work(adjoint.arrived, stop - start)
        slope = self._real(slope)

        def work(first: int, last: int) -> None:
            # Room for one unit is each thread's own.
            own = room if len(room) == n_units else np.empty_like(room)
            self._backward(first, last, _TRIALS, _TILE, every, start, stop, slope, kept, own, *arrays)

        share(n_units, size, work)

    def forward_recurrent(self, every: int, synapses: Synapses, given: Tensor, steps: Steps) -> None:
        """Compute all steps of a block with synapses onto itself."""
        if not _are_near(synapses):
            return forward_in_chunks(self, every, synapses, given, steps)
        receptors, delays = np.array(synapses.places, np.int64).T.copy()
        weights = np.stack([weight.numpy() for weight in synapses.weights])
        known = _TRIALS, _TILE, every, synapses.length, receptors, delays, weights
        arrays = [tensor.numpy() for tensor in (given, *steps)]
        n_units = -(-given.shape[1] // _TRIALS)
        return share(n_units, given.numel(), lambda first, last: self._forward_recurrent(first, last, *known, *arrays))

    def backward_recurrent(
        self, every: int, slope: float, synapses: Synapses, spikes: Tensor, adjoint: Adjoint
    ) -> list[Tensor]:
        """Compute their adjoint."""
        if not _are_near(synapses):
            return backward_in_chunks(self, every, slope, synapses, spikes, adjoint)
        receptors, delays = np.array(synapses.places, np.int64).T.copy()
        transposed = np.ascontiguousarray([weight.numpy().T for weight in synapses.weights])
        kept, *arrays = (tensor.numpy() for tensor in adjoint)
        n_units, n_tiles = -(-kept.shape[2] // _TRIALS), -(-kept.shape[3] // _TILE)
        n_groups = min(n_units, _GROUPS)
        of_weights = np.zeros((n_groups, *transposed.shape), transposed.dtype)
        known = n_groups, _TRIALS, _TILE, every, synapses.length, self._real(slope), receptors, delays, transposed

        def work(first: int, last: int) -> None:
            past = np.empty((n_tiles, every, kept.shape[1], _TRIALS, _TILE), kept.dtype)
            self._backward_recurrent(first, last, *known, of_weights, spikes.numpy(), kept, past, *arrays)

        share(n_groups, adjoint.arrived.numel(), work)
        return list(torch.from_numpy(of_weights.sum(0)))


def _are_near(synapses: Synapses) -> bool:
    """Return whether a block is so small that its weights stay in a near cache."""
    return bool(synapses.weights) and len(synapses.weights[0]) <= _NEAR


def _work(tensor: Tensor, n_steps: int) -> tuple[int, int]:
    """Return the units of work and the steps of neurons."""
    _, n_trials, _, n_neurons = tensor.shape
    return -(-n_trials // _TRIALS) * -(-n_neurons // _TILE), n_steps * n_trials * n_neurons
