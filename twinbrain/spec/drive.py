"""Drives and stimuli: independent Poisson input to each neuron of a population."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from twinbrain.spec.base import Spec
from twinbrain.spec.quantity import Milliseconds, Quantity, Rate


class Drive(Spec):
    """Background input of a population: to each neuron its own Poisson process.

    Parameters
    ----------
    population : str
        Name of a population of the region.
    receptor : str
        Receptor of its cell.
    rate : float (Hz)
        Rate of the process, all its synapses taken together.
    weight : quantity
        Weight of each event.
    """

    population: str
    receptor: str
    rate: Rate
    weight: Quantity


class Stimulus(Spec):
    """Poisson input to populations of some regions of a brain, for some time.

    Parameters
    ----------
    name : str
        Shown in plots and stored with the run.
    regions : str
        Pattern of region labels.
    population, receptor, rate, weight
        As in `Drive`.
    start, duration : float (ms)
        When it is on.
    """

    name: str
    regions: str = "*"
    population: str
    receptor: str
    rate: Rate
    weight: Quantity
    start: Annotated[Milliseconds, Field(ge=0)]
    duration: Annotated[Milliseconds, Field(gt=0)]

    @model_validator(mode="after")
    def _check(self) -> Stimulus:
        if not self.name:
            raise ValueError("expected a name, found an empty one; it keys the random stream of the stimulus")
        return self
