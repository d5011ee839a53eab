"""The local derivatives of a step: how each neuron's state and spike depend on what that neuron had and got."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from twinbrain.learn.cell import SpikingCell, State
from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.learn.network import TrainableNetwork
from twinbrain.models.step import REFRACTORY_LEFT

SPIKE = "_spike"
CHUNK = 16
"""Steps whose derivatives are found together, once their states are known."""


@dataclass(frozen=True, eq=False)
class LocalSteps:
    """Some steps, and their derivatives.

    Parameters
    ----------
    state : dict of str to Tensor, shape (trial, neuron)
        After the last step.
    rows : dict of str to dict of str to Tensor, shape (step, trial, neuron)
        Of each state variable, and of `SPIKE`, the derivative by each state variable before the step, by what arrived
        at each receptor, and by the constants that were asked for. What it does not depend on is left out.
    """

    state: State
    rows: dict[str, dict[str, Tensor]]


def moving(cell: SpikingCell) -> list[str]:
    """Return the state variables that have derivatives: all but the count of refractory steps."""
    return [name for name in cell.program.state if name != REFRACTORY_LEFT]


def by_receptor(name: str) -> str:
    """Return the name of what arrived at a receptor, among what is derived by."""
    return f"arrived {name}"


def local_steps(
    cell: SpikingCell, state: State, constants: State, arrived: State, n_steps: int, wanted: Collection[str] = ()
) -> LocalSteps:
    """Compute steps with their local derivatives; the surrogate stands for a spike's.

    Parameters
    ----------
    cell : SpikingCell
        The neurons.
    state : dict of str to Tensor, shape (trial, neuron)
        Before the first step.
    constants : dict of str to Tensor, shape (neuron,)
        Without gradients.
    arrived : dict of str to Tensor, shape (step, trial, neuron)
        By receptors.
    n_steps : int
        How many steps; a cell without receptors has them too.
    wanted : collection of str
        Constants to derive by.
    """
    before: dict[str, list[Tensor]] = {name: [] for name in state}
    with torch.no_grad():
        for i in range(n_steps):
            for name, value in state.items():
                before[name].append(value)
            state, _ = cell.step(state, constants, {name: value[i] for name, value in arrived.items()})
    stacked = {name: torch.stack(values) for name, values in before.items()}
    names = moving(cell)
    shape = stacked[names[0]].shape
    old = {name: stacked[name].requires_grad_() for name in names}
    new_constants = {name: constants[name].expand(shape).clone().requires_grad_() for name in wanted}
    got = {name: value.detach().clone().requires_grad_() for name, value in arrived.items()}
    with torch.enable_grad():
        new, spikes = cell.step({**stacked, **old}, {**constants, **new_constants}, got)
    inputs = {**old, **{by_receptor(name): value for name, value in got.items()}, **new_constants}
    outputs = {name: new[name] for name in names} | {SPIKE: spikes}
    rows: dict[str, dict[str, Tensor]] = {}
    for name, output in outputs.items():
        rows[name] = {}
        if output.requires_grad:
            found = torch.autograd.grad(
                output, list(inputs.values()), torch.ones_like(output), retain_graph=True, allow_unused=True
            )
            rows[name] = {key: value for key, value in zip(inputs, found, strict=True) if value is not None}
    return LocalSteps(state, rows)


def seen_row(network: TrainableNetwork, block: int, steps: LocalSteps, places: Tensor | None = None) -> State:
    """Return the derivatives of what is seen of each neuron: of an output its membrane potential, else its spike.

    ``places`` are those neurons of the block that the steps are of; by default all.
    """
    spike = steps.rows[SPIKE]
    if block != network.readout.block:
        return spike
    membrane = steps.rows[MEMBRANE]
    is_output = torch.zeros(network.blocks()[block].n_neurons, dtype=torch.bool, device=network.place.device)
    is_output[network.readout.offset :][: network.readout.size] = True
    is_output = is_output if places is None else is_output[places]
    zero = torch.zeros((), dtype=network.dtype, device=is_output.device)
    return {name: torch.where(is_output, membrane.get(name, zero), spike.get(name, zero)) for name in membrane | spike}
