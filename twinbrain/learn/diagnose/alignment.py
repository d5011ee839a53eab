"""How far a rule's direction lies from the gradient, and its feedback weights from the forward ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.bptt import BackpropagationThroughTime
from twinbrain.learn.rules.rule import Rule

ALL = "all"


def alignment(network: TrainableNetwork, batch: Batch, objective: Objective, rule: Rule) -> xr.Dataset:
    """Return the angles between a rule and backpropagation through time.

    Parameters
    ----------
    network : TrainableNetwork
        The network; it is left as it was.
    batch : Batch
        What it sees.
    objective : Objective
        What is made small.
    rule : Rule
        Prepared for the network; it is left as it was too.

    Returns
    -------
    xarray.Dataset, dim ``group``
        ``angle`` (degrees) between the rule's direction and the gradient of what is trained: each group of weights,
        each parameter, and all together (``"all"``); no number where one of them is zero. ``symmetry`` (degrees):
        between feedback weights and forward weights; 0 for a rule that uses these, no number where nothing is carried
        back.
    """
    with _kept(network, rule):
        network.zero_grad(set_to_none=True)
        rule.learn(network, batch, objective)
        found = directions(network)
        network.zero_grad(set_to_none=True)
        BackpropagationThroughTime().learn(network, batch, objective)
        gradient = directions(network)
        symmetry = weight_symmetry(network, rule)
    angles = {name: angle(found[name], gradient[name]) for name in gradient}
    angles[ALL] = angle(torch.cat(list(found.values())), torch.cat(list(gradient.values())))
    units = {"units": "degree"}
    return xr.Dataset(
        {
            "angle": ("group", np.array(list(angles.values())), units),
            "symmetry": ("group", np.array([symmetry.get(name, np.nan) for name in angles]), units),
        },
        {"group": list(angles)},
        {"rule": rule.name},
    )


def angle(a: Tensor, b: Tensor) -> float:
    """Return the angle between two vectors in degrees; no number where one is zero."""
    a, b = a.double().flatten(), b.double().flatten()
    size = a.norm() * b.norm()
    if not size > 0:
        return float("nan")
    # By the chord, which small angles do not round away.
    chord = (a / a.norm() - b / b.norm()).norm().clamp(max=2.0)
    return float(torch.rad2deg(2.0 * torch.arcsin(0.5 * chord)))


def directions(network: TrainableNetwork) -> dict[str, Tensor]:
    """Return the gradients that are set, by group of weights and by parameter; zero where none is."""
    found: dict[str, Tensor] = {}
    for weights in network.tables():
        relative, gain = _gradient(weights.relative), _gradient(weights.gain)
        group = weights.group[weights.per_synapse]
        for number, own in enumerate(weights.groups):
            if own.trained == "synapse":
                found[own.name] = relative[group == number]
            elif own.trained is not None:
                found[own.name] = gain[weights.factor_of[number]][None]
    for block, cell in zip(network.lowered.network.blocks, network.blocks(), strict=True):
        for name, trained in cell.trained_parameters().items():
            found[f"{block.name}.{name}"] = _gradient(trained.change)
    if network.delays is not None:
        found["delay"] = _gradient(network.delays.change)
    return found


def weight_symmetry(network: TrainableNetwork, rule: Rule) -> dict[str, float]:
    """Return the angle (degrees) between feedback and forward weights, by group of weights that have feedback."""
    forward = network.all_weights().detach()
    backward = rule.feedback(network)
    if backward is None:
        backward = forward if rule.locality.weights == "transposed" else torch.full_like(forward, torch.nan)
    found = {}
    for table, start in zip(network.tables(), network.offsets(), strict=False):
        for number, own in enumerate(table.groups):
            chosen = start + torch.nonzero(table.group == number)[:, 0]
            from_input = network.lowered.network.populations[own.source] is network.input
            if not from_input and not bool(torch.isnan(backward[chosen]).any()):
                found[own.name] = angle(backward[chosen], forward[chosen])
    return found


def _gradient(parameter: torch.nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()


@contextmanager
def _kept(network: TrainableNetwork, rule: Rule) -> Iterator[None]:
    """Put a network and a rule back to what they were."""
    before = [{name: value.clone() for name, value in own.state_dict().items()} for own in (network, rule)]
    gradients = {parameter: parameter.grad for parameter in network.parameters()}
    try:
        yield
    finally:
        for own, state in zip((network, rule), before, strict=True):
            own.load_state_dict(state)
        for parameter, gradient in gradients.items():
            parameter.grad = gradient
