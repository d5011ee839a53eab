"""Which points of a sweep share a network, and the networks and simulations that they share."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from twinbrain.engines.base import Reloadable, Simulation, get_engine, same_blocks
from twinbrain.network.build import Skeleton, build_skeleton, complete, long_range_weights
from twinbrain.network.network import Network
from twinbrain.run.describe import network_summary
from twinbrain.run.prepare import Prepared, check_fits
from twinbrain.run.sweep.assign import assigned
from twinbrain.run.sweep.files import opened
from twinbrain.spec.keys import full_key
from twinbrain.spec.workflow import Workflow

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


@dataclass(eq=False)
class Known:
    """What points that share a network have in common.

    Parameters
    ----------
    skeleton : Skeleton
        Neurons and synapses.
    summary, connectome : Dataset
        What a run says of both.
    run : DataTree, optional
        The run of the last point, which the next one fills anew.
    """

    skeleton: Skeleton
    summary: xr.Dataset
    connectome: xr.Dataset
    run: xr.DataTree | None = None


class Shared:
    """Networks and simulations of one workflow, kept from point to point: a few of the former, one of the latter."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._simulation: tuple[tuple[str, ...], Network, Simulation] | None = None
        self._assigned: list[tuple[dict[str, Any], Workflow]] = []

    def workflow(self, workflow: Workflow, values: Mapping[str, Any]) -> Workflow:
        """Return the workflow of a point; what its first keys give is kept, since they vary slowest.

        Parameters
        ----------
        workflow : Workflow
            What is swept: the same at every call.
        values : mapping of str to value
            What the point gives its keys.
        """
        found = workflow.model_copy(update={"sweep": None})
        done: dict[str, Any] = {}
        for depth, (key, value) in enumerate(values.items()):
            done = done | {key: value}
            if self._assigned[depth : depth + 1] and self._assigned[depth][0] == done:
                found = self._assigned[depth][1]
            else:
                found = assigned(found, opened(workflow.sweep, {key: value}))
                self._assigned[depth:] = [(done, found)]
        return found

    def network(self, prepared: Prepared, values: Mapping[str, Any]) -> tuple[Network, Known]:
        """Return the network of a point, and what it shares: what `build` would give, nothing built that is known.

        Parameters
        ----------
        prepared : Prepared
            The workflow of the point.
        values : mapping of str to value
            What the point gives the keys of the workflow.
        """
        workflow, layout = prepared.workflow, prepared.layout
        run = workflow.run
        # Weights are counted in quanta, a current needs a receptor, and a share of the drive is what the connectome
        # brings instead: drives may change each of them.
        receptors = [sorted(block.receptors) for block in layout.blocks]
        own = [(key, value) for key, value in values.items() if not shares_network(key)]  # in their order, which counts
        key = json.dumps([own, prepared.quanta, receptors, long_range_weights(workflow.brain, layout)], sort_keys=True)
        known = self._known.get(key)
        if known is None:
            check_fits(prepared)
            skeleton = build_skeleton(
                workflow.brain, layout, prepared.quanta, dt=run.dt, seed=run.seed, record=workflow.record
            )
        else:
            skeleton = known.skeleton
        drive_seed = run.seed if run.drive_seed is None else run.drive_seed
        network = complete(skeleton, workflow.brain, layout, workflow.stimuli, drive_seed)
        if known is None:
            known = Known(skeleton, network_summary(network, layout), workflow.brain.connectome.to_dataset())
            if len(self._known) == _N_KEPT:
                self._known.popitem(last=False)
        self._known[key] = known
        self._known.move_to_end(key)
        return network, known

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
        self._known.clear()
