"""A network in Brian2: NeuronGroups for the neurons, compact tables for the synapses, static and plastic."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, SimulationState, Spikes, check_steps, same_blocks
from twinbrain.engines.brian2 import kernels
from twinbrain.engines.brian2.ahead import compile_ahead, mark_compiled
from twinbrain.engines.brian2.compiler import preferences
from twinbrain.engines.brian2.drives import Inputs
from twinbrain.engines.brian2.group import SPIKED, BlockGroup
from twinbrain.engines.brian2.plastic import PlasticSynapses
from twinbrain.engines.recorder import Recorder
from twinbrain.errors import EngineError
from twinbrain.models.brian import import_brian2
from twinbrain.network.network import Network

# Brian2 keeps state in the module (preferences, the device): one thread at a time.
_LOCK = threading.RLock()


def _anew() -> None:
    """Give a process that was forked from this one a lock that no thread holds."""
    global _LOCK
    _LOCK = threading.RLock()


os.register_at_fork(after_in_child=_anew)
_FIRST_CAPACITY = 1 << 16


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Keep a run from collecting garbage, as Brian2 has it do: it takes 0.2 s where much is imported."""
    if gc.get_freeze_count():  # of someone who wants that nothing is looked at
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def prepare(network: Network, *, target: str = "cython", ahead: bool = True) -> Brian2Simulation:
    """Return a simulation of ``network`` at step 0.

    Parameters
    ----------
    network : Network
        What to simulate.
    target : {"cython", "numpy"}
        How Brian2 computes.
    ahead : bool
        Whether blocks that are not in the cache of compiled code are compiled by several processes at once.
    """
    with _LOCK, preferences(target):
        helpers = compile_ahead(network) if target == "cython" and ahead else []
        simulation = Brian2Simulation(network)
        for helper in helpers:
            helper.wait()
        if target == "cython":
            mark_compiled(network)
        return simulation


class Brian2Simulation:
    """See `twinbrain.engines.base.Simulation`."""

    def __init__(self, network: Network) -> None:
        brian2 = import_brian2()
        self.network = network
        self._inbox = np.zeros(network.n_inlets, np.int32)
        clock = brian2.Clock(dt=network.dt * brian2.ms, name="twinbrain_clock")
        self._groups = [BlockGroup(block, self._inbox, clock) for block in network.blocks]
        self._brian = brian2.Network(*(o for group in self._groups for o in group.objects))
        # A run of no length compiles everything; steps are then taken one by one, since a run costs 0.1 s to start.
        with _collecting_nothing():
            self._brian.run(0 * brian2.second, namespace={})
        self._steppers = [o.run for o in self._brian.sorted_objects if o.active]
        self._steps = np.empty(_FIRST_CAPACITY, np.int32)
        self._spikes = np.empty(_FIRST_CAPACITY, np.int32)
        self._begin(network)

    def load(self, network: Network) -> None:
        """Begin anew with another network of the same blocks, without generating code again."""
        if not same_blocks(self.network, network):
            raise EngineError("expected a network of the same blocks, found another; prepare it by itself")
        for group, block in zip(self._groups, network.blocks, strict=True):
            group.load(block)
        self._begin(network)

    def _begin(self, network: Network) -> None:
        self.network = network
        self.step = 0
        self._ring = np.zeros((network.max_delay + 2, network.n_inlets), np.int32)
        self._inputs = Inputs(network)
        self._blocks = [(group.array(SPIKED), group.block.neurons) for group in self._groups]
        self._tables = [(t.row_start, t.post, t.weight, t.delay) for t in network.tables if t.n_synapses]
        self._plastic = [PlasticSynapses(table) for table in network.plastic]
        self._recorder = Recorder(network)
        self._n_spikes = 0

    def advance(self, n_steps: int) -> None:
        """Compute ``n_steps`` steps."""
        check_steps(self.step, n_steps)
        with _LOCK, np.errstate(all="ignore"):  # what is not finite is told once, from the state
            for _ in range(n_steps):
                self._advance()
            self._recorder.add(Spikes(self._steps[: self._n_spikes], self._spikes[: self._n_spikes]))
            self._n_spikes = 0

    def _advance(self) -> None:
        kernels.take_inbox(self._ring, self.step % len(self._ring), self._inbox)
        self._inputs.add(self.step, self._inbox)
        for plastic in self._plastic:
            plastic.arrive(self.step, self._inbox)
        for run in self._steppers:
            run()
        first = self._n_spikes
        for has_spiked, neurons in self._blocks:
            self._gather(has_spiked, neurons)
        last = self._n_spikes
        self.step += 1
        if last > first:
            for table in self._tables:
                kernels.deliver(self._steps, self._spikes, first, last, self.step, *table, self._ring)
            for plastic in self._plastic:
                plastic.expect(self._steps, self._spikes, first, last)
                plastic.spike(self.step, self._spikes, first, last)
        for probe in self.network.probes:
            if self.step % probe.every == 0:
                group = self._groups[probe.block]
                self._recorder.add_sample(probe, {name: group.array(name)[probe.places] for name in probe.reads})

    def _gather(self, has_spiked: NDArray[np.float64], neurons: NDArray[np.int32]) -> None:
        first = self._n_spikes
        n_spikes = kernels.gather(has_spiked, neurons, self.step, first, self._steps, self._spikes)
        if n_spikes > len(self._steps):
            for name in ("_steps", "_spikes"):
                grown = np.empty(2 * n_spikes, np.int32)
                grown[:first] = getattr(self, name)[:first]
                setattr(self, name, grown)
            n_spikes = kernels.gather(has_spiked, neurons, self.step, first, self._steps, self._spikes)
        self._n_spikes = n_spikes

    def inject(self, spikes: Spikes) -> None:
        """Deliver spikes of neurons that are computed elsewhere."""
        self._recorder.add_from_elsewhere(spikes, self.step)
        for table in self._tables:
            kernels.deliver(spikes.step, spikes.neuron, 0, len(spikes), self.step, *table, self._ring)
        for plastic in self._plastic:
            plastic.expect(spikes.step, spikes.neuron, 0, len(spikes))

    def collect(self) -> Recording:
        """Return and forget what was recorded."""
        return self._recorder.collect(self.step)

    def state(self) -> SimulationState:
        """Return a copy of the state."""
        variables = {
            f"{group.block.name}/{name}": group.array(name).copy()
            for group in self._groups
            for name in group.block.program.state
        }
        for plastic in self._plastic:
            variables |= plastic.state()
        return SimulationState(self.step, variables, self._recorder.under_way(self.step))

    def restore(self, state: SimulationState) -> None:
        """Go on from a state of any engine."""
        self.step = state.step
        for group in self._groups:
            for name in group.block.program.state:
                group.array(name)[:] = state.variables[f"{group.block.name}/{name}"]
        for plastic in self._plastic:
            plastic.restore(state.variables)
        self._ring[:] = 0
        self._recorder = Recorder(self.network)
        self.inject(state.under_way)

    def count_compiled(self) -> tuple[int, int]:
        """Return the number of Brian2 objects and of code objects; neither depends on the number of regions."""
        return len(self._brian.objects), sum(len(o.code_objects) for o in self._brian.sorted_objects)

    def close(self) -> None:
        """Let go of Brian2's objects."""
        self._brian = self._groups = self._steppers = self._blocks = None  # type: ignore[assignment]
