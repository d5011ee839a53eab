"""A population: neurons of one cell class."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twinbrain.spec.base import Spec
from twinbrain.spec.quantity import Millimetres

MOST_NEURONS = 2**31 - 1
"""Neurons of a brain, which are numbered by 32 bits; no degree is greater."""

Transmitter = Literal["glutamate", "gaba"]
"""What the axons of a population release: it decides which receptor a long-range synapse reaches."""


Side = Annotated[Millimetres, Field(ge=0, le=1e6)]
"""A side of the box of a population, up to a kilometre."""


class Population(Spec):
    """Neurons of one cell class.

    Parameters
    ----------
    cell : str
        Name of a cell of the region.
    size : int
        Number of neurons.
    transmitter : {"glutamate", "gaba"}
        What its axons release.
    extent : tuple of float (mm), shape (3,)
        Box in which the neurons are spread uniformly; distance-dependent connections need it.
    """

    cell: str
    size: Annotated[int, Field(ge=1, le=MOST_NEURONS)]
    transmitter: Transmitter = "glutamate"
    extent: tuple[Side, Side, Side] | None = None
