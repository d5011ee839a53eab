"""From what the ranks hold to what the whole brain would, and back: recordings, samples and states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, SimulationState, Spikes
from twinbrain.network.build import block_programs
from twinbrain.network.layout import Layout, block_neurons
from twinbrain.network.probes import lower_probes
from twinbrain.network.shard import shard_layout
from twinbrain.spec.record import Record

Indices = NDArray[np.int32]
Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Places:
    """Where each rank's values of some kind stand among all.

    Parameters
    ----------
    of_rank : tuple of ndarray of int64
        One a rank; none are shared.
    """

    of_rank: tuple[NDArray[np.int64], ...]

    @classmethod
    def among(cls, whole: Indices, parts: Sequence[Indices]) -> Places:
        """Return the places of ascending numbers among all."""
        return cls(tuple(np.searchsorted(whole, part) for part in parts))

    @classmethod
    def sorted_by(cls, parts: Sequence[Indices]) -> Places:
        """Return the places that values have once all are sorted, equal ones left in their order."""
        order = np.argsort(np.concatenate(parts), kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return cls(tuple(np.split(place, np.cumsum([len(part) for part in parts])[:-1])))

    def merge(self, parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64]:
        """Return all values along the last axis; a rank that holds none may give None."""
        given = [(place, part) for place, part in zip(self.of_rank, parts, strict=True) if part is not None]
        whole = np.empty((*given[0][1].shape[:-1], sum(map(len, self.of_rank))))
        for place, part in given:
            whole[..., place] = part
        return whole

    def split(self, whole: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return the values of each rank."""
        return [whole[place] for place in self.of_rank]


class Merger:
    """What rank 0 knows of all ranks.

    Parameters
    ----------
    layout : Layout
        Of the whole brain.
    shards : sequence of tuple of int
        The nodes of each rank.
    record : Record
        What is sampled.
    dt : float (ms)
        Time step.
    plastic : dict of str to sequence of ndarray of int32
        For each plastic table of the brain, in their order, the source neurons of each rank's synapses.
    max_delay : int
        The brain's longest delay, in steps.
    """

    def __init__(
        self,
        layout: Layout,
        shards: Sequence[tuple[int, ...]],
        record: Record,
        dt: float,
        plastic: Mapping[str, Sequence[Indices]],
        max_delay: int,
    ) -> None:
        layouts = [shard_layout(layout, nodes) for nodes in shards]
        whole, parts = block_neurons(layout), [block_neurons(shard) for shard in layouts]
        self._blocks = {
            block.name: Places.among(whole[i], [part[i] for part in parts]) for i, block in enumerate(layout.blocks)
        }
        self._synapses = {name: Places.sorted_by(sources) for name, sources in plastic.items()}
        programs = block_programs(layout)
        probed = [
            {probe.name: neurons[probe.block][probe.places] for probe in lower_probes(record, own, programs, dt)}
            for own, neurons in zip([layout, *layouts], [whole, *parts], strict=True)
        ]
        self._probes = {
            name: Places.among(neurons, [part.get(name, neurons[:0]) for part in probed[1:]])
            for name, neurons in probed[0].items()
        }
        self._n_ranks, self._max_delay = len(shards), max_delay
        self._under_way = Spikes.none()

    def recording(self, parts: Sequence[Recording]) -> Recording:
        """Return the recording of the whole brain."""
        spikes = _in_order(Spikes.concatenate([part.spikes for part in parts]))
        self._under_way = Spikes.concatenate([self._under_way, spikes])
        samples = {
            name: places.merge([part.samples.get(name) for part in parts]) for name, places in self._probes.items()
        }
        return Recording(spikes, samples)

    def state(self, step: int, parts: Sequence[Values]) -> SimulationState:
        """Return the state of the whole brain, after its recording until then was merged."""
        variables: dict[str, NDArray[np.float64]] = {}
        for prefix, places in self._kinds():
            names = dict.fromkeys(name for part in parts for name in part if name.startswith(prefix))
            variables |= {name: places.merge([part.get(name) for part in parts]) for name in names}
        self._under_way = self._under_way.since(max(0, step - self._max_delay - 1))
        return SimulationState(step, variables, self._under_way)

    def split(self, state: SimulationState) -> list[SimulationState]:
        """Return the state of each rank; every rank is given all spikes that are under way."""
        self._under_way = state.under_way
        parts: list[dict[str, NDArray[np.float64]]] = [{} for _ in range(self._n_ranks)]
        for prefix, places in self._kinds():
            for name in (name for name in state.variables if name.startswith(prefix)):
                for part, values in zip(parts, places.split(state.variables[name]), strict=True):
                    part[name] = values
        return [SimulationState(state.step, part, state.under_way) for part in parts]

    def _kinds(self) -> list[tuple[str, Places]]:
        """Return what the names of variables begin with, and their places."""
        blocks = [(f"{name}/", places) for name, places in self._blocks.items()]
        return blocks + [(f"synapses/{name}/", places) for name, places in self._synapses.items()]


def _in_order(spikes: Spikes) -> Spikes:
    order = np.lexsort((spikes.neuron, spikes.step))
    return Spikes(spikes.step[order], spikes.neuron[order])
