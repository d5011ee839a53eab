"""Synapses of many delays as one list: what earlier spikes add in the next steps, whatever their delays are.

Used where matrices would be too large, on the CPU. Rows of the list are sources; within a row synapses are sorted by
delay, so that a spike finds those that deliver it now.
"""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.learn.fused.scalar import Disjoint
from twinbrain.learn.fused.threads import share
from twinbrain.learn.links import Link


class Delayed:
    """The synapses of some links from a stage to itself.

    Parameters
    ----------
    links : sequence of Link
        Which are lists of synapses.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        pre, post = (torch.cat([getattr(link, end) for link in links]).numpy() for end in ("pre", "post"))
        delay = np.repeat([link.delay for link in links], [len(link.pre) for link in links])
        order = np.lexsort((delay, pre))
        self.order = torch.tensor(order)
        self.post, self.delay = post[order], delay[order].astype(np.int64)
        self.start = np.searchsorted(pre[order], np.arange(links[0].n_pre + 1))
        self.n_post = links[0].n_post

    def prepare(self, prepared: Sequence[Tensor]) -> Tensor:
        """Return the weights, in the order of the list, of what the links prepared."""
        return torch.cat(list(prepared))[self.order]

    def deliver(self, past: Tensor, weights: Tensor, n_steps: int) -> Tensor:
        """Return what spikes add to the inbox in the next steps.

        Parameters
        ----------
        past : Tensor, shape (earlier step, trial, pre)
            Spikes, 0 or 1, of the last steps.
        weights : Tensor, shape (synapse,)
            From `prepare`.
        n_steps : int
            How many steps are next; no delay is shorter.

        Returns
        -------
        Tensor, shape (step, trial, post)
        """
        found: Tensor = _Deliver.apply(self, past, weights, n_steps)
        return found


class _Deliver(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, synapses: Delayed, past: Tensor, weights: Tensor, n_steps: int) -> Tensor:
        context.synapses, context.n_steps = synapses, n_steps
        spikes = past.detach().to(torch.uint8)
        context.save_for_backward(spikes, weights)
        out = weights.new_zeros(n_steps, past.shape[1], synapses.n_post)
        arrays = (spikes.numpy(), synapses.start, synapses.delay, synapses.post, _array(weights), _array(out))
        share(past.shape[1], past.numel(), lambda first, last: _add(first, last, *arrays))
        return out

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        spikes, weights = context.saved_tensors
        synapses: Delayed = context.synapses
        own = (synapses.start, synapses.delay, synapses.post)
        gradient = gradients[0].contiguous()
        of_past = of_weights = None
        n_pre = spikes.shape[2]
        if context.needs_input_grad[1]:
            turned = weights.new_zeros(n_pre, *spikes.shape[:2])
            by_post = _array(gradient.permute(2, 0, 1).contiguous())
            back = (by_post, *own, _array(weights), _array(turned))
            share(n_pre, gradient[0].numel() * n_pre, lambda first, last: _carry_back(first, last, *back))
            of_past = turned.permute(1, 2, 0).contiguous()
        if context.needs_input_grad[2]:
            of_weights = torch.zeros_like(weights)
            pairs = (spikes.numpy(), _array(gradient), *own, _array(of_weights))
            share(n_pre, spikes.numel(), lambda first, last: _add_weight_gradient(first, last, *pairs))
        return None, of_past, of_weights, None


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _first_of(delay, first, last, wanted):
    """Return the first place of a row from which on no delay is shorter than wanted."""
    while first < last:
        middle = (first + last) // 2
        if delay[middle] < wanted:
            first = middle + 1
        else:
            last = middle
    return first


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add(first, last, spikes, start, delay, post, weight, out):
    """Add to ``out`` (step, trial, post), for trials of a range."""
    n_past, _, n_pre = spikes.shape
    for step in range(n_past):
        # A spike of the last step with delay d arrives in step d.
        ago = n_past - step - 1
        for trial in range(first, last):
            for pre in range(n_pre):
                if spikes[step, trial, pre]:
                    synapse = _first_of(delay, start[pre], start[pre + 1], ago)
                    while synapse < start[pre + 1] and delay[synapse] - ago < out.shape[0]:
                        out[delay[synapse] - ago, trial, post[synapse]] += weight[synapse]
                        synapse += 1


@numba.njit(cache=True, nogil=True, error_model="numpy", pipeline_class=Disjoint)
def _carry_back(first, last, gradient, start, delay, post, weight, out):
    """Add to ``out`` (pre, earlier step, trial) what comes back from ``gradient`` (post, step, trial)."""
    n_past, n_trials = out.shape[1:]
    n_steps = gradient.shape[1]
    for pre in range(first, last):
        for synapse in range(start[pre], start[pre + 1]):
            size, place, sent = weight[synapse], post[synapse], n_past - 1 - delay[synapse]
            for step in range(max(0, -sent), min(n_steps, n_past - sent)):
                for trial in range(n_trials):
                    out[pre, sent + step, trial] += size * gradient[place, step, trial]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_weight_gradient(first, last, spikes, gradient, start, delay, post, out):
    """Add to ``out`` (synapse), for neurons of a range."""
    n_past, n_trials, _ = spikes.shape
    for step in range(n_past):
        ago = n_past - step - 1
        for trial in range(n_trials):
            for pre in range(first, last):
                if spikes[step, trial, pre]:
                    synapse = _first_of(delay, start[pre], start[pre + 1], ago)
                    while synapse < start[pre + 1] and delay[synapse] - ago < gradient.shape[0]:
                        out[synapse] += gradient[delay[synapse] - ago, trial, post[synapse]]
                        synapse += 1
