"""Static synapses on tensors: integer sums into a ring of inboxes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from twinbrain.network.network import SynapseTable


class Synapses:
    """The static synapses of one receptor and origin, of networks side by side.

    Networks that share a table share it here.

    Parameters
    ----------
    tables : tuple of SynapseTable
        One of each network.
    n_neurons, n_inlets : int
        Neurons and places of each network.
    """

    def __init__(self, tables: tuple[SynapseTable, ...], n_neurons: int, n_inlets: int, device: torch.device) -> None:
        distinct = list({id(table): table for table in tables}.values())
        start = np.cumsum([0, *(table.n_synapses for table in distinct)])
        rows = np.concatenate([table.row_start[:-1] + first for table, first in zip(distinct, start, strict=False)])
        order = {id(table): i for i, table in enumerate(distinct)}
        self._first_row = torch.tensor([order[id(table)] * n_neurons for table in tables], device=device)
        self._row_start = torch.as_tensor(rows, device=device)
        self._row_length = torch.as_tensor(np.concatenate([np.diff(table.row_start) for table in distinct])).to(device)
        self._post = _joined([table.post for table in distinct], device)
        self._weight = _joined([table.weight for table in distinct], device)
        # PyTorch lacks arithmetic of unsigned 16-bit integers.
        self._delay = _joined([table.delay.astype(np.int32) for table in distinct], device)
        self._n_neurons, self._n_inlets = n_neurons, n_inlets

    def deliver(self, step: Tensor | int, batch: Tensor, neuron: Tensor, now: int, ring: Tensor) -> None:
        """Add the synapses of spikes to the ring, those due before step ``now`` left out.

        Parameters
        ----------
        step : Tensor of int64, shape (spike,), or int
            Step of the spikes.
        batch, neuron : Tensor of int64, shape (spike,)
            Network and number of the neurons.
        now : int
            The next step.
        ring : Tensor of int32, shape (slot, n_networks * n_inlets)
            What arrives in step n is in slot n modulo the number of slots.
        """
        row = self._first_row[batch] + neuron
        length = self._row_length[row]
        spike = torch.repeat_interleave(length)
        if not len(spike):
            return
        first = self._row_start[row] - (length.cumsum(0) - length)
        synapse = torch.arange(len(spike), device=spike.device) + first[spike]
        since = step[spike] if isinstance(step, Tensor) else step
        due = self._delay[synapse] + (since + 1)
        place = (due % len(ring)).long() * ring.shape[1] + batch[spike] * self._n_inlets + self._post[synapse]
        weight = self._weight[synapse]
        if isinstance(step, Tensor):
            weight = torch.where(due >= now, weight, 0)
        ring.view(-1).index_add_(0, place, weight)

    def arrays(self) -> tuple[Tensor, ...]:
        """Return, for a kernel, the first row of each network, rows' beginnings and lengths, post, weight and delay."""
        return self._first_row, self._row_start, self._row_length, self._post, self._weight, self._delay


def _joined(arrays: list[np.ndarray], device: torch.device) -> Tensor:
    if len(arrays) == 1:
        return torch.from_numpy(arrays[0]).to(device)
    return torch.from_numpy(np.concatenate(arrays)).to(device)
