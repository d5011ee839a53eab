"""Advance one stage of a network through all steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from twinbrain.learn.cell import SpikingCell, State
from twinbrain.learn.delayed import Delayed
from twinbrain.learn.links import Link


@dataclass(frozen=True, eq=False)
class StageRun:
    """A stage: what it is made of, and what comes in.

    Parameters
    ----------
    cells : list of SpikingCell
        One a block.
    given : Tensor, shape (step, trial, inlet)
        What arrives from outside the stage, block by block and receptor by receptor.
    links : list of (Link, Tensor, Tensor or None)
        Synapses within the stage, what their weights were prepared to, and the weights of the way back.
    observe : str or None
        A state variable to keep.
    window : int or None
        Steps beyond which no gradient goes back.
    delayed : Delayed or None
        Those of the links that are lists of synapses, as one list.
    """

    cells: list[SpikingCell]
    given: Tensor
    links: list[tuple[Link, Tensor, Tensor | None]]
    observe: str | None = None
    window: int | None = None
    delayed: Delayed | None = None


@dataclass(frozen=True, eq=False)
class StageActivity:
    """What a stage did.

    Parameters
    ----------
    spikes : Tensor, shape (step, trial, neuron)
        0 or 1.
    observed : Tensor, shape (step, trial, neuron), optional
        The variable after each step.
    last : list of dict of str to Tensor, shape (trial, neuron), optional
        The state of each cell after the last step.
    """

    spikes: Tensor
    observed: Tensor | None = None
    last: list[State] | None = None


def advance_stage(run: StageRun) -> StageActivity:
    """Advance a stage step by step, differentiated by PyTorch; other ways are held against this one."""
    n_steps, n_trials = run.given.shape[:2]
    states = [cell.initial(n_trials) for cell in run.cells]
    constants = [cell.constants() for cell in run.cells]
    spikes: list[Tensor] = []
    observed = []
    first = 0  # gradients do not go back beyond this step
    for n in range(n_steps):
        if run.window is not None and n and n % run.window == 0:
            first = n
            states = [{name: value.detach() for name, value in state.items()} for state in states]
        inbox = run.given[n]
        for link, prepared, feedback in run.links:
            if (sent := n - link.delay - 1) >= 0:
                earlier = spikes[sent] if sent >= first else spikes[sent].detach()
                inbox = inbox + link.deliver(earlier, prepared, feedback)
        now = []
        for i, (cell, arrived) in enumerate(zip(run.cells, _by_receptor(run.cells, inbox), strict=True)):
            states[i], spiking = cell.step(states[i], constants[i], arrived)
            now.append(spiking)
        spikes.append(torch.cat(now, dim=1))
        if run.observe:
            observed.append(torch.cat([state[run.observe] for state in states], dim=1))
    return StageActivity(torch.stack(spikes), torch.stack(observed) if run.observe else None, states)


def _by_receptor(cells: list[SpikingCell], inbox: Tensor) -> list[State]:
    found, start = [], 0
    for cell in cells:
        arrived = {}
        for receptor in cell.program.jumps:
            arrived[receptor] = inbox[..., start : start + cell.n_neurons]
            start += cell.n_neurons
        found.append(arrived)
    return found
