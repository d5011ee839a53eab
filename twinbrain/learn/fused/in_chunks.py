"""The steps of a block with synapses onto itself, one chunk after the other that none of its spikes reaches."""

from __future__ import annotations

from torch import Tensor

from twinbrain.learn.fused.events import add_product, weight_gradient
from twinbrain.learn.fused.kernels import Adjoint, Kernels, Steps, Synapses


def forward_in_chunks(kernels: Kernels, every: int, synapses: Synapses, given: Tensor, steps: Steps) -> None:
    """Compute all steps; see `twinbrain.learn.fused.kernels.Kernels.forward_recurrent`."""
    n_past = len(steps.spikes) - len(steps.arrived)
    steps.arrived.copy_(given)
    after = steps._replace(spikes=steps.spikes[n_past:])
    for start, stop in _chunks(len(steps.arrived), synapses.length):
        for (receptor, delay), weight in zip(synapses.places, synapses.weights, strict=True):
            add_product(steps.arrived, receptor, steps.spikes[n_past - delay - 1 :], weight, start, stop)
        kernels.forward(every, start, stop, after)


def backward_in_chunks(
    kernels: Kernels, every: int, slope: float, synapses: Synapses, spikes: Tensor, adjoint: Adjoint
) -> list[Tensor]:
    """Compute their adjoint; see `twinbrain.learn.fused.kernels.Kernels.backward_recurrent`."""
    past = kernels.room(every, adjoint.kept, in_parts=True)
    n_places = len(adjoint.feedback)
    for start, stop in reversed(_chunks(len(adjoint.arrived), synapses.length)):
        kernels.backward(every, start, stop, slope, past, adjoint)
        for (receptor, delay), weight in zip(synapses.places, synapses.weights, strict=True):
            for first, last in _pieces(start - delay - 1, stop - delay - 1, n_places):
                here = first + delay + 1
                rows = adjoint.grad_arrived[here : here + last - first, :, receptor].view(-1, weight.shape[1])
                place = first % n_places
                adjoint.feedback[place : place + last - first].view(-1, weight.shape[0]).addmm_(rows, weight.t())
    n_past = len(spikes) - len(adjoint.arrived)
    return [
        weight_gradient(weight, spikes[n_past - delay - 1 :], adjoint.grad_arrived, receptor)
        for (receptor, delay), weight in zip(synapses.places, synapses.weights, strict=True)
    ]


def _chunks(n_steps: int, length: int) -> list[tuple[int, int]]:
    return [(start, min(start + length, n_steps)) for start in range(0, n_steps, length)]


def _pieces(start: int, stop: int, n_places: int) -> list[tuple[int, int]]:
    """Return steps in parts that do not go round the end of the places."""
    turn = start + n_places - start % n_places
    return [(start, stop)] if stop <= turn else [(start, turn), (turn, stop)]
