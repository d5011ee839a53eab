"""A shard that is simulated among others: to the loop of windows, it looks like a simulation of the whole brain."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, Simulation, SimulationState, Spikes
from twinbrain.run.sharded.board import Board
from twinbrain.run.sharded.exchange import Ring
from twinbrain.run.sharded.merge import Merger


@dataclass(frozen=True, eq=False)
class Boundary:
    """What crosses between shards, as one of them sees it.

    Parameters
    ----------
    leaving : ndarray of bool, shape (n_neurons,)
        Neurons of this shard that have synapses in others.
    arriving : ndarray of bool, shape (n_neurons,)
        Neurons of other shards that have synapses here.
    window : int or None
        Steps between exchanges; None where nothing crosses.
    """

    leaving: NDArray[np.bool_]
    arriving: NDArray[np.bool_]
    window: int | None


@dataclass
class Timings:
    """Where a rank's time went.

    Parameters
    ----------
    computing, exchanging : float (s)
        Wall time of the steps; of exchanges, waiting for others included.
    computing_processor, exchanging_processor : float (s)
        Processor time of the same.
    n_exchanges, n_sent : int
        Number of exchanges, and of spikes that were sent.
    """

    computing: float = 0.0
    exchanging: float = 0.0
    computing_processor: float = 0.0
    exchanging_processor: float = 0.0
    n_exchanges: int = 0
    n_sent: int = 0


class ShardedSimulation:
    """See `twinbrain.engines.base.Simulation`; rank 0 is given the recording and the state of the whole brain.

    Each rank makes the same calls in the same order.

    Parameters
    ----------
    own : Simulation
        Of this rank's shard.
    ring : Ring
        The ranks.
    boundary : Boundary
        What crosses.
    merger : Merger or None
        At rank 0.
    board : Board
        Asked at every exchange whether to give up.

    Attributes
    ----------
    requested : bool
        Whether to stop, as all ranks know it: rank 0 is asked, and tells the others once a window.
    timings : Timings
        Where the time went.
    """

    def __init__(self, own: Simulation, ring: Ring, boundary: Boundary, merger: Merger | None, board: Board) -> None:
        self._own, self._ring, self._boundary, self._merger, self._board = own, ring, boundary, merger, board
        self._exchanged = own.step
        self._recordings: list[Recording] = []
        self._unsent: list[Spikes] = []
        self.requested = False
        self.timings = Timings()

    @property
    def step(self) -> int:
        """The next step to compute."""
        return self._own.step

    def advance(self, n_steps: int) -> None:
        """Compute ``n_steps`` steps, and exchange spikes whenever a window of exchange has ended."""
        last = self.step + n_steps
        window = self._boundary.window
        while self.step < last:
            end = last if window is None else min(last, self._exchanged + window)
            wall, processor = time.perf_counter(), time.process_time()
            self._own.advance(end - self.step)
            self.timings.computing += time.perf_counter() - wall
            self.timings.computing_processor += time.process_time() - processor
            if window is not None and self.step == self._exchanged + window:
                self._exchange()

    def _exchange(self) -> None:
        self._board.check()
        wall, processor = time.perf_counter(), time.process_time()
        self._take()
        spikes = Spikes.concatenate(self._unsent)
        arrived = self._ring.spikes(spikes, self._exchanged, self.step - self._exchanged)
        self._own.inject(_of(arrived, self._boundary.arriving))
        self._exchanged, self._unsent = self.step, []
        self.timings.exchanging += time.perf_counter() - wall
        self.timings.exchanging_processor += time.process_time() - processor
        self.timings.n_exchanges += 1
        self.timings.n_sent += len(spikes)

    def _take(self) -> None:
        """Take what the own simulation has recorded."""
        recording = self._own.collect()
        self._recordings.append(recording)
        self._unsent.append(_of(recording.spikes, self._boundary.leaving))

    def agree(self) -> None:
        """Let all ranks know whether rank 0 was asked to stop."""
        self.requested = self._ring.from_first(self._board.stop)

    def inject(self, spikes: Spikes) -> None:
        """Deliver spikes of neurons that no rank computes."""
        self._own.inject(spikes)

    def collect(self) -> Recording:
        """Return the recording of the whole brain at rank 0, nothing elsewhere."""
        self._take()
        self.agree()
        names = self._recordings[0].samples
        samples = {name: np.concatenate([r.samples[name] for r in self._recordings]) for name in names}
        recording = Recording(Spikes.concatenate([r.spikes for r in self._recordings]), samples)
        self._recordings = []
        parts = self._ring.gather(recording)
        return Recording(Spikes.none(), {}) if parts is None or self._merger is None else self._merger.recording(parts)

    def state(self) -> SimulationState:
        """Return the state of the whole brain at rank 0, after `collect`; nothing elsewhere."""
        parts = self._ring.gather(self._own.state().variables)
        if parts is None or self._merger is None:
            return SimulationState(self.step, {}, Spikes.none())
        return self._merger.state(self.step, parts)

    def restore(self, state: SimulationState) -> None:
        """Go on from this rank's part of a state."""
        self._own.restore(state)
        self._exchanged = self.step
        self._recordings, self._unsent = [], []

    def close(self) -> None:
        """Let go of what the engine holds."""
        self._own.close()


def _of(spikes: Spikes, neurons: NDArray[np.bool_]) -> Spikes:
    """Return the spikes of some neurons."""
    kept = neurons[spikes.neuron]
    return Spikes(spikes.step[kept], spikes.neuron[kept])
