"""The contract of an engine: `prepare` a network, then `advance`, `inject`, `collect`, `state`, `restore`.

All engines compute the same step (see `twinbrain.models.step`) in the same order:

1. the inbox of this step is taken: what spikes have delivered to it, and what the drives add;
2. receptors take their inbox, neurons and receptors are integrated, the threshold is tested (strict ``>``, and not
   refractory), and neurons that spike are reset;
3. a spike of step n over a synapse of delay d is added to the inbox of step n + d + 1.

A state is therefore the state variables and the spikes still under way; it means the same to every engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import EngineError, SpecError
from twinbrain.network.network import Network
from twinbrain.spec.labelled import refuse_other_labels
from twinbrain.spec.plain_array import plain_array
from twinbrain.spec.suggest import suggestion


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes in the order of time, and in a step in the order of neurons.

    Parameters
    ----------
    step : array_like of int32, shape (spike,)
        Step in which the threshold was crossed; its time is ``step * dt``.
    neuron : array_like of int32, shape (spike,)
        Number of the neuron.

    Raises
    ------
    EngineError
        If what is given is no plain array, and cannot be taken for whole numbers, or both have other labels than each
        other.
    """

    step: NDArray[np.int32]
    neuron: NDArray[np.int32]

    def __post_init__(self) -> None:
        if type(self.step) is np.ndarray and type(self.neuron) is np.ndarray:
            return  # as engines make them, at each step
        try:
            refuse_other_labels(self.step, self.neuron, "steps and neurons of spikes")
        except SpecError as error:
            raise EngineError(str(error)) from None
        for name in ("step", "neuron"):
            object.__setattr__(self, name, _whole_numbers(getattr(self, name), name))

    def __len__(self) -> int:
        return len(self.step)

    def since(self, step: int) -> Spikes:
        """Return the spikes of ``step`` and later."""
        first = int(np.searchsorted(self.step, step))
        return Spikes(self.step[first:], self.neuron[first:])

    @staticmethod
    def none() -> Spikes:
        """Return no spikes."""
        return Spikes(np.empty(0, np.int32), np.empty(0, np.int32))

    @staticmethod
    def concatenate(parts: list[Spikes]) -> Spikes:
        """Return several, one after the other."""
        if not parts:
            return Spikes.none()
        return Spikes(np.concatenate([p.step for p in parts]), np.concatenate([p.neuron for p in parts]))


def _whole_numbers(given: object, name: str) -> NDArray[np.int32]:
    what = f"the {name} of each spike as whole numbers of 32 bits"
    try:
        array = plain_array(given, what=what)
    except SpecError as error:
        raise EngineError(str(error)) from None
    if array.ndim != 1 or (array.size and (array.dtype.kind not in "iu" or (array.astype(np.int32) != array).any())):
        raise EngineError(f"expected {what}, found a {type(given).__name__} of {array.dtype}, of shape {array.shape}")
    return array.astype(np.int32)


@dataclass(frozen=True, eq=False)
class Recording:
    """What was recorded since the last `collect`.

    Parameters
    ----------
    spikes : Spikes
        All spikes of the network's own neurons.
    samples : dict of str to ndarray of float64, shape (sample, place)
        For each probe, the sampled values.
    """

    spikes: Spikes
    samples: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class SimulationState:
    """All that a simulation needs to go on, in any engine.

    Parameters
    ----------
    step : int
        The next step to compute.
    variables : dict of str to ndarray of float64
        ``"<block>/<variable>"`` to the values of the block's neurons, ``"synapses/<table>/<variable>"`` to those of
        plastic synapses.
    under_way : Spikes
        Spikes that may still have synapses to reach.
    """

    step: int
    variables: dict[str, NDArray[np.float64]]
    under_way: Spikes


class Simulation(Protocol):
    """A prepared network at some step."""

    @property
    def step(self) -> int:
        """The next step to compute."""

    def advance(self, n_steps: int) -> None:
        """Compute ``n_steps`` steps."""

    def inject(self, spikes: Spikes) -> None:
        """Deliver spikes of neurons that are computed elsewhere; of past ones, what is still due."""

    def collect(self) -> Recording:
        """Return and forget what was recorded."""

    def state(self) -> SimulationState:
        """Return a copy of the state."""

    def restore(self, state: SimulationState) -> None:
        """Go on from a state of any engine; what was recorded is forgotten."""

    def close(self) -> None:
        """Let go of what the engine holds."""


@runtime_checkable
class Reloadable(Protocol):
    """A simulation that can begin anew with another network; optional, and worth it where preparing takes long."""

    def load(self, network: Network) -> None:
        """Begin at step 0 with a network that has the `same_blocks`."""


def same_blocks(one: Network, other: Network) -> bool:
    """Return whether two networks have the same time step, and blocks of the same programs and sizes."""

    def shape(network: Network) -> tuple[object, ...]:
        inlets = ((i.receptor, i.start, i.stop) for block in network.blocks for i in block.inlets)
        return (network.dt, [(b.name, b.program, b.size) for b in network.blocks], list(inlets))

    return shape(one) == shape(other)


Engine = Callable[[Network], Simulation]

MOST_STEPS = 2**31 - 2**17
"""Steps of a run: spikes keep theirs in 32 bits, with room for the longest delay."""


def check_steps(step: int, n_steps: int) -> None:
    """Check that a simulation may advance from ``step`` by ``n_steps``.

    Raises
    ------
    EngineError
        If that is beyond `MOST_STEPS`.
    """
    if step + n_steps > MOST_STEPS:
        raise EngineError(
            f"expected at most {MOST_STEPS:,} steps, which are counted in 32 bits, found {step + n_steps:,}; begin "
            "a new run, or take a longer dt"
        )


ENGINE_NAMES = ("brian2", "brian2-numpy", "reference", "torch")
DEFAULT_DEVICE, DEFAULT_PRECISION = "cpu", "float64"


def get_engine(name: str, *, device: str = DEFAULT_DEVICE, precision: str = DEFAULT_PRECISION) -> Engine:
    """Return the engine of that name.

    Parameters
    ----------
    name : str
        One of `ENGINE_NAMES`.
    device, precision : str
        Where and how precisely it computes; only ``"torch"`` gives a choice.

    Raises
    ------
    EngineError
        If there is none, or it has no such device or precision.
    """
    check_engine(name, device=device, precision=precision)
    if name == "reference":
        from twinbrain.engines.reference import prepare as reference

        return reference
    if name == "torch":
        from twinbrain.engines.torch import prepare as torch

        return partial(torch, device=device, precision=precision)
    from twinbrain.engines.brian2 import prepare as brian2

    return partial(brian2, target="numpy" if name == "brian2-numpy" else "cython")


def check_engine(name: str, *, device: str = DEFAULT_DEVICE, precision: str = DEFAULT_PRECISION) -> None:
    """Check that there is an engine of that name, and that it has the device and the precision.

    Raises
    ------
    EngineError
        If not.
    """
    if name not in ENGINE_NAMES:
        raise EngineError(f"run.engine: unknown engine {name!r}; {suggestion(name, ENGINE_NAMES)}")
    if name != "torch":
        for key, value, only in (("device", device, DEFAULT_DEVICE), ("precision", precision, DEFAULT_PRECISION)):
            if value != only:
                raise EngineError(
                    f"run.{key}: expected {only!r}, which is all that engine {name!r} has, found {value!r}; "
                    'use engine "torch"'
                )
        return
    if find_spec("torch") is None:
        raise EngineError(
            'run.engine: expected PyTorch for engine "torch", found none installed; pip install "twinbrain[torch]"'
        )
    from twinbrain.engines.torch.device import resolve_device, resolve_precision

    resolve_device(device)
    resolve_precision(precision)
