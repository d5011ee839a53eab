"""Many steps of a block at once, as one differentiable operation: no spike of them reaches the block within them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from twinbrain.learn.fused.kernels import SEGMENT, Adjoint, Kernels, Steps, Wanted, find_kernels
from twinbrain.learn.fused.memory import contiguous, each_step, empty, zeros
from twinbrain.learn.fused.stepwise import SCALE
from twinbrain.learn.fused.surrogates import find_surrogate
from twinbrain.models.step import StepProgram


class Advanced(NamedTuple):
    """What steps give.

    Parameters
    ----------
    state : dict of str to Tensor, shape (trial, neuron)
        After the last step.
    spikes : Tensor, shape (step, trial, neuron)
        1 or 0.
    observed : dict of str to Tensor, shape (step, trial, neuron)
        State variables after each step, its reset included.
    """

    state: dict[str, Tensor]
    spikes: Tensor
    observed: dict[str, Tensor]


def advance_chunk(
    program: StepProgram,
    surrogate: str,
    slope: float | None,
    state: dict[str, Tensor],
    constants: dict[str, Tensor],
    arrived: Tensor,
    observe: tuple[str, ...] = (),
) -> Advanced:
    """Compute steps in one kernel.

    They are equal to a loop over `twinbrain.learn.fused.stepwise.surrogate_step`, in float64 to the bit.

    Parameters
    ----------
    program : StepProgram
        The step.
    surrogate : str
        The spike's derivative, one of `twinbrain.learn.fused.surrogates.SURROGATES`.
    slope : float or None
        How steep it is; None for the surrogate's own.
    state : dict of str to Tensor, shape (trial, neuron)
        Before the first step.
    constants : dict of str to Tensor, shape (neuron,) or ()
        The program's, and ``_scale``, the distance from the threshold that the surrogate takes as 1 (1 if not given).
    arrived : Tensor, shape (step, trial, receptor, neuron)
        What arrives in each step, receptors in the order of the program's.
    observe : tuple of str, optional
        State variables that are wanted after each step.

    Returns
    -------
    Advanced
        State, spikes and what is observed; gradients pass to ``state``, ``constants`` and ``arrived``.

    Raises
    ------
    LearnError
        If there is no such surrogate or variable, or no kernel for the device.
    """
    packed = pack(program, surrogate, state, constants, arrived, observe)
    slope = find_surrogate(surrogate).slope if slope is None else slope
    new, spikes, seen = _Chunk.apply(packed.kernels, slope, packed.state, packed.constants, arrived)  # type: ignore[no-untyped-call, unused-ignore]
    return Advanced(
        dict(zip(program.state, new.unbind(0), strict=True)),
        spikes,
        dict(zip(observe, seen.unbind(2), strict=True)),
    )


class Packed(NamedTuple):
    """A block's tensors, each kind in one, and the kernels for them."""

    kernels: Kernels
    state: Tensor
    constants: Tensor


def pack(
    program: StepProgram,
    surrogate: str,
    state: dict[str, Tensor],
    constants: dict[str, Tensor],
    arrived: Tensor,
    observe: tuple[str, ...],
) -> Packed:
    """Return the kernels of a block and what they take; see `advance_chunk`."""
    names = (*program.constants, SCALE)
    every = constants if SCALE in constants else constants | {SCALE: arrived.new_ones(())}
    wanted = tuple(name for name in program.constants if every[name].requires_grad and torch.is_grad_enabled())
    dtype = str(arrived.dtype).removeprefix("torch.")
    kernels = find_kernels(program, Wanted(dtype, surrogate, wanted, observe), arrived.device)
    n_trials, n_neurons = arrived.shape[1], arrived.shape[3]
    return Packed(
        kernels,
        torch.stack([state[name].expand(n_trials, n_neurons) for name in program.state]),
        torch.stack([every[name].to(arrived.dtype).expand(n_neurons) for name in names]),
    )


class _Chunk(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, kernels: Kernels, slope: float, state: Tensor, constants: Tensor, arrived: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        arrived = contiguous(arrived)
        n_steps, n_trials, _, n_neurons = arrived.shape
        state = state.clone()
        spikes = empty(arrived, n_steps, n_trials, n_neurons)
        seen = empty(arrived, n_steps, n_trials, len(kernels.wanted.observe), n_neurons)
        kept = empty(state, -(-n_steps // SEGMENT), *state.shape)
        kernels.forward(SEGMENT, 0, n_steps, Steps(state, constants, arrived, spikes, seen, kept))
        context.save_for_backward(kept, constants, arrived)
        context.kernels, context.slope = kernels, slope
        return state, spikes, seen

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        kept, constants, arrived = context.saved_tensors
        kernels: Kernels = context.kernels
        grad_state = gradients[0].contiguous().clone()
        grad_spikes, grad_seen = each_step(gradients[1]), contiguous(gradients[2])
        grad_arrived = empty(arrived, *arrived.shape)
        grad_constants = zeros(kept, len(kernels.wanted.constants), *kept.shape[2:])
        feedback = zeros(kept, 1, *kept.shape[2:])
        room = kernels.room(SEGMENT, kept, in_parts=False)
        kernels.backward(
            *(SEGMENT, 0, len(arrived), context.slope, room),
            Adjoint(
                *(kept, constants, arrived),
                *(grad_state, grad_spikes, feedback, grad_seen, grad_arrived, grad_constants),
            ),
        )
        return None, None, grad_state, of_all_constants(kernels, constants, grad_constants), grad_arrived


def of_all_constants(kernels: Kernels, constants: Tensor, wanted: Tensor) -> Tensor:
    """Return the gradients of all constants: those that are wanted summed over trials, 0 for the others."""
    gradient = torch.zeros_like(constants)
    gradient[list(kernels.places)] = wanted.sum(1)
    return gradient
