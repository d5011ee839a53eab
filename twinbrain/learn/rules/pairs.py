"""Spike-timing-dependent plasticity of pairs: every spike of one neuron with every spike of the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.rules.synapses import Synapses

# Up to so many pairs of neurons all are reckoned, and the synapses picked out.
_ALL_PAIRS = 1 << 22


@dataclass(frozen=True)
class Window:
    """How much a pair of spikes counts.

    Where the target's spike comes after the other has arrived, ``A_plus exp(-difference/tau_plus)``; where it comes
    before or at the same time, ``-A_minus exp(-difference/tau_minus)``. These are the definitions of the model
    ``pair_stdp`` of the library.

    Parameters
    ----------
    A_plus, A_minus : float
        Amplitudes.
    tau_plus, tau_minus : float (ms)
        Time constants.

    Raises
    ------
    LearnError
        If a time constant is not above 0.
    """

    A_plus: float
    A_minus: float
    tau_plus: float
    tau_minus: float

    def __post_init__(self) -> None:
        for name in ("tau_plus", "tau_minus"):
            if not getattr(self, name) > 0:
                raise LearnError(f"train.rule: {name}: expected a time above 0 ms, found {getattr(self, name)}")


def trace(spikes: Tensor, decay: float) -> Tensor:
    """Return the sum of past and present spikes, each decayed: ``y[n] = decay y[n-1] + s[n]``.

    Parameters
    ----------
    spikes : Tensor, shape (step, …)
        0 or 1.
    decay : float
        By a step.
    """
    found, now = torch.empty_like(spikes), torch.zeros_like(spikes[0])
    for n, own in enumerate(spikes):
        now = decay * now + own
        found[n] = now
    return found


def pair_changes(spikes: Tensor, synapses: Synapses, window: Window, dt: float, weight: Tensor) -> Tensor:
    """Return what pairs of spikes add up to, at each inner synapse.

    Parameters
    ----------
    spikes : Tensor, shape (step, trial, neuron)
        Of all neurons.
    synapses : Synapses
        Of the network.
    window : Window
        What a pair counts.
    dt : float (ms)
        Time step.
    weight : Tensor, shape (step, trial)
        What a pair counts more for the step of its later spike, and for its trial.

    Returns
    -------
    Tensor, shape (chosen,)
    """
    pre, post, delay = (values[synapses.inner] for values in (synapses.pre, synapses.post, synapses.delay))
    decay = exp(-dt / window.tau_plus)
    before = trace(spikes, exp(-dt / window.tau_minus))
    after = trace(spikes, decay)
    later = decay * torch.cat([torch.zeros_like(after[:1]), after[:-1]])
    counted, marked = spikes * weight[:, :, None], before * weight[:, :, None]
    found = spikes.new_zeros(len(pre))
    n_steps = len(spikes)
    for late in torch.unique(delay).tolist():
        own = torch.nonzero(delay == late).squeeze(1)
        rest = max(n_steps - late, 0)
        ends = (pre[own], post[own])
        found[own] = window.A_plus * _sum(later[:rest], counted[late:], *ends)
        found[own] -= window.A_minus * _sum(spikes[:rest], marked[late:], *ends)
    return found


def _sum(first: Tensor, second: Tensor, pre: Tensor, post: Tensor) -> Tensor:
    """Return the sum over steps and trials of the products, at pairs of neurons."""
    pres, pre_at = torch.unique(pre, return_inverse=True)
    posts, post_at = torch.unique(post, return_inverse=True)
    if len(pres) * len(posts) <= _ALL_PAIRS:
        products = first[:, :, pres].flatten(0, 1).T @ second[:, :, posts].flatten(0, 1)
        return products[pre_at, post_at].to(first.dtype)  # half of it where precision is mixed
    found = first.new_zeros(len(pre))
    for one, other in zip(first, second, strict=True):
        found += (one[:, pre] * other[:, post]).sum(0)
    return found
