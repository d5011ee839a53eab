"""Random input on tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.torch.random import philox
from twinbrain.network.drives import ALWAYS
from twinbrain.network.inputs import RandomDrive
from twinbrain.network.network import Network


@dataclass(frozen=True, eq=False)
class _Group:
    """Drives that share their thresholds.

    Parameters
    ----------
    thresholds : Tensor of int64
        A count is the number of them that a word reaches.
    elements : slice
        Its elements among all.
    place : Tensor of int64
        Places in the flat inboxes.
    weight, offset, first_step, last_step : Tensor
        Of each element.
    always : bool
        Whether all act in every step.
    """

    thresholds: Tensor
    elements: slice
    place: Tensor
    weight: Tensor
    offset: Tensor
    first_step: Tensor
    last_step: Tensor
    always: bool


class Drives:
    """The drives of networks side by side.

    Parameters
    ----------
    networks : sequence of Network
        The inbox of network b begins at place ``b * n_inlets``.
    device : torch.device
        Where to draw.
    """

    def __init__(self, networks: tuple[Network, ...], device: torch.device) -> None:
        self._device = device
        grouped: dict[bytes, list[tuple[int, RandomDrive]]] = {}
        for b, network in enumerate(networks):
            for drive in network.drives:
                grouped.setdefault(drive.thresholds.tobytes(), []).append((b * network.n_inlets, drive))
        drives = [drive for members in grouped.values() for _, drive in members]
        sizes = [drive.stop - drive.start for drive in drives]
        self._first_key = self._tensor(np.repeat([drive.key.first for drive in drives], sizes))
        self._second_key = self._tensor(np.repeat([drive.key.second for drive in drives], sizes))
        self._element = self._tensor(np.concatenate([np.empty(0, np.int64), *map(np.arange, sizes)]))
        self._groups, first = [], 0
        for members in grouped.values():
            group = self._group(members, first)
            self._groups.append(group)
            first = group.elements.stop
        self._drawn, self._words = -1, torch.empty(0)

    def add(self, step: int, inbox: Tensor) -> None:
        """Add to the flat inboxes what arrives in ``step``."""
        if not self._groups:
            return
        if step // 4 != self._drawn:
            self._drawn = step // 4
            counter = (self._element, self._drawn & 0xFFFFFFFF, self._drawn >> 32, 0)
            self._words = torch.stack(philox(counter, self._first_key, self._second_key))
        words = self._words[step % 4]
        for group in self._groups:
            amount = torch.bucketize(words[group.elements], group.thresholds, right=True, out_int32=True)
            amount -= group.offset
            amount *= group.weight
            if not group.always:
                amount *= (group.first_step <= step) & (step < group.last_step)
            inbox.index_add_(0, group.place, amount)

    def table(self) -> tuple[int, tuple[Tensor | int, ...]] | None:
        """Return the number of elements and, for a kernel, what describes each; None if there are none."""
        if not self._groups:
            return None
        most = max(len(group.thresholds) for group in self._groups)
        thresholds = torch.full((len(self._groups), most), 2**32, dtype=torch.int64, device=self._device)
        for row, group in zip(thresholds, self._groups, strict=True):
            row[: len(group.thresholds)] = group.thresholds
        sizes = torch.tensor([len(group.place) for group in self._groups], device=self._device)
        each = ("place", "weight", "offset", "first_step", "last_step")
        described = (torch.cat([getattr(group, name) for group in self._groups]) for name in each)
        number = torch.repeat_interleave(sizes)
        keys = (self._element, self._first_key, self._second_key)
        return len(self._element), (*keys, *described, number, thresholds, most)

    def _group(self, members: list[tuple[int, RandomDrive]], first: int) -> _Group:
        sizes = [drive.stop - drive.start for _, drive in members]
        place = np.concatenate([np.arange(drive.start, drive.stop) + offset for offset, drive in members])

        def each(values: list[int], dtype: torch.dtype = torch.int64) -> Tensor:
            return self._tensor(np.repeat(np.array(values, np.int64), sizes), dtype)

        return _Group(
            thresholds=self._tensor(members[0][1].thresholds),
            elements=slice(first, first + len(place)),
            place=self._tensor(place),
            weight=each([drive.weight for _, drive in members], torch.int32),
            offset=each([drive.offset for _, drive in members], torch.int32),
            first_step=each([drive.first_step for _, drive in members]),
            last_step=each([drive.last_step for _, drive in members]),
            always=all(drive.first_step == 0 and drive.last_step >= ALWAYS for _, drive in members),
        )

    def _tensor(self, values: np.ndarray, dtype: torch.dtype = torch.int64) -> Tensor:
        return torch.as_tensor(values.astype(np.int64), device=self._device).to(dtype)
