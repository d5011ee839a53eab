"""The loops of a program on tensors: which are compiled for the device, and what they take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.models.step import StepProgram


@dataclass(frozen=True)
class Wanted:
    """What loops are compiled for.

    Parameters
    ----------
    dtype : str
        "float32" or "float64".
    surrogate : str
        Name of the spike's derivative.
    constants : tuple of str
        Constants whose gradient is wanted.
    observe : tuple of str
        State variables that are given after each step.
    """

    dtype: str
    surrogate: str
    constants: tuple[str, ...]
    observe: tuple[str, ...]


class Kernels(Protocol):
    """Many steps of a program, and their adjoint.

    Tensors are contiguous, of one precision and device, and hold all steps of a trial, of which a call computes those
    from ``start`` to ``stop``: ``state`` (variable, trial, neuron) is changed in place; ``constants`` (constant,
    neuron) has the scale of the surrogate last; ``arrived`` is (step, trial, receptor, neuron), ``spikes`` (step,
    trial, neuron), ``seen`` (step, trial, observed, neuron). ``kept`` (segment, variable, trial, neuron) takes the
    state before every ``every``-th step, from which the adjoint computes the others again.
    """

    wanted: Wanted
    places: tuple[int, ...]  # of the wanted constants, among all

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
        """Compute the steps: fill ``spikes``, ``seen`` and ``kept``, and move ``state`` on."""
        ...

    def room(self, every: int, kept: Tensor, in_parts: bool) -> Tensor:
        """Return room for the states of a segment; ``in_parts`` says that calls end within segments."""
        ...

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
        """Compute the adjoint: move ``grad_state`` back to before the steps, and fill ``grad_arrived``.

        To ``grad_constants`` (wanted constant, trial, neuron) is added. ``past`` is `room`. Calls go from the last step
        to the first. ``feedback`` (place, trial, neuron) is added to ``grad_spikes``, step n from place n modulo their
        number, which then is 0.
        """
        ...


SEGMENT = 32
"""Steps after which the state is kept, about."""


def find_kernels(program: StepProgram, wanted: Wanted, device: torch.device) -> Kernels:
    """Return the loops of a program, compiled when they first run.

    Raises
    ------
    LearnError
        If a state variable is to be observed that the program has not, or the device has no such loops.
    """
    for name in wanted.observe:
        if name not in program.state:
            raise LearnError(
                f"expected state variables to observe among {', '.join(program.state)}, found {name!r}: take one of "
                "those"
            )
    key = repr(program)
    if key not in _programs:
        _programs[key] = program
    return _find(key, wanted, device.type)


_programs: dict[str, StepProgram] = {}


@cache
def _find(key: str, wanted: Wanted, device: str) -> Kernels:
    if device == "cpu":
        from twinbrain.learn.fused.numba_kernels import NumbaKernels

        return NumbaKernels(_programs[key], wanted)
    if device == "cuda":
        from twinbrain.learn.fused.triton_kernels import TritonKernels

        return TritonKernels(_programs[key], wanted)
    raise LearnError(f"expected tensors on a CPU or a CUDA device for fused steps, found {device!r}: use the step loop")
