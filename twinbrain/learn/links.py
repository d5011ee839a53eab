"""Links: what spikes of one stage of a network add to the inbox of another, a delay later."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinbrain.learn.active import add_active, add_weight_gradient, carry_back
from twinbrain.learn.fused.events import spike_product
from twinbrain.learn.fused.threads import share

# Up to so many pairs of a neuron and an inlet a matrix with zeros is faster than a list of synapses.
_DENSE = 1 << 22


class Link(nn.Module):
    """All synapses of one delay from one stage to another.

    Parameters
    ----------
    source, target : int
        The stages.
    delay : int
        In steps; a spike of step n arrives in step n + delay + 1.
    synapse : ndarray of int64, shape (synapse,)
        Where their weights are among those of all tables.
    pre, post : ndarray of int64, shape (synapse,)
        Neuron of the source stage, and inlet of the target stage.
    n_pre, n_post : int
        Neurons, and inlets.
    spread : ndarray of int64, shape (synapse,), optional
        Of synapses whose delays are trained: their places among these. Only a share of their weight acts here.
    """

    synapse: Tensor
    pre: Tensor
    post: Tensor
    start: Tensor
    spread: Tensor | None

    def __init__(
        self,
        source: int,
        target: int,
        delay: int,
        synapse: NDArray[np.int64],
        pre: NDArray[np.int64],
        post: NDArray[np.int64],
        n_pre: int,
        n_post: int,
        spread: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__()
        order = np.lexsort((post, pre))
        own = None if spread is None else torch.tensor(spread[order])
        self.register_buffer("spread", own, persistent=False)
        self.source, self.target, self.delay, self.n_pre, self.n_post = source, target, delay, n_pre, n_post
        start = np.searchsorted(pre[order], np.arange(n_pre + 1))
        for name, values in (("synapse", synapse[order]), ("pre", pre[order]), ("post", post[order]), ("start", start)):
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def receptors(self, n_neurons: int) -> list[int]:
        """Return which receptors of a target of so many neurons it reaches, by number."""
        return torch.unique(self.post // n_neurons).tolist()

    @property
    def is_dense(self) -> bool:
        """Whether a matrix is used."""
        return self.n_pre * self.n_post <= _DENSE

    def prepare(self, weights: Tensor, shares: Tensor | None = None) -> Tensor:
        """Return what `deliver` needs of the weights, once a batch.

        Parameters
        ----------
        weights : Tensor, shape (all synapses,)
            Of the whole network.
        shares : Tensor, shape (delay, trained synapse), optional
            From `TrainedDelays.shares`.

        Returns
        -------
        Tensor, shape (pre, post) or (synapse,)
            A matrix, or a list of synapses.
        """
        own = weights[self.synapse]
        if self.spread is not None and shares is not None:
            own = own * shares[self.delay - 1, self.spread]
        if not self.is_dense:
            return own
        flat = own.new_zeros(self.n_pre * self.n_post)
        return flat.index_add(0, self.pre * self.n_post + self.post, own).view(self.n_pre, self.n_post)

    def deliver(self, spikes: Tensor, prepared: Tensor, feedback: Tensor | None = None, late: int = 0) -> Tensor:
        """Return what spikes add to the inbox.

        Parameters
        ----------
        spikes : Tensor, shape (…, pre)
            0 or 1.
        prepared : Tensor
            From `prepare`.
        feedback : Tensor, shape of ``prepared``, optional
            Weights that carry the gradient back in place of the synapses' own.
        late : int, optional
            Steps until spikes of shape (step, trial, pre) are added; those that would be later than the last are not.

        Returns
        -------
        Tensor, shape (…, post)
        """
        if feedback is None and self.is_dense and spikes.ndim == 3:
            return spike_product(spikes, prepared, late)
        if late:
            arrived = self.deliver(spikes[:-late], prepared, feedback)
            return nn.functional.pad(arrived, (0, 0, 0, 0, late, 0))
        if feedback is not None:
            found: Tensor = _Feedback.apply(self, spikes, prepared, feedback)
        elif self.is_dense:
            found = spikes @ prepared
        else:
            found = _Sparse.apply(self, spikes, prepared)
        return found

    def _add(self, spikes: Tensor, weight: Tensor) -> Tensor:
        flat = spikes.reshape(-1, self.n_pre)
        out = flat.new_zeros(len(flat), self.n_post)
        if out.is_cpu:
            arrays = _arrays(flat, self.start, self.post, weight, out)
            share(len(flat), len(flat) * self.n_pre, lambda first, last: add_active(first, last, *arrays))
        else:
            out.index_add_(1, self.post, flat[:, self.pre] * weight)
        return out.view(*spikes.shape[:-1], self.n_post)

    def back(self, gradient: Tensor, prepared: Tensor) -> Tensor:
        """Return what a gradient of the inbox, shape (…, post), is of the spikes, shape (…, pre)."""
        return gradient @ prepared.T if self.is_dense else self._back(gradient, prepared)

    def _back(self, gradient: Tensor, weight: Tensor) -> Tensor:
        flat = gradient.reshape(-1, self.n_post)
        if flat.is_cpu:
            turned = flat.new_zeros(self.n_pre, len(flat))
            arrays = _arrays(flat.T, self.start, self.post, weight, turned)
            size = len(flat) * len(self.post)
            share(self.n_pre, size, lambda first, last: carry_back(first, last, *arrays))
            out = turned.T.contiguous()
        else:
            out = flat.new_zeros(len(flat), self.n_pre)
            out.index_add_(1, self.pre, flat[:, self.post] * weight)
        return out.view(*gradient.shape[:-1], self.n_pre)

    def weight_gradient(self, spikes: Tensor, gradient: Tensor) -> Tensor:
        """Return what a gradient of the inbox is of the prepared weights."""
        pre, post = spikes.reshape(-1, self.n_pre), gradient.reshape(-1, self.n_post)
        if self.is_dense:
            return pre.T @ post
        if not pre.is_cpu:
            return (pre[:, self.pre] * post[:, self.post]).sum(0)
        out = post.new_zeros(len(self.post))
        arrays = _arrays(pre, post, self.start, self.post, out)
        share(self.n_pre, pre.numel(), lambda first, last: add_weight_gradient(first, last, *arrays))
        return out


def _arrays(*tensors: Tensor) -> list[NDArray[Any]]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


class _Sparse(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, link: Link, spikes: Tensor, weight: Tensor) -> Tensor:
        context.link = link
        context.save_for_backward(spikes, weight)
        return link._add(spikes, weight)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        spikes, weight = context.saved_tensors
        link: Link = context.link
        back = link._back(gradients[0], weight) if context.needs_input_grad[1] else None
        own = link.weight_gradient(spikes, gradients[0]) if context.needs_input_grad[2] else None
        return None, back, own


class _Feedback(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, link: Link, spikes: Tensor, prepared: Tensor, feedback: Tensor) -> Tensor:
        context.link = link
        context.save_for_backward(spikes, feedback)
        return spikes @ prepared if link.is_dense else link._add(spikes, prepared)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        spikes, feedback = context.saved_tensors
        link: Link = context.link
        back = link.back(gradients[0], feedback) if context.needs_input_grad[1] else None
        return None, back, link.weight_gradient(spikes, gradients[0]), None


def make_links(
    synapses: dict[str, NDArray[np.int64]],
    stage_of_pre: NDArray[np.int64],
    stage_of_post: NDArray[np.int64],
    sizes: list[tuple[int, int]],
    place_of_pre: NDArray[np.int64],
    place_of_post: NDArray[np.int64],
    spread: NDArray[np.int64],
    longest: int,
) -> list[Link]:
    """Return the links of all synapses.

    Parameters
    ----------
    synapses : dict of str to ndarray of int64, shape (synapse,)
        ``pre`` (number of the neuron), ``post`` (place in the flat inbox) and ``delay`` (steps).
    stage_of_pre, place_of_pre : ndarray of int64, shape (neuron,)
        Stage of each neuron, and its place there.
    stage_of_post, place_of_post : ndarray of int64, shape (inlet,)
        Likewise of each place of the flat inbox.
    spread : ndarray of int64
        The synapses whose delays are trained; each is part of a link of every delay up to the longest.
    longest : int
        The longest such delay, in steps.
    sizes : list of tuple of int
        Neurons and inlets of each stage.
    """
    source, target = stage_of_pre[synapses["pre"]], stage_of_post[synapses["post"]]
    n = len(sizes)
    delay_of = synapses["delay"].copy()
    delay_of[spread] = 0  # one group, whatever their delays are
    key = (delay_of * n + source) * n + target
    order = np.argsort(key, kind="stable")
    keys, first = np.unique(key[order], return_index=True)
    links = []
    place_of_spread = np.full(len(key), -1)
    place_of_spread[spread] = np.arange(len(spread))
    for k, members in zip(keys.tolist(), np.split(order, first[1:]), strict=True):
        delay, rest = divmod(k, n * n)
        from_, to = divmod(rest, n)
        if place_of_spread[members[0]] >= 0:
            delays, places = range(1, longest + 1), place_of_spread[members]
        else:
            delays, places = range(delay, delay + 1), None
        pre, post = place_of_pre[synapses["pre"][members]], place_of_post[synapses["post"][members]]
        size = (sizes[from_][0], sizes[to][1])
        links += [Link(from_, to, d, members, pre, post, *size, spread=places) for d in delays]
    return links
