"""Given input on tensors: waveforms and events, which the host computes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.waveforms import WaveformReader
from twinbrain.network.network import Network


class GivenInputs:
    """Waveforms and events of networks side by side.

    Parameters
    ----------
    networks : tuple of Network
        The inbox of network b begins at place ``b * n_inlets``.
    device : torch.device
        Where the inboxes lie.
    """

    def __init__(self, networks: tuple[Network, ...], device: torch.device) -> None:
        self._device = device
        self._offsets = [b * network.n_inlets for b, network in enumerate(networks)]
        self._events = [network.events for network in networks]
        self._readers = [WaveformReader(network.waveforms) for network in networks]
        self._columns = [np.repeat(np.arange(len(r.start)), r.stop - r.start) for r in self._readers]
        self._places = [
            self._tensor(np.concatenate([np.empty(0, np.int64), *map(np.arange, r.start, r.stop)]) + offset)
            for r, offset in zip(self._readers, self._offsets, strict=True)
        ]

    def __bool__(self) -> bool:
        return any(map(len, self._events)) or any(map(len, self._places))

    def add(self, step: int, inbox: Tensor) -> None:
        """Add to the flat inboxes what arrives in ``step``."""
        for reader, columns, places in zip(self._readers, self._columns, self._places, strict=True):
            if (amounts := reader.at(step)) is not None:
                inbox.index_add_(0, places, self._tensor(amounts[columns]))
        for events, offset in zip(self._events, self._offsets, strict=True):
            now = slice(*np.searchsorted(events.step, [step, step + 1]))
            if now.start < now.stop:
                inbox.index_add_(0, self._tensor(events.place[now] + offset), self._tensor(events.amount[now]))

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self._device)
