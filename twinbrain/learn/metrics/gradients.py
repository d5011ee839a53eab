"""Gradients: how far two point apart, how symmetric weights are, and where gradients vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from twinbrain.errors import LearnError


def alignment(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """Return the angle between two gradients, all parameters taken as one vector.

    Parameters
    ----------
    first, second : mapping of str to Tensor
        The gradient of each parameter, by name.

    Returns
    -------
    float (degrees)
        Below 90 a step along one goes downhill for the other; NaN if one of them is 0.

    Raises
    ------
    LearnError
        If they are not of the same parameters.

    References
    ----------
    Lillicrap et al. (2016), doi 10.1038/ncomms13276.
    """
    if {n: v.shape for n, v in first.items()} != {n: v.shape for n, v in second.items()}:
        raise LearnError(
            f"gradients: expected those of the same parameters, found {', '.join(sorted(first))} and "
            f"{', '.join(sorted(second))}, or other shapes; choose the parameters that both have"
        )
    one, two = (torch.cat([g[name].detach().double().flatten() for name in first]) for g in (first, second))
    return _angle(one, two)


def weight_symmetry(weight: Tensor, feedback: Tensor) -> float:
    """Return the angle between forward weights and the transpose of those by which errors come back.

    Parameters
    ----------
    weight : Tensor, shape (target, source)
        Weights by which activity goes forward.
    feedback : Tensor, shape (source, target)
        Weights by which errors go back; in backpropagation these are the transpose.

    Returns
    -------
    float (degrees)
        0 if they are in proportion, about 90 if they are independent; NaN if one of them is 0.

    Raises
    ------
    LearnError
        If the shapes are not transposes of each other.
    """
    if tuple(weight.shape) != tuple(reversed(feedback.shape)):
        raise LearnError(
            f"feedback: expected shape (source, target) = {tuple(reversed(weight.shape))}, found "
            f"{tuple(feedback.shape)}; transpose it"
        )
    return _angle(weight.detach().double().flatten(), feedback.detach().double().T.flatten())


def gradient_norms(loss: Tensor, states: Mapping[str, Tensor | Sequence[Tensor]]) -> xr.Dataset:
    """Return how large the gradient is at each layer and step.

    Each state must be the tensor that later ones were computed from: of a loop over time, the list of its steps, or
    the input of all steps; a stack that was made of them afterwards sees only what reaches the loss directly.

    Parameters
    ----------
    loss : Tensor
        A scalar. Its graph is kept.
    states : mapping of str to Tensor, shape (step, trial, neuron), or to sequence of Tensor, shape (trial, neuron)
        States of each layer, layers of the same number of steps.

    Returns
    -------
    xarray.Dataset
        ``norm`` over all trials and neurons, of dimensions (layer, step).

    Raises
    ------
    LearnError
        If layers do not have as many steps as each other.
    """
    lengths = {name: len(state) for name, state in states.items()}
    if len(set(lengths.values())) > 1:
        raise LearnError(f"states: expected as many steps in each layer, found {lengths}; give the same steps of all")
    norms = {name: _norms(loss, state) for name, state in states.items()}
    values = np.array(list(norms.values())).reshape(len(norms), -1)
    return xr.Dataset({"norm": (("layer", "step"), values)}, {"layer": list(norms), "step": np.arange(values.shape[1])})


def _norms(loss: Tensor, state: Tensor | Sequence[Tensor]) -> list[float]:
    steps = [state] if isinstance(state, Tensor) else list(state)
    found = torch.autograd.grad(loss, steps, retain_graph=True, allow_unused=True, materialize_grads=True)
    gradients = found[0] if isinstance(state, Tensor) else found
    return [float(torch.linalg.vector_norm(gradient)) for gradient in gradients]


def _angle(first: Tensor, second: Tensor) -> float:
    lengths = float(first.norm()) * float(second.norm())
    if not lengths:
        return math.nan
    # Of the half angle: acos loses half of the digits near 0 and 180 degrees.
    one, two = first / first.norm(), second / second.norm()
    return 2 * math.degrees(math.atan2(float((one - two).norm()), float((one + two).norm())))
