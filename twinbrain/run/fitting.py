"""Whether the state that a store holds is one of the network that is to go on from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import SimulationState
from twinbrain.errors import StoreError
from twinbrain.models.rule import LAST_UPDATE
from twinbrain.models.step import REFRACTORY_LEFT
from twinbrain.run.prepare import TimeGrid


def fitting(
    state: SimulationState, own: SimulationState, grid: TimeGrid, *, n_neurons: int, max_delay: int, where: str
) -> SimulationState:
    """Return a state of a store if it is one of the network that is to go on from it.

    Engines take its neurons and steps as indices, in compiled loops that look at no bounds.

    Parameters
    ----------
    state : SimulationState
        What the store holds.
    own : SimulationState
        Any state of the network, of the whole brain if it is cut into shards.
    grid : TimeGrid
        Of the run.
    n_neurons, max_delay : int
        Neurons of the brain, and its longest delay in steps.
    where : str
        The store.

    Raises
    ------
    StoreError
        If a variable is missing, of another length or one too many; a count of steps is none; a spike that is under
        way is of no neuron of the network, or of no step from which it could still arrive; or the run has no such step.
    """
    if (fault := _fault(state, own, grid, n_neurons, max_delay)) is not None:
        raise StoreError(
            f"{where}: expected {fault[0]} in the checkpoint, found {fault[1]}; restore the run from a copy, or start "
            "it anew"
        )
    return state


def _fault(
    state: SimulationState, own: SimulationState, grid: TimeGrid, n_neurons: int, max_delay: int
) -> tuple[str, str] | None:
    """Return what was expected, and what was found in its place."""
    step = state.step
    if not 0 < step <= grid.n_steps or (step % grid.window and step != grid.n_steps):
        return f"the end of a window of {grid.window} steps, of {grid.n_steps} steps in all", f"step {step}"
    for name, values in own.variables.items():
        found = state.variables.get(name)
        if found is None or found.shape != values.shape:
            return f"{len(values)} values of {name}", "none" if found is None else str(len(found))
    if other := sorted(state.variables.keys() - own.variables.keys()):
        return "variables of this network alone", f"{other[0]!r} as well"
    for name, values in state.variables.items():
        if (most := _most(name, step)) is not None and (wrong := values[~_counts(values, most)]).size:
            return f"whole numbers of steps from 0{f' to {most}' if most < np.inf else ''} as {name}", f"{wrong[0]:g}"
    return _fault_under_way(state, n_neurons, max(0, step - max_delay - 1))


def _most(name: str, step: int) -> float | None:
    """Return the most steps that a variable can count, None if it is no count."""
    variable = name.rpartition("/")[2]
    if variable == LAST_UPDATE and name.startswith("synapses/"):
        return step
    return np.inf if variable == REFRACTORY_LEFT else None


def _counts(values: NDArray[np.float64], most: float) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = np.isfinite(values) & (values == np.floor(values))
    return whole & (values >= 0) & (values <= most)


def _fault_under_way(state: SimulationState, n_neurons: int, first: int) -> tuple[str, str] | None:
    steps, neurons = (values.astype(np.int64) for values in (state.under_way.step, state.under_way.neuron))
    for what, values, least, most in (
        ("neurons", neurons, 0, n_neurons - 1),
        ("steps", steps, first, state.step - 1),
    ):
        if (wrong := values[(values < least) | (values > most)]).size:
            return f"{what} from {least} to {most} of the spikes under way", str(wrong[0])
    place = steps * n_neurons + neurons
    if (place[1:] <= place[:-1]).any():
        return "spikes under way in the order of steps and neurons, each once", "others"
    return None
