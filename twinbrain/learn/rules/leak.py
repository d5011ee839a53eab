"""How membranes leak between spikes: what a presynaptic trace decays by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.cell import SpikingCell
from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.jacobian import SPIKE, by_receptor, local_steps, moving
from twinbrain.learn.rules.levels import Level


@dataclass(frozen=True, eq=False)
class Leak:
    """Inlets of a level whose neurons remember alike what arrives there.

    Parameters
    ----------
    block : int
        Of the neurons.
    receptor : str
        Of the inlets.
    inlets, neurons : Tensor of int64, shape (inlet,)
        Places of the inlets in the stage, and of their neurons among the level's of that block.
    decay : dict of (str, str) to float
        Share of each state variable before a step that is in each after it.
    gain : dict of str to float
        Of what arrives.
    """

    block: int
    receptor: str
    inlets: Tensor
    neurons: Tensor
    decay: dict[tuple[str, str], float]
    gain: dict[str, float]

    def advance(self, trace: dict[str, Tensor], spikes: Tensor | None) -> dict[str, Tensor]:
        """Return the trace a step later, after spikes have arrived or none have."""
        found = {} if spikes is None else {name: gain * spikes for name, gain in self.gain.items()}
        for (to, from_), share in self.decay.items():
            if from_ in trace:
                found[to] = found[to] + share * trace[from_] if to in found else share * trace[from_]
        return found


def find_leaks(network: TrainableNetwork, level: Level, rule: str) -> list[Leak]:
    """Return the leaks of a level.

    Raises
    ------
    LearnError
        If a cell is not linear between spikes, so that what it remembers is not a matter of its leak alone.
    """
    found, start = [], 0
    for block in network.layout[level.stage].blocks:
        cell = network.blocks()[block]
        names = moving(cell)
        if (places := level.places.get(block)) is None:
            start += cell.n_neurons * len(cell.program.jumps)
            continue
        rows = _rows_at_rest(cell, network.lowered.network.blocks[block].name, rule)
        for receptor in cell.program.jumps:
            column = by_receptor(receptor)
            keys = [(to, of) for to in names for of in (*names, column) if of in rows[to]]
            table = torch.stack([rows[to][of][places] for to, of in keys], dim=1)
            kinds, kind = torch.unique(table, dim=0, return_inverse=True)
            for number, values in enumerate(kinds.tolist()):
                neurons = torch.nonzero(kind == number)[:, 0]
                own = dict(zip(keys, values, strict=True))
                decay = {(to, of): value for (to, of), value in own.items() if of != column and value}
                gain = {to: value for (to, of), value in own.items() if of == column and value}
                found.append(Leak(block, receptor, start + places[neurons], neurons, decay, gain))
            start += cell.n_neurons
    return found


def _rows_at_rest(cell: SpikingCell, name: str, rule: str) -> dict[str, dict[str, Tensor]]:
    """Return the local derivatives far from a spike, each of shape (neuron,)."""
    constants = {key: value.detach() for key, value in cell.constants().items()}
    found = []
    for shift in (0.0, 1.0):
        state = {key: value - shift for key, value in cell.initial(1).items()}
        arrived = {key: torch.zeros_like(state[MEMBRANE])[None] for key in cell.program.jumps}
        rows = local_steps(cell, state, constants, arrived, 1).rows
        found.append({to: {of: value[0, 0] for of, value in row.items()} for to, row in rows.items() if to != SPIKE})
    for to, row in found[0].items():
        for of, value in row.items():
            if not torch.allclose(value, found[1][to][of], rtol=1e-4, atol=1e-12):
                raise LearnError(
                    f"train.rule: {rule}: expected cells that are linear between spikes, with receptors that inject "
                    f"current, since its traces have the membrane's leak alone; found that {to} of the model {name!r} "
                    "depends on its state otherwise; use 'eprop', which takes any cell"
                )
    return found[0]
