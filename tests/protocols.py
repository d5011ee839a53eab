"""Spikes at given times on both sides of plastic synapses, for tests of plasticity rules."""

from __future__ import annotations

import numpy as np

from tests.examples import build_region, region_data
from twinbrain.engines.base import Spikes, get_engine
from twinbrain.run.synapses import synapses_of
from twinbrain.spec.region import Region

# Whoever a neuron of "forcing" spikes at makes its partner spike two steps later.
_REGION = """
name = "test/protocol"

[cells.cell]
model = "lif_current"
receptors = ["exponential_current", "delta"]
parameters = { t_ref = "STEP ms", tau_exponential_current = "0.5 ms" }
initial = { v = "-70 mV" }

[populations]
pre = { cell = "cell", size = SIZE }
post = { cell = "cell", size = SIZE }
forcing = { cell = "cell", size = SIZE }
reward = { cell = "cell", size = 1 }
forcing_reward = { cell = "cell", size = 1 }

[[projections]]
source = "pre"
target = "post"
receptor = "exponential_current"
connect = { one_to_one = true }
weight = "1 pA"
delay = "STEP ms"

[[projections]]
source = "forcing"
target = "post"
receptor = "delta"
connect = { one_to_one = true }
weight = "100 mV"
delay = "STEP ms"

[[projections]]
source = "forcing_reward"
target = "reward"
receptor = "delta"
connect = { one_to_one = true }
weight = "100 mV"
delay = "STEP ms"
"""


class Protocol:
    """Pairs of neurons, each joined by one plastic synapse of weight 1 pA.

    Parameters
    ----------
    plasticity : dict
        The projection's rule.
    n_pairs : int
        Number of pairs.
    models : dict, optional
        Rules of the region's own.
    dt : float (ms)
        Time step.
    """

    def __init__(self, plasticity, n_pairs=1, models=None, dt=0.1, engine="reference"):
        data = region_data(_REGION.replace("SIZE", str(n_pairs)).replace("STEP", str(dt)))
        data["projections"][0]["plasticity"] = plasticity
        data["plasticity"] = models or {}
        self.network = build_region(Region.parse(data), dt=dt)
        self.simulation = get_engine(engine)(self.network)
        self.dt = dt
        self._due = []

    def arrive(self, step, pair=0):
        """Let a spike reach the synapse of a pair at the start of ``step``."""
        self._due.append((step - 2, self._neuron("pre", pair)))

    def spike(self, step, pair=0):
        """Let the target neuron of a pair spike so that the synapse sees it at the start of ``step``."""
        self._due.append((step - 3, self._neuron("forcing", pair)))

    def reward(self, step):
        """Let the modulating neuron spike so that synapses see it at the start of ``step``."""
        self._due.append((step - 3, self._neuron("forcing_reward", 0)))

    def run(self, n_steps):
        """Advance to step ``n_steps``."""
        for step in sorted({step for step, _ in self._due}):
            neurons = sorted(neuron for when, neuron in self._due if when == step)
            self.simulation.advance(step + 1 - self.simulation.step)
            self.simulation.inject(Spikes(np.full(len(neurons), step, np.int32), np.array(neurons, np.int32)))
        self._due = []
        self.simulation.advance(n_steps - self.simulation.step)

    def synapses(self):
        """Return the synapses as they are now, in the order of pairs."""
        (found,) = synapses_of(self.network, self.simulation.state().variables, self.simulation.step).values()
        return found.sortby("source")

    def post_spikes(self):
        """Return the steps in whose ends the target neurons spiked."""
        spikes = self.simulation.collect().spikes
        post = next(p for p in self.network.populations if p.population == "post")
        return spikes.step[(spikes.neuron >= post.start) & (spikes.neuron < post.stop)]

    def released(self):
        """Return the current (pA) that the first pair's target received, right after a spike that came alone."""
        (block,) = self.network.blocks
        current = self.simulation.state().variables[f"{block.name}/I_exponential_current"]
        return current[self._neuron("post", 0)] / np.exp(-self.dt / 0.5)

    def _neuron(self, population, place):
        return next(p.start for p in self.network.populations if p.population == population) + place
