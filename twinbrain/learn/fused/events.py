"""Products of spikes with weights that take time for spikes alone, where these are few."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from twinbrain.learn.fused import halves
from twinbrain.learn.fused.memory import contiguous, empty, zeros
from twinbrain.learn.fused.rows import add_four_rows, add_row
from twinbrain.learn.fused.threads import share

# Of all entries, at most so many may be spikes: a dense product does some ten times as many additions in the same time.
_SPARSE = 0.08


def add_product(
    arrived: Tensor, receptor: int, spikes: Tensor, weight: Tensor, start: int, stop: int, fresh: bool = False
) -> None:
    """Add ``spikes @ weight`` to what arrives in the steps from ``start`` to ``stop``.

    Parameters
    ----------
    arrived : Tensor, shape (step, trial, receptor, target)
        Changed.
    receptor : int
        Which.
    spikes : Tensor, shape (step, trial, source)
        Those that arrive in each step.
    weight : Tensor, shape (source, target)
        What a spike adds; contiguous.
    fresh : bool, optional
        Whether nothing has arrived yet, whatever stands there.
    """
    if _is_sparse(spikes, start, stop):
        arrays = arrived.numpy(), receptor, spikes.numpy(), weight.numpy(), start, stop, fresh
        size = (stop - start) * spikes[0].numel()
        share(spikes.shape[1], size, lambda first, last: add_rows(first, last, *arrays))
    else:
        out = arrived[start:stop, :, receptor].view(-1, weight.shape[1])
        out.addmm_(spikes[start:stop].view(-1, weight.shape[0]), weight, beta=0 if fresh else 1)


def weight_gradient(weight: Tensor, spikes: Tensor, gradient: Tensor, receptor: int) -> Tensor:
    """Return ``spikes.T @ gradient``, over all steps and trials: the gradient of weights.

    Parameters
    ----------
    weight : Tensor, shape (source, target)
        The weights.
    spikes : Tensor, shape (step, trial, source)
        At least as many steps as the gradient has; in half precision if a product with them was `halves.product`.
    gradient : Tensor, shape (step, trial, receptor, target)
        Of what arrived.
    receptor : int
        Which.
    """
    n_steps = len(gradient)
    if _is_sparse(spikes, 0, n_steps):
        out = zeros(weight, *weight.shape)
        arrays = out.numpy(), spikes.numpy(), gradient.numpy(), receptor, (0, gradient.shape[1]), 0, n_steps
        share(len(out), spikes.numel(), lambda first, last: add_outer(first, last, *arrays))
        return out
    sent = spikes[:n_steps].view(-1, len(weight)).t()
    rows = gradient[:, :, receptor].view(-1, weight.shape[1])
    if halves.pays(len(weight), rows):
        return halves.product(sent.half(), rows, torch.empty_like(weight))
    return sent @ rows


def _is_sparse(spikes: Tensor, start: int, stop: int) -> bool:
    if spikes.device.type != "cpu" or not spikes[start:stop].numel():
        return False
    return _mean(spikes.numpy(), start, stop) <= _SPARSE


def spike_product(spikes: Tensor, weight: Tensor, late: int = 0) -> Tensor:
    """Return ``spikes @ weight``, some steps later; on a CPU quickly where spikes are few.

    Parameters
    ----------
    spikes : Tensor, shape (step, trial, source)
        1 or 0; gradients pass to them.
    weight : Tensor, shape (source, target)
        What a spike adds.
    late : int, optional
        Steps until it does. In as many first steps nothing is added, and the last spikes add nothing.
    """
    return _Product.apply(spikes, weight, late)  # type: ignore[no-untyped-call, unused-ignore]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, spikes: Tensor, weight: Tensor, late: int) -> Tensor:
        n_steps, n_trials, _ = spikes.shape
        n_sent = n_steps - late
        in_halves = halves.pays(n_steps * n_trials, weight)
        if in_halves:
            spikes = spikes.half()
        else:
            weight = weight.contiguous()
        spikes = spikes.contiguous()
        context.save_for_backward(spikes, weight)
        context.late = late
        out = empty(weight, n_steps, n_trials, 1, weight.shape[1])
        out[:late] = 0.0
        if in_halves:
            halves.product(spikes[:n_sent].view(-1, len(weight)), weight, out[late:].view(-1, weight.shape[1]))
        else:
            add_product(out[late:], 0, spikes, weight, 0, n_sent, fresh=True)
        return out[:, :, 0]

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        spikes, weight = context.saved_tensors
        gradient = contiguous(gradients[0])[context.late :]
        of_spikes, of_weight = None, None
        if context.needs_input_grad[0]:
            of_spikes = empty(weight, *spikes.shape)
            of_spikes[len(gradient) :] = 0.0
            torch.mm(gradient.flatten(0, 1), weight.t(), out=of_spikes[: len(gradient)].view(-1, len(weight)))
        if context.needs_input_grad[1]:
            of_weight = weight_gradient(weight, spikes, gradient[:, :, None], 0)
        return of_spikes, of_weight, None


_compile = numba.njit(cache=True, nogil=True, error_model="numpy")


# The order of a sum does not matter to whether spikes are few.
@numba.njit(cache=True, nogil=True, fastmath=True)
def _mean(spikes, start, stop):
    rows = spikes[start:stop].reshape(-1)
    total = spikes.dtype.type(0.0)
    for i in range(rows.shape[0]):
        total += rows[i]
    return total / rows.shape[0]


@_compile
def _find(row, first, last, found):
    n = 0
    for i in range(first, last):
        found[n] = i
        n += row[i] != 0.0
    return n


@_compile
def add_rows(first, last, arrived, receptor, spikes, weight, start, stop, fresh):
    """Add ``spikes @ weight`` to what arrives in some steps of some trials, in time for spikes alone."""
    found = np.empty(spikes.shape[2] + 1, np.int64)
    for step in range(start, stop):
        for trial in range(first, last):
            sent, out = spikes[step, trial], arrived[step, trial, receptor]
            if fresh:
                out[:] = 0.0
            n = _find(sent, 0, sent.shape[0], found)
            for k in range(0, n - 3, 4):
                a, b, c, d = found[k], found[k + 1], found[k + 2], found[k + 3]
                add_four_rows(out, sent[a], sent[b], sent[c], sent[d], weight[a], weight[b], weight[c], weight[d])
            for k in range(n - n % 4, n):
                add_row(out, sent[found[k]], weight[found[k]])


@_compile
def add_outer(first, last, out, spikes, gradient, receptor, trials, start, stop):
    """Add ``spikes.T @ gradient`` of some steps and trials to some rows of ``out``, in time for spikes alone."""
    found = np.empty(spikes.shape[2] + 1, np.int64)
    for step in range(start, stop):
        for trial in range(trials[0], trials[1]):
            sent, row = spikes[step, trial], gradient[step, trial, receptor]
            for k in range(_find(sent, first, last, found)):
                add_row(out[found[k]], sent[found[k]], row)
