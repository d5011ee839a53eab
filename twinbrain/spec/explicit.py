"""Explicit values: one a neuron, or one a synapse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator

from twinbrain import units
from twinbrain.errors import Problem
from twinbrain.spec.arrays import Numbers
from twinbrain.spec.base import Spec

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from twinbrain.spec.projection import Projection
    from twinbrain.spec.region import Region


def _unit(unit: str) -> str:
    units.coherent_factor(unit)
    return unit


class Explicit(Spec):
    """Values that are given one by one.

    In a file: ``{ values = [1.5, 2.0], unit = "pA" }``, or ``{ file = "column.npz", array = "pyr->pv weight",
    unit = "pA" }``, where the file's name starts from the folder of the declaration, and ``sha256`` may be its digest.

    Parameters
    ----------
    values : array_like, shape (n,)
        One for each neuron of the population; or one for each synapse, in the order of the pairs.
    unit : str
        Of the values; quantities of another package, such as brian2, are converted to it.

    Raises
    ------
    SpecError
        If a number is not finite, or the unit is none, or not of the dimension of the values.
    """

    unit: Annotated[str, AfterValidator(_unit)] = "1"
    values: Numbers

    def __init__(self, values: ArrayLike, unit: str = "1", **unknown: Any) -> None:
        super().__init__(**{"values": values, "unit": unit} | unknown)

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Explicit):
            return NotImplemented
        return self.unit == other.unit and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.unit, self.values.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.values, self.unit)

    def __str__(self) -> str:
        return f"{len(self):,} values{'' if self.unit == '1' else f' in {self.unit}'}"

    __repr__ = __str__


def fixed_values(region: Region, what: str) -> Iterator[Problem]:
    """Yield a problem for each explicit value of a region that is to be ``what`` ("scaled by 2")."""
    found = [
        (f"cells.{name}.{kind}.{key}", value)
        for name, cell in region.cells.items()
        for kind in ("parameters", "initial")
        for key, value in getattr(cell, kind).items()
        if isinstance(value, Explicit)
    ]
    for i, projection in enumerate(region.projections):
        found += [(f"projections[{i}].{place}", value) for place, value in _of_synapses(projection)]
    for where, value in found:
        message = f"expected a quantity or a distribution in a region that is {what}, found {value}"
        yield Problem(where, f"{message}; leave the region as large as it is")


def wrong_numbers(region: Region) -> Iterator[Problem]:
    """Yield a problem for explicit values that are not as many as the neurons or the pairs that are declared."""
    for name, population in region.populations.items():
        cell = region.cells.get(population.cell)
        for kind in ("parameters", "initial") if cell else ():
            for key, value in getattr(cell, kind).items():
                if isinstance(value, Explicit) and len(value) != population.size:
                    yield Problem(
                        f"cells.{population.cell}.{kind}.{key}",
                        f"expected {population.size:,} values, one for each neuron of population {name!r}, found "
                        f"{len(value):,}; give as many, or give the population a cell of its own",
                    )
    for i, projection in enumerate(region.projections):
        yield from wrong_numbers_of(projection, f"projections[{i}]")


def wrong_numbers_of(projection: Projection, where: str) -> Iterator[Problem]:
    """Yield a problem for explicit values of synapses that are not as many as the pairs that are declared."""
    if (pairs := projection.connect.pairs) is None:
        return
    for place, value in _of_synapses(projection):
        if len(value) != len(pairs):
            yield Problem(
                f"{where}.{place}",
                f"expected {len(pairs):,} values, one for each of the pairs, found {len(value):,}; give as many, in "
                "the order of the pairs",
            )


def _of_synapses(projection: Projection) -> Iterator[tuple[str, Explicit]]:
    values: dict[str, Any] = {"weight": projection.weight, "delay": projection.delay}
    if projection.plasticity is not None:
        for kind in ("parameters", "initial"):
            values |= {f"plasticity.{kind}.{key}": v for key, v in getattr(projection.plasticity, kind).items()}
    yield from ((place, value) for place, value in values.items() if isinstance(value, Explicit))
