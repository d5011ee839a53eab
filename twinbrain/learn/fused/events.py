"""Products of spikes with weights that take time for spikes alone, where these are few."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from twinbrain.learn.fused.scalar import Disjoint
from twinbrain.learn.fused.threads import share

# Of all entries, at most so many may be spikes: a dense product does some ten times as many additions in the same time.
_SPARSE = 0.08


def add_product(out: Tensor, spikes: Tensor, weight: Tensor) -> None:
    """Add ``spikes @ weight`` to ``out``.

    Parameters
    ----------
    out : Tensor, shape (row, target)
        Changed.
    spikes : Tensor, shape (row, source)
        Mostly 0.
    weight : Tensor, shape (source, target)
        Contiguous.
    """
    if is_sparse(spikes):
        arrays = out.numpy(), spikes.numpy(), weight.numpy()
        share(len(spikes), spikes.numel(), lambda first, last: _add_rows(first, last, *arrays))
    else:
        out.addmm_(spikes, weight)


def add_weight_gradient(out: Tensor, spikes: Tensor, gradient: Tensor) -> None:
    """Add ``spikes.T @ gradient`` to ``out``.

    Parameters
    ----------
    out : Tensor, shape (source, target)
        Changed.
    spikes : Tensor, shape (row, source)
        Mostly 0.
    gradient : Tensor, shape (row, target)
        Of what the spikes' product was added to.
    """
    if is_sparse(spikes):
        arrays = out.numpy(), spikes.numpy(), gradient.numpy()
        share(spikes.shape[1], spikes.numel(), lambda first, last: _add_outer(first, last, *arrays))
    else:
        out.addmm_(spikes.t(), gradient)


def is_sparse(spikes: Tensor) -> bool:
    """Return whether spikes are few enough, and lie on a CPU."""
    return spikes.device.type == "cpu" and int(torch.count_nonzero(spikes)) <= _SPARSE * spikes.numel()


def spike_product(spikes: Tensor, weight: Tensor) -> Tensor:
    """Return ``spikes @ weight``; on a CPU quickly where spikes are few.

    Parameters
    ----------
    spikes : Tensor, shape (step, trial, source)
        1 or 0; gradients pass to them.
    weight : Tensor, shape (source, target)
        What a spike adds.
    """
    return _Product.apply(spikes, weight)  # type: ignore[no-untyped-call, unused-ignore]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, spikes: Tensor, weight: Tensor) -> Tensor:
        spikes, weight = spikes.contiguous(), weight.contiguous()
        context.save_for_backward(spikes, weight)
        out = spikes.new_zeros((*spikes.shape[:-1], weight.shape[1]))
        add_product(out.view(-1, out.shape[-1]), spikes.view(-1, spikes.shape[-1]), weight)
        return out

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        spikes, weight = context.saved_tensors
        gradient = gradients[0].contiguous().view(-1, weight.shape[1])
        of_spikes = of_weight = None
        if context.needs_input_grad[0]:
            of_spikes = (gradient @ weight.t()).view(spikes.shape)
        if context.needs_input_grad[1]:
            of_weight = torch.zeros_like(weight)
            add_weight_gradient(of_weight, spikes.view(-1, weight.shape[0]), gradient)
        return of_spikes, of_weight


_compile = numba.njit(cache=True, nogil=True, error_model="numpy")


@numba.njit(cache=True, nogil=True, error_model="numpy", pipeline_class=Disjoint)
def _add_row(out, factor, row):
    for j in range(row.shape[0]):
        out[j] += factor * row[j]


@_compile
def _find(row, first, last, found):
    n = 0
    for i in range(first, last):
        found[n] = i
        n += row[i] != 0.0
    return n


@_compile
def _add_rows(first, last, out, spikes, weight):
    found = np.empty(spikes.shape[1] + 1, np.int64)
    for r in range(first, last):
        for k in range(_find(spikes[r], 0, spikes.shape[1], found)):
            _add_row(out[r], spikes[r, found[k]], weight[found[k]])


@_compile
def _add_outer(first, last, out, spikes, gradient):
    found = np.empty(spikes.shape[1] + 1, np.int64)
    for r in range(spikes.shape[0]):
        for k in range(_find(spikes[r], first, last, found)):
            _add_row(out[found[k]], spikes[r, found[k]], gradient[r])
