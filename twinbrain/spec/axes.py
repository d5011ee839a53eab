"""The axes of a sweep: its dimensions, and the values of each point."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.spec.keys import key_parts
from twinbrain.spec.sweep import Samples, Sweep
from twinbrain.spec.values import unit_of

SAMPLE = "sample"


@dataclass(frozen=True)
class Axis:
    """One dimension of a sweep.

    Parameters
    ----------
    name : str
        Name of the dimension.
    columns : dict of str to tuple
        Keys of the workflow, and their values along it.
    """

    name: str
    columns: dict[str, tuple[Any, ...]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def axes_of(sweep: Sweep, taken: Iterable[str] = ()) -> tuple[Axis, ...]:
    """Return the axes of a sweep, in the order in which they are declared.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    taken : iterable of str
        Names that mean something else in its result.
    """
    columns: list[dict[str, tuple[Any, ...]]] = [{key: values} for key, values in sweep.parameters.items()]
    columns += sweep.together
    names = short_names([key for table in columns for key in table], taken)
    axes = [Axis(names[next(iter(table))], table) for table in columns]
    return (*axes, *([Axis(SAMPLE, _drawn(sweep.samples))] if sweep.samples else []))


def n_points(axes: Sequence[Axis]) -> int:
    """Return the number of points."""
    return math.prod(len(axis) for axis in axes)


def values_at(axes: Sequence[Axis], point: int) -> dict[str, Any]:
    """Return the values of the keys at a point; the last axis varies fastest."""
    places = np.unravel_index(point, [len(axis) for axis in axes])
    return {
        key: values[place] for axis, place in zip(axes, places, strict=True) for key, values in axis.columns.items()
    }


@dataclass(frozen=True, eq=False)
class Coordinate:
    """The values of a key as a coordinate: numbers where they are, in one unit.

    Parameters
    ----------
    name, key : str
        Its short name, and the key.
    values : ndarray, shape (n,)
        Numbers, or texts.
    unit : str
        Unit of the numbers (``""``: none).
    """

    name: str
    key: str
    values: NDArray[Any]
    unit: str


def coordinates(axis: Axis, taken: Iterable[str] = ()) -> list[Coordinate]:
    """Return the coordinates along an axis; that of its own name first."""
    found = []
    if axis.name == SAMPLE:
        found.append(Coordinate(SAMPLE, "", np.arange(len(axis)), ""))
    names = short_names(list(axis.columns), (*taken, SAMPLE))
    for key, values in axis.columns.items():
        numbers, unit = _numbers(values)
        found.append(Coordinate(axis.name if not found else names[key], key, numbers, unit))
    return found


def short_names(keys: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """Return for each key its last parts, as many as tell it from the others and from what is taken."""
    parts = {key: [part for part in key_parts(key) if part != "*" and not part.isdecimal()] for key in keys}
    taken = set(taken)

    def name(key: str, n: int) -> str:
        return ".".join(parts[key][-n:])

    def is_free(key: str, n: int) -> bool:
        return name(key, n) not in taken and all(name(other, n) != name(key, n) for other in keys if other != key)

    lengths = {key: range(1, len(parts[key]) + 1) for key in keys}
    free = {key: next((n for n in lengths[key] if is_free(key, n)), 0) for key in keys}
    return {key: name(key, n) if n else key for key, n in free.items()}


def _numbers(values: Sequence[Any]) -> tuple[NDArray[Any], str]:
    if all(isinstance(value, bool | int | float) for value in values):
        return np.array(values), ""
    unit = unit_of(values[0])
    if unit and all(isinstance(value, str) for value in values):
        try:
            return np.array([units.number(value, unit) for value in values]), unit
        except SpecError:
            pass
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return np.array(texts, np.dtypes.StringDType()), ""


def _drawn(samples: Samples) -> dict[str, tuple[Any, ...]]:
    """Draw samples: scrambled Sobol' points, or independent ones."""
    n_columns = len(samples.parameters)
    if samples.method == "sobol":
        from scipy.stats import qmc

        engine = qmc.Sobol(n_columns, rng=np.random.default_rng(samples.seed))
        # A power of two is drawn, since others unbalance the points, and cut.
        fractions = engine.random_base2(max(0, (samples.n - 1).bit_length()))[: samples.n]
    else:
        fractions = np.random.default_rng(samples.seed).random((samples.n, n_columns))
    return {
        key: tuple(within.at(float(fraction)) for fraction in column)
        for (key, within), column in zip(samples.parameters.items(), fractions.T, strict=True)
    }
