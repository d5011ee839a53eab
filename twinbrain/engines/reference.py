"""The reference engine: plain numpy, short and slow, the oracle of the conformance suite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, SimulationState, Spikes, check_steps
from twinbrain.engines.interpreter import evaluate, execute
from twinbrain.engines.plasticity import PlasticSynapses
from twinbrain.engines.recorder import Recorder
from twinbrain.engines.waveforms import WaveformReader
from twinbrain.models.step import REFRACTORY_LEFT
from twinbrain.network.inputs import RandomDrive
from twinbrain.network.network import Block, Network
from twinbrain.network.random import philox


def prepare(network: Network) -> ReferenceSimulation:
    """Return a simulation of ``network`` at step 0."""
    return ReferenceSimulation(network)


class ReferenceSimulation:
    """See `twinbrain.engines.base.Simulation`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.step = 0
        self._blocks = [_BlockState(block) for block in network.blocks]
        self._ring = np.zeros((network.max_delay + 2, network.n_inlets), np.int64)
        self._recorder = Recorder(network)
        self._draws = _Draws(network.drives)
        self._plastic = [PlasticSynapses(table) for table in network.plastic]
        self._waveforms = WaveformReader(network.waveforms)

    def advance(self, n_steps: int) -> None:
        """Compute ``n_steps`` steps."""
        check_steps(self.step, n_steps)
        for _ in range(n_steps):
            slot = self.step % len(self._ring)
            inbox = self._ring[slot].copy()
            self._ring[slot] = 0
            self._add_inputs(inbox)
            for plastic in self._plastic:
                plastic.arrive(self.step, inbox)
            with np.errstate(all="ignore"):
                neurons = np.sort(np.concatenate([block.step(inbox) for block in self._blocks]))
            spikes = Spikes(np.full(len(neurons), self.step, np.int32), neurons)
            self._recorder.add(spikes)
            self.step += 1
            self._deliver(spikes)
            for plastic in self._plastic:
                plastic.spike(self.step, neurons)
            for probe in self.network.probes:
                if self.step % probe.every == 0:
                    state = self._blocks[probe.block].state
                    self._recorder.add_sample(probe, {name: state[name][probe.places] for name in probe.reads})

    def inject(self, spikes: Spikes) -> None:
        """Deliver spikes of neurons that are computed elsewhere."""
        self._recorder.add_from_elsewhere(spikes, self.step)
        self._deliver(spikes)

    def collect(self) -> Recording:
        """Return and forget what was recorded."""
        return self._recorder.collect(self.step)

    def state(self) -> SimulationState:
        """Return a copy of the state."""
        variables = {
            f"{block.block.name}/{name}": values.copy()
            for block in self._blocks
            for name, values in block.state.items()
        }
        for plastic in self._plastic:
            variables |= plastic.state()
        return SimulationState(self.step, variables, self._recorder.under_way(self.step))

    def restore(self, state: SimulationState) -> None:
        """Go on from a state; what was recorded is forgotten."""
        self.step = state.step
        for block in self._blocks:
            for name in block.state:
                block.state[name] = state.variables[f"{block.block.name}/{name}"].copy()
        for plastic in self._plastic:
            plastic.restore(state.variables)
        self._ring[:] = 0
        self._recorder = Recorder(self.network)
        self.inject(state.under_way)

    def close(self) -> None:
        """Do nothing: all it holds is memory."""

    def _add_inputs(self, inbox: NDArray[np.int64]) -> None:
        for drive, words in zip(self.network.drives, self._draws.words(self.step), strict=True):
            if drive.first_step <= self.step < drive.last_step:
                counts = np.searchsorted(drive.thresholds, words, side="right")
                inbox[drive.start : drive.stop] += drive.weight * (counts - drive.offset)
        if (amounts := self._waveforms.at(self.step)) is not None:
            for start, stop, amount in zip(self._waveforms.start, self._waveforms.stop, amounts, strict=True):
                inbox[start:stop] += amount
        events = self.network.events
        now = slice(*np.searchsorted(events.step, [self.step, self.step + 1]))
        np.add.at(inbox, events.place[now], events.amount[now])

    def _deliver(self, spikes: Spikes) -> None:
        for table in self.network.tables:
            for step, neuron in zip(spikes.step, spikes.neuron, strict=True):
                row = slice(table.row_start[neuron], table.row_start[neuron + 1])
                due = int(step) + 1 + table.delay[row].astype(np.int64)
                still = due >= self.step
                np.add.at(self._ring, (due[still] % len(self._ring), table.post[row][still]), table.weight[row][still])
        for plastic in self._plastic:
            plastic.expect(spikes, self.step)


class _BlockState:
    """The state of one block, and its step."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.state = {name: values.copy() for name, values in block.initial.items()}
        self._quanta = {f"quantum_{inlet.receptor}": inlet.quantum for inlet in block.inlets}

    def step(self, inbox: NDArray[np.int64]) -> NDArray[np.int32]:
        """Compute one step; return the numbers of the neurons that spike."""
        program = self.block.program
        names: dict[str, Any] = {**self.block.constants, **self._quanta, **self.state}
        for inlet in self.block.inlets:
            names[f"inbox_{inlet.receptor}"] = inbox[inlet.start : inlet.stop].astype(np.float64)
        execute(program.integrate, names)
        crossed = np.broadcast_to(evaluate(program.threshold, names), (self.block.size,))
        if REFRACTORY_LEFT in program.state:
            crossed = crossed & (names[REFRACTORY_LEFT] <= 0.0)
        spiking = crossed.nonzero()[0]
        self.state = {name: np.array(np.broadcast_to(names[name], (self.block.size,))) for name in program.state}
        if not len(spiking):
            return self.block.neurons[:0]
        resetting = {
            name: value[spiking] if isinstance(value, np.ndarray) and value.shape else value
            for name, value in names.items()
        }
        execute(program.reset, resetting)
        for name in program.state:
            self.state[name][spiking] = resetting[name]
        return self.block.neurons[spiking]


class _Draws:
    """The random words of the drives; those of four steps are drawn at once."""

    def __init__(self, drives: tuple[RandomDrive, ...]) -> None:
        sizes = [drive.stop - drive.start for drive in drives]
        self._ends = np.cumsum(sizes)[:-1] if drives else np.empty(0, np.int64)
        self._element = np.array([i for size in sizes for i in range(size)], np.uint64)
        keys = np.array([drive.key for drive in drives], np.uint64).reshape(-1, 2)
        self._key = np.repeat(keys, sizes, axis=0).T
        self._group, self._words = -1, np.empty((4, 0), np.uint32)

    def words(self, step: int) -> list[NDArray[np.uint32]]:
        """Return the words of a step, those of each drive by themselves."""
        if not len(self._element):
            return []
        if self._group != step // 4:
            self._group = step // 4
            counter = np.zeros((4, len(self._element)), np.uint64)
            counter[0] = self._element
            counter[1], counter[2] = self._group & 0xFFFFFFFF, self._group >> 32
            self._words = philox(counter, self._key).astype(np.uint32)
        return np.split(self._words[step % 4], self._ends)
