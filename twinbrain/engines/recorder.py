"""What a simulation remembers between calls: spikes and samples to collect, and spikes still under way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, Spikes
from twinbrain.engines.interpreter import execute
from twinbrain.errors import EngineError
from twinbrain.network.network import Network, Probe
from twinbrain.units import in_unit


class Recorder:
    """Gathers the recording of one simulation.

    Parameters
    ----------
    network : Network
        Its probes say what is sampled, its longest delay how long a spike is under way.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._max_delay = network.max_delay
        self._spikes: list[Spikes] = []
        self._earlier: list[Spikes] = []
        self._samples: dict[str, list[NDArray[np.float64]]] = {probe.name: [] for probe in network.probes}

    def add(self, spikes: Spikes) -> None:
        """Record spikes of the network's own neurons, in the order of steps; they are put in the order of neurons."""
        self._spikes.append(_in_order(spikes))

    def add_from_elsewhere(self, spikes: Spikes, step: int) -> None:
        """Remember spikes that are under way at ``step`` but are not to be recorded.

        Raises
        ------
        EngineError
            If one is of no neuron of the network, or of a later step; engines take both as indices.
        """
        n, last = self._network.n_neurons, spikes.step.max(initial=0)
        if (outside := spikes.neuron[(spikes.neuron < 0) | (spikes.neuron >= n)]).size:
            raise EngineError(f"expected spikes of neurons from 0 to {n - 1}, found {outside[0]}; give others")
        if last > step:
            raise EngineError(f"expected spikes up to the present step, {step}, found {last}; give later ones then")
        self._earlier.append(_in_order(spikes))

    def add_sample(self, probe: Probe, state: Mapping[str, NDArray[np.float64]]) -> None:
        """Record one sample of a probe: ``state`` has the variables that it reads, of its neurons."""
        if probe.observed is None:
            self._samples[probe.name].append(state[probe.variable])
            return
        names = {**state, **probe.constants}
        with np.errstate(all="ignore"):
            execute(probe.observed.statements, names)
        self._samples[probe.name].append(np.broadcast_to(names[probe.variable], probe.places.shape))

    def collect(self, step: int) -> Recording:
        """Return and forget what was recorded before ``step``."""
        samples = {
            probe.name: in_unit(
                np.array(self._samples[probe.name], np.float64).reshape(-1, len(probe.places)), probe.unit
            )
            for probe in self._network.probes
        }
        recording = Recording(Spikes.concatenate(self._spikes), samples)
        # Neither cut, sorted nor joined: shards collect often.
        first = self._first_under_way(step)
        self._earlier = [part for part in [*self._earlier, *self._spikes] if len(part) and part.step[-1] >= first]
        self._spikes = []
        self._samples = {probe.name: [] for probe in self._network.probes}
        return recording

    def under_way(self, step: int) -> Spikes:
        """Return the spikes that may still have synapses to reach at ``step`` or later."""
        first = self._first_under_way(step)
        return _in_order(Spikes.concatenate([part.since(first) for part in [*self._earlier, *self._spikes]]))

    def _first_under_way(self, step: int) -> int:
        return max(0, step - self._max_delay - 1)


def _in_order(spikes: Spikes) -> Spikes:
    order = np.lexsort((spikes.neuron, spikes.step))
    return Spikes(spikes.step[order], spikes.neuron[order])
