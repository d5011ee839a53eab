"""Which points of a sweep share a network, and the networks and simulations that they share."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from twinbrain.engines.base import Reloadable, Simulation, get_engine, same_blocks
from twinbrain.network.build import Skeleton, build_skeleton, complete
from twinbrain.network.network import Network
from twinbrain.run.prepare import Prepared, check_fits
from twinbrain.spec.assign import full_key

# Beginnings of keys that change what acts on a network, or how long and by what it is simulated, and not the network.
_BESIDE_THE_NETWORK = (
    ("brain", "coupling"),
    *(("run", key) for key in ("drive_seed", "duration", "window", "engine", "device", "precision", "memory_limit")),
    ("stimuli",),
    ("name",),
    ("summary",),
)
_N_KEPT = 4


def shares_network(key: str) -> bool:
    """Return whether points that differ in this key alone can share neurons and synapses."""
    parts = tuple(full_key(key))
    if parts[:2] == ("brain", "regions"):
        return parts[3:4] == ("drives",)
    return any(parts[: len(beginning)] == beginning for beginning in _BESIDE_THE_NETWORK)


class Shared:
    """Networks and simulations of one workflow, kept from point to point: a few of the former, one of the latter."""

    def __init__(self) -> None:
        self._skeletons: OrderedDict[str, Skeleton] = OrderedDict()
        self._simulation: tuple[tuple[str, ...], Network, Simulation] | None = None

    def network(self, prepared: Prepared, values: Mapping[str, Any]) -> Network:
        """Return the network of a point: what `build` would give, without building anew what is known.

        Parameters
        ----------
        prepared : Prepared
            The workflow of the point.
        values : mapping of str to value
            What the point gives the keys of the workflow.
        """
        workflow, layout = prepared.workflow, prepared.layout
        # Weights are counted in quanta, and a current needs a receptor: drives may change either.
        receptors = [sorted(block.receptors) for block in layout.blocks]
        own = {key: value for key, value in values.items() if not shares_network(key)}
        key = json.dumps([own, prepared.quanta, receptors], sort_keys=True)
        skeleton = self._skeletons.get(key)
        if skeleton is None:
            check_fits(prepared)
            run = workflow.run
            skeleton = build_skeleton(
                workflow.brain, layout, prepared.quanta, dt=run.dt, seed=run.seed, record=workflow.record
            )
            self._skeletons[key] = skeleton
            if len(self._skeletons) > _N_KEPT:
                self._skeletons.popitem(last=False)
        self._skeletons.move_to_end(key)
        run = workflow.run
        drive_seed = run.seed if run.drive_seed is None else run.drive_seed
        return complete(skeleton, workflow.brain, layout, workflow.stimuli, drive_seed)

    def simulation(self, prepared: Prepared, network: Network) -> Simulation:
        """Return a simulation of a network at step 0, without generating code again for blocks that are known."""
        run = prepared.workflow.run
        engine = (run.engine, run.device, run.precision)
        if self._simulation is not None:
            known, before, simulation = self._simulation
            if known == engine and isinstance(simulation, Reloadable) and same_blocks(before, network):
                simulation.load(network)
                self._simulation = (engine, network, simulation)
                return simulation
            simulation.close()
            self._simulation = None
        simulation = get_engine(run.engine, device=run.device, precision=run.precision)(network)
        self._simulation = (engine, network, simulation)
        return simulation

    def close(self) -> None:
        """Let go of everything."""
        if self._simulation is not None:
            self._simulation[2].close()
        self._simulation = None
        self._skeletons.clear()
