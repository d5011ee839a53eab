"""What a run keeps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinbrain.spec.base import Spec
from twinbrain.spec.quantity import Milliseconds, default


class StateRecord(Spec):
    """A state variable of some neurons, sampled at an interval.

    Parameters
    ----------
    variable : str
        Name of a variable of the neuron model or its receptors, for example ``"v"``.
    regions, population : str
        Patterns of region labels and of population names.
    neurons : int
        How many neurons of each population, from its first on.
    interval : float (ms)
        Time between samples.
    """

    variable: str
    regions: str = "*"
    population: str = "*"
    neurons: Annotated[int, Field(ge=1)] = 1
    interval: Annotated[Milliseconds, Field(gt=0)] = default("1 ms")


class Record(Spec):
    """What a run keeps besides its spec.

    Parameters
    ----------
    spikes : bool
        Every spike.
    rate_bin : float (ms)
        Width of the bins in which population rates are counted.
    state : tuple of StateRecord
        Sampled state variables.
    """

    spikes: bool = True
    rate_bin: Annotated[Milliseconds, Field(gt=0)] = default("1 ms")
    state: tuple[StateRecord, ...] = ()
