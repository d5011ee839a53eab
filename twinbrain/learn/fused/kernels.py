"""The loops of a program on tensors: which are compiled for the device, and what they take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

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


class Steps(NamedTuple):
    """What steps read and fill: contiguous tensors of one precision and device, which hold all steps of a trial.

    Parameters
    ----------
    state : Tensor, shape (variable, trial, neuron)
        Before the steps that come next; changed in place.
    constants : Tensor, shape (constant, neuron)
        The scale of the surrogate last.
    arrived : Tensor, shape (step, trial, receptor, neuron)
        What arrives.
    spikes : Tensor, shape (step, trial, neuron)
        1 or 0; filled.
    seen : Tensor, shape (step, trial, observed, neuron)
        What is observed; filled.
    kept : Tensor, shape (segment, variable, trial, neuron)
        The state before every so many steps, from which the adjoint computes the others again; filled.
    """

    state: Tensor
    constants: Tensor
    arrived: Tensor
    spikes: Tensor
    seen: Tensor
    kept: Tensor


class Adjoint(NamedTuple):
    """What the adjoint of steps reads and fills, as `Steps`.

    Parameters
    ----------
    kept, constants, arrived : Tensor
        As the steps left them.
    grad_state : Tensor, shape (variable, trial, neuron)
        After the steps that come next, going back; changed in place.
    grad_spikes : Tensor, shape (step, trial, neuron) or (1, trial, neuron)
        Of the spikes; of each step if there is one.
    feedback : Tensor, shape (place, trial, neuron)
        Added to it, step n from place n modulo their number, which then is 0; one place holds 0 always.
    grad_seen : Tensor, shape (step, trial, observed, neuron)
        Of what is observed.
    grad_arrived : Tensor, shape (step, trial, receptor, neuron)
        Filled.
    grad_constants : Tensor, shape (wanted constant, trial, neuron)
        Added to.
    """

    kept: Tensor
    constants: Tensor
    arrived: Tensor
    grad_state: Tensor
    grad_spikes: Tensor
    feedback: Tensor
    grad_seen: Tensor
    grad_arrived: Tensor
    grad_constants: Tensor


class Synapses(NamedTuple):
    """Those of a block onto itself.

    Parameters
    ----------
    length : int
        Steps that no spike of them reaches.
    places : tuple of (int, int)
        Receptor and delay of each matrix.
    weights : tuple of Tensor, shape (source, target)
        Contiguous.
    """

    length: int
    places: tuple[tuple[int, int], ...]
    weights: tuple[Tensor, ...]


class Kernels(Protocol):
    """Many steps of a program, and their adjoint.

    A call computes the steps from ``start`` to ``stop`` of a trial. The state is kept before every ``every``-th.
    """

    wanted: Wanted
    places: tuple[int, ...]  # of the wanted constants, among all

    def forward(self, every: int, start: int, stop: int, steps: Steps) -> None:
        """Compute the steps."""
        ...

    def room(self, every: int, kept: Tensor, in_parts: bool) -> Tensor:
        """Return room for the states of a segment; ``in_parts`` says that calls end within segments."""
        ...

    def backward(self, every: int, start: int, stop: int, slope: float, past: Tensor, adjoint: Adjoint) -> None:
        """Compute the adjoint of the steps; calls go from the last step to the first. ``past`` is `room`."""
        ...

    def forward_recurrent(self, every: int, synapses: Synapses, given: Tensor, steps: Steps) -> None:
        """Compute all steps; ``spikes`` starts with those of before.

        ``arrived`` is filled with what is given, of the same shape, and what spikes bring.
        """
        ...

    def backward_recurrent(
        self, every: int, slope: float, synapses: Synapses, spikes: Tensor, adjoint: Adjoint
    ) -> list[Tensor]:
        """Compute the adjoint of all steps, and leave in ``feedback`` what passes to the spikes of before.

        Returns the gradients of the weights.
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
