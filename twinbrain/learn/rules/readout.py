"""The response of an output to a spike that reaches it: what makes errors at one time depend on spikes at another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.jacobian import by_receptor, local_steps, moving

T = TypeVar("T", Tensor, float)


@dataclass(frozen=True)
class Response:
    """A linear response: ``x[t] = decay x[t-1] + gain u[t]``, of which the membrane potential is seen.

    Parameters
    ----------
    decay : dict of (str, str) to float
        Share of each variable before that is in each variable after.
    gain : dict of str to float
        Of what arrives.
    """

    decay: dict[tuple[str, str], float]
    gain: dict[str, float]

    def advance(self, state: dict[str, T], arrived: T) -> dict[str, T]:
        """Return the variables after a step."""
        found: dict[str, T] = {}
        for name, gain in self.gain.items():
            found[name] = gain * arrived
        for (to, from_), share in self.decay.items():
            if from_ in state:
                found[to] = found[to] + share * state[from_]
        return found


def readout_response(network: TrainableNetwork, rule: str) -> Response:
    """Return the response of the outputs.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    rule : str
        Named in errors.

    Raises
    ------
    LearnError
        If it is not linear, not the same for all outputs, or there are several receptors.
    """
    cell = network.blocks()[network.readout.block]
    constants = {name: value.detach() for name, value in cell.constants().items()}
    outputs = slice(network.readout.offset, network.readout.offset + network.readout.size)
    receptors = list(cell.program.jumps)
    if len(receptors) != 1:
        raise _unsuited(rule, f"the receptors {', '.join(receptors)}")
    found = []
    for shift in (0.0, 1.0):
        state = {name: value + shift for name, value in cell.initial(1).items()}
        arrived = {receptors[0]: torch.full_like(state[MEMBRANE], shift)[None]}
        rows = local_steps(cell, state, constants, arrived, 1).rows
        found.append({(to, from_): value[0, 0, outputs] for to, row in rows.items() for from_, value in row.items()})
    first = {key: float(value[0]) for key, value in found[0].items()}
    for rows_ in found:
        for key, value in rows_.items():
            if not torch.allclose(value, value.new_tensor(first.get(key, 0.0)), rtol=1e-5):
                raise _unsuited(rule, "outputs that differ from each other, or whose response depends on their state")
    names = moving(cell)
    return Response(
        {(to, from_): first[to, from_] for to in names for from_ in names if first.get((to, from_))},
        {to: first.get((to, by_receptor(receptors[0])), 0.0) for to in names},
    )


def _unsuited(rule: str, found: str) -> LearnError:
    return LearnError(
        f"train.rule: {rule}: expected a readout of leaky integrators that are all alike, with one receptor, since the "
        f"rule counts on how long an output remembers a spike; found {found}; use the model 'leaky_integrator'"
    )
