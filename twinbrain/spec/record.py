"""What a run keeps."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from twinbrain.spec.base import Spec
from twinbrain.spec.distinct import distinct
from twinbrain.spec.plain_array import plain_array
from twinbrain.spec.quantity import Milliseconds, default

_COORDINATES = ("time", "neuron")


class Neurons(Spec):
    """Neurons of a population, by number: ``start``, and on by ``step``, up to and without ``stop``.

    Parameters
    ----------
    start, stop, step : int
        As Python's `range` and slices have them; without ``stop`` to the last neuron of the population.
    """

    start: Annotated[int, Field(ge=0)] = 0
    stop: Annotated[int, Field(ge=1)] | None = None
    step: Annotated[int, Field(ge=1)] = 1


def _chosen(value: Any) -> Any:
    if isinstance(value, slice):
        return Neurons(start=value.start or 0, stop=value.stop, step=1 if value.step is None else value.step)
    if isinstance(value, int | dict | Neurons) and not isinstance(value, bool):
        return value
    given = list(value) if isinstance(value, Set | Iterator) else value
    numbers = plain_array(given, what="a number of neurons, a list of them or a slice")
    if not numbers.ndim and numbers.dtype.kind in "iu":
        return int(numbers)
    if not numbers.ndim:
        raise ValueError(f"expected a number of neurons, a list of them or a slice, found {value!r}")
    if numbers.ndim != 1 or not numbers.size or numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise ValueError(f"expected numbers of neurons, from 0 on, found {numbers.tolist()!r}")
    return tuple(sorted(set(numbers.tolist())))


def _storable(variable: str) -> str:
    """Refuse a variable that would take the place of a coordinate of its own samples."""
    if variable in _COORDINATES:
        raise ValueError(
            f"expected a variable that is not named as a dimension of its samples, {' or '.join(_COORDINATES)}, found "
            f"{variable!r}; give the variable another name in its model to record it"
        )
    return variable


class StateRecord(Spec):
    """A variable of some neurons, sampled at an interval.

    Parameters
    ----------
    variable : str
        Name of a variable of the neuron model or its receptors: of the state, such as ``"v"`` or ``"g_ampa"``, or one
        that follows from it, such as the current ``"I_ampa"`` of a receptor, or ``"I_syn"``, that of all, without
        what drives inject from step to step.
    regions, population : str
        Patterns of region labels and of population names.
    neurons : int, sequence of int, slice or Neurons
        At most how many neurons of each population, from its first on; or which, by their numbers in the population,
        from 0 on. Populations that have fewer give those that they have; a listed number that no population has is
        refused.
    interval : float (ms)
        Time between samples.
    """

    variable: Annotated[str, AfterValidator(_storable)]
    regions: str = "*"
    population: str = "*"
    neurons: Annotated[Annotated[int, Field(ge=1)] | tuple[int, ...] | Neurons, BeforeValidator(_chosen)] = 1
    interval: Annotated[Milliseconds, Field(gt=0)] = default("1 ms")

    def chosen(self, size: int) -> list[int]:
        """Return the neurons that are sampled of a population of a size, by their numbers in it."""
        match self.neurons:
            case int():
                return list(range(min(self.neurons, size)))
            case Neurons():
                return list(range(size))[self.neurons.start : self.neurons.stop : self.neurons.step]
            case _:
                return [number for number in self.neurons if number < size]


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
    state: Annotated[tuple[StateRecord, ...], AfterValidator(distinct)] = ()
