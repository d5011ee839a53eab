"""The loops on a CUDA device: one element of a tile is a neuron of a trial."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from twinbrain.engines.generated import import_source
from twinbrain.learn.fused.in_chunks import backward_in_chunks, forward_in_chunks
from twinbrain.learn.fused.kernels import Adjoint, Steps, Synapses, Wanted
from twinbrain.learn.fused.triton_source import triton_source
from twinbrain.models.step import StepProgram

_BLOCK = 256
# Fused multiply-adds would round once where the step loop rounds twice.
_EXACT = {"enable_fp_fusion": False}


class TritonKernels:
    """`twinbrain.learn.fused.kernels.Kernels` for tensors on a CUDA device.

    Parameters
    ----------
    program : StepProgram
        The step.
    wanted : Wanted
        What it is compiled for.
    """

    def __init__(self, program: StepProgram, wanted: Wanted) -> None:
        module = import_source("fused", triton_source(program, wanted.surrogate, wanted.constants, wanted.observe))
        self._forward, self._backward = module.forward, module.backward
        self.wanted = wanted
        self.places = tuple(list(program.constants).index(name) for name in wanted.constants)

    def forward(self, every: int, start: int, stop: int, steps: Steps) -> None:
        """Compute the steps."""
        _, n_trials, _, n = steps.arrived.shape
        _launch(self._forward, steps.arrived, every, start, stop, n_trials, n, *steps)

    def room(self, every: int, kept: Tensor, in_parts: bool) -> Tensor:
        """Return room for the states of a segment."""
        return kept.new_empty((every, *kept.shape[1:]))

    def backward(self, every: int, start: int, stop: int, slope: float, past: Tensor, adjoint: Adjoint) -> None:
        """Compute their adjoint."""
        kept, constants, arrived, grad_state, grad_spikes, feedback, *others = adjoint
        n_steps, n_trials, _, n = arrived.shape
        _launch(
            *(self._backward, arrived, every, start, stop, n_steps, n_trials, n, kept, past, constants, arrived),
            *(grad_state, grad_spikes, feedback, len(feedback), *others),
            # A number passed to a kernel would be rounded to float32; one known when it is compiled is not.
            _slope=slope,
            _each_step=len(grad_spikes) > 1,
            _fed_back=len(feedback) > 1,
        )

    def forward_recurrent(self, every: int, synapses: Synapses, given: Tensor, steps: Steps) -> None:
        """Compute all steps of a block with synapses onto itself."""
        forward_in_chunks(self, every, synapses, given, steps)

    def backward_recurrent(
        self, every: int, slope: float, synapses: Synapses, spikes: Tensor, adjoint: Adjoint
    ) -> list[Tensor]:
        """Compute their adjoint."""
        return backward_in_chunks(self, every, slope, synapses, spikes, adjoint)


def _launch(kernel: Any, arrived: Tensor, *arguments: Any, **known: float) -> None:
    n_elements = arrived.shape[1] * arrived.shape[3]
    # Triton launches on the current device, which need not be that of the tensors.
    with torch.cuda.device(arrived.device) if arrived.device.type == "cuda" else nullcontext():
        kernel[(-(-n_elements // _BLOCK),)](*arguments, **known, _BLOCK=_BLOCK, **_EXACT)
