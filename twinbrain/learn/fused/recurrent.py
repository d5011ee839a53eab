"""A block with synapses onto itself, over a whole trial: chunks as long as its shortest delay allows.

A spike of step n arrives ``delay`` steps later and is integrated in the step after, n + delay + 1; so that many steps
of all neurons can be computed before any of their spikes matters. Of the products with the weights, those that the next
chunk needs stay in the loop; the gradient of the weights is one product at its end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.fused.chunk import Advanced, of_all_constants, pack
from twinbrain.learn.fused.kernels import SEGMENT, Adjoint, Kernels, Steps, Synapses
from twinbrain.learn.fused.memory import contiguous, each_step, empty, zeros
from twinbrain.learn.fused.surrogates import find_surrogate
from twinbrain.models.step import StepProgram


class Recurrence(NamedTuple):
    """Synapses of a block onto itself that share receptor and delay.

    Parameters
    ----------
    receptor : str
        Which takes their spikes.
    delay : int
        Steps, at least 1.
    weight : Tensor, shape (source, target)
        What a spike adds, in the receptor's unit; 0 where there is no synapse.
    """

    receptor: str
    delay: int
    weight: Tensor


def advance_recurrent(
    program: StepProgram,
    surrogate: str,
    slope: float | None,
    state: dict[str, Tensor],
    constants: dict[str, Tensor],
    given: Tensor,
    recurrences: tuple[Recurrence, ...],
    observe: tuple[str, ...] = (),
    past: Tensor | None = None,
) -> Advanced:
    """Compute all steps of a block with synapses onto itself, as one differentiable operation.

    Parameters
    ----------
    program, surrogate, slope, state, constants, observe
        As of `twinbrain.learn.fused.chunk.advance_chunk`.
    given : Tensor, shape (step, trial, receptor, neuron)
        What arrives in each step from elsewhere.
    recurrences : tuple of Recurrence
        The synapses.
    past : Tensor, shape (earlier, trial, neuron), optional
        Spikes of the steps before the first, the latest last; none if not given. Gradients pass to them.

    Returns
    -------
    Advanced
        State, spikes and what is observed; gradients pass to ``state``, ``constants``, ``given`` and the weights.

    Raises
    ------
    LearnError
        If a delay is under one step, a receptor is not the program's, or as `advance_chunk` does.
    """
    for r in recurrences:
        n = given.shape[3]
        if r.receptor not in program.jumps or r.delay < 1 or r.weight.shape != (n, n):
            raise LearnError(
                f"expected recurrent synapses onto one of the receptors {', '.join(program.jumps)}, with a delay of at "
                f"least 1 step and weights of shape {(n, n)}, found receptor {r.receptor!r}, delay {r.delay} and shape "
                f"{tuple(r.weight.shape)}"
            )
    receptors = list(program.jumps)
    places = tuple((receptors.index(r.receptor), r.delay) for r in recurrences)
    longest = max((r.delay for r in recurrences), default=0) + 1
    n_trials, n_neurons = given.shape[1], given.shape[3]
    before = given.new_zeros((longest, n_trials, n_neurons))
    if past is not None:
        before = torch.cat([before, past])[-longest:]
    packed = pack(program, surrogate, state, constants, given, observe)
    slope = find_surrogate(surrogate).slope if slope is None else slope
    weights = [r.weight.contiguous() for r in recurrences]
    new, spikes, seen = _Recurrent.apply(  # type: ignore[no-untyped-call, unused-ignore]
        packed.kernels, slope, places, packed.state, packed.constants, given, before, *weights
    )
    return Advanced(
        dict(zip(program.state, new.unbind(0), strict=True)),
        spikes,
        dict(zip(observe, seen.unbind(2), strict=True)),
    )


class _Recurrent(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        kernels: Kernels,
        slope: float,
        places: tuple[tuple[int, int], ...],
        state: Tensor,
        constants: Tensor,
        given: Tensor,
        past: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        n_steps, n_trials, _, n_neurons = given.shape
        given = contiguous(given)
        arrived = empty(given, *given.shape)
        state = state.clone()
        n_past = len(past)
        spikes = empty(given, n_past + n_steps, n_trials, n_neurons)
        spikes[:n_past] = past
        seen = empty(given, n_steps, n_trials, len(kernels.wanted.observe), n_neurons)
        length = min([SEGMENT, *(delay + 1 for _, delay in places)])
        every = SEGMENT // length * length
        kept = empty(state, -(-n_steps // every), *state.shape)
        synapses = Synapses(length, places, tuple(weight.detach() for weight in weights))
        kernels.forward_recurrent(every, synapses, given, Steps(state, constants, arrived, spikes, seen, kept))
        context.save_for_backward(kept, constants, arrived, spikes, *weights)
        context.kernels, context.slope, context.places = kernels, slope, places
        context.length, context.every = length, every
        return state, spikes[n_past:], seen

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        kept, constants, arrived, spikes, *weights = context.saved_tensors
        kernels: Kernels = context.kernels
        grad_state = gradients[0].contiguous().clone()
        grad_spikes, grad_seen = each_step(gradients[1]), contiguous(gradients[2])
        n_past = len(spikes) - len(arrived)
        # What the synapses give back to spikes waits here until their steps' turn.
        n_places = (-(-n_past // context.length) + 1) * context.length
        feedback = zeros(kept, n_places, *kept.shape[2:])
        grad_arrived = empty(arrived, *arrived.shape)
        grad_constants = zeros(kept, len(kernels.wanted.constants), *kept.shape[2:])
        grad_weights = kernels.backward_recurrent(
            *(context.every, context.slope, Synapses(context.length, context.places, tuple(weights)), spikes),
            Adjoint(
                *(kept, constants, arrived),
                *(grad_state, grad_spikes, feedback, grad_seen, grad_arrived, grad_constants),
            ),
        )
        return (
            *(None, None, None, grad_state),
            of_all_constants(kernels, constants, grad_constants),
            grad_arrived,
            feedback[torch.arange(-n_past, 0) % n_places] if context.needs_input_grad[6] else None,
            *grad_weights,
        )
