"""The axes of a sweep: its dimensions, and the values of each point."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.spec.keys import full_key
from twinbrain.spec.sweep import Samples, Sweep
from twinbrain.spec.values import unit_of

CASE, SAMPLE = "case", "sample"
# Up to it every whole number is a float.
_LARGEST_WHOLE = 2**53


@dataclass(frozen=True)
class Axis:
    """One dimension of a sweep.

    Parameters
    ----------
    name : str
        Name of the dimension.
    columns : dict of str to tuple
        Keys of the workflow, and their values along it; None where a case leaves a key as it is.
    labels : tuple of str
        Names of its places, where they are cases.
    order : tuple of tuple of str
        The keys of each case in its own order, in which they are given values: a later one may change what an earlier
        one has put in place.
    """

    name: str
    columns: dict[str, tuple[Any, ...]]
    labels: tuple[str, ...] = ()
    order: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.labels or next(iter(self.columns.values())))

    def at(self, place: int) -> dict[str, Any]:
        """Return the values of the keys at a place."""
        keys = self.order[place] if self.order else self.columns
        return {key: self.columns[key][place] for key in keys if self.columns[key][place] is not None}


def axes_of(sweep: Sweep, taken: Iterable[str] = ()) -> tuple[Axis, ...]:
    """Return the axes of a sweep, in the order in which they are declared.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    taken : iterable of str
        Names that mean something else in its result.

    Raises
    ------
    SpecError
        If a key is none of a workflow, or is given values twice, or has no name of its own.
    """
    columns: list[dict[str, tuple[Any, ...]]] = [{key: values} for key, values in sweep.parameters.items()]
    columns += sweep.together
    drawn = _drawn(sweep.samples) if sweep.samples else {}
    keys = [key for table in (*columns, drawn) for key in table]
    cases = _cases(sweep.cases)
    _check_distinct([*keys, *cases])
    taken = {*taken}
    for name, declared in ((CASE, sweep.cases), (SAMPLE, sweep.samples)):
        if declared and name in taken:
            raise SpecError(
                f"sweep.{name}s: expected {name!r} for their dimension alone, found it taken by a result; give the "
                "reduction, or its dimension, another name"
            )
    names = short_names(keys, taken)
    axes = [Axis(names[next(iter(table))], table) for table in columns]
    if sweep.cases:
        axes.insert(0, Axis(CASE, cases, tuple(sweep.cases), tuple(map(tuple, sweep.cases.values()))))
    return (*axes, Axis(SAMPLE, drawn)) if drawn else tuple(axes)


def n_points(axes: Sequence[Axis]) -> int:
    """Return the number of points."""
    return math.prod(len(axis) for axis in axes)


def values_at(axes: Sequence[Axis], point: int) -> dict[str, Any]:
    """Return the values of the keys at a point; the last axis varies fastest."""
    places = np.unravel_index(point, [len(axis) for axis in axes])
    return {key: value for axis, place in zip(axes, places, strict=True) for key, value in axis.at(int(place)).items()}


@dataclass(frozen=True, eq=False)
class Coordinate:
    """The values of a key as a coordinate: numbers where they are, in one unit.

    Parameters
    ----------
    name, key, axis : str
        Its short name, the key, and the name of its axis.
    values : ndarray, shape (n,)
        Numbers, or texts.
    unit : str
        Unit of the numbers (``""``: none).
    """

    name: str
    key: str
    axis: str
    values: NDArray[Any]
    unit: str


def coordinates(axes: Sequence[Axis], taken: Iterable[str] = ()) -> list[Coordinate]:
    """Return the coordinates along the axes of `axes_of`: of each that of its own name, and those beside it."""
    named = [axis for axis in axes if not axis.labels]
    names = short_names([key for axis in named for key in axis.columns], taken)
    found = [Coordinate(SAMPLE, "", SAMPLE, np.arange(len(axis)), "") for axis in axes if axis.name == SAMPLE]
    found += [Coordinate(CASE, "", CASE, _texts(axis.labels), "") for axis in axes if axis.labels]
    for axis in named:
        for key, values in axis.columns.items():
            numbers, unit = _numbers(values)
            found.append(Coordinate(names[key], key, axis.name, numbers, unit))
    return found


def short_names(keys: Sequence[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return for each key its last parts, as many as tell it from the others and from what is taken.

    Raises
    ------
    SpecError
        If a key is none of a workflow, if two are the same, or if the whole of one is taken.
    """
    _check_distinct(keys)
    possible = {key: _possible_names(full_key(key)) for key in keys}
    n_having = Counter(name for names in possible.values() for name in set(names))
    n_whole = Counter(names[-1] for names in possible.values())
    reserved = {*taken, CASE, SAMPLE}
    found: dict[str, str] = {}
    for key, names in possible.items():
        name = next((name for name in names[:-1] if n_having[name] == 1 and name not in reserved), names[-1])
        if name in reserved or n_whole[name] > (name == names[-1]):
            raise SpecError(
                f"sweep: expected a name for the key {key!r} that nothing else in the result has, found {name!r} "
                "taken; give the reduction that is called so another name"
            )
        found[key] = name
    return found


def _check_distinct(keys: Sequence[str]) -> None:
    first: dict[tuple[str, ...], str] = {}
    for key in keys:
        if (whole := tuple(full_key(key))) in first:
            raise SpecError(f"sweep: {first[whole]!r} and {key!r} are the same key; give it values once")
        first[whole] = key


def _cases(cases: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the keys of all cases, each with its value in every case."""
    keys = dict.fromkeys(key for case in cases.values() for key in case)
    return {key: tuple(case.get(key) for case in cases.values()) for key in keys}


def _possible_names(parts: Sequence[str]) -> list[str]:
    """Return names for a key, the shortest first; they may be names of arrays, too."""
    plain = [re.sub(r"\W+", "_", part).strip("_") for part in parts]
    telling = [part for part in plain if part and not part.isdecimal()]
    return [".".join(telling[-n:]) for n in range(1, len(telling) + 1)] + [".".join(filter(None, plain))]


def _numbers(values: Sequence[Any]) -> tuple[NDArray[Any], str]:
    if all(isinstance(value, bool | int | float) for value in values):
        # Beside a float, NumPy makes floats of whole numbers, also of seeds that no float is.
        whole = all(isinstance(value, int) or value.is_integer() for value in values)
        large = any(isinstance(value, int) and abs(value) > _LARGEST_WHOLE for value in values)
        return np.array(list(map(int, values)) if whole and large else values), ""
    unit = unit_of(values[0])
    if unit and all(isinstance(value, str) for value in values):
        try:
            return np.array([units.number(value, unit) for value in values]), unit
        except SpecError:
            pass
    return _texts([value if isinstance(value, str) else json.dumps(value) for value in values]), ""


def _texts(values: Sequence[str]) -> NDArray[Any]:
    return np.array(values, np.dtypes.StringDType())


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
        key: within.at(column.tolist())
        for (key, within), column in zip(samples.parameters.items(), fractions.T, strict=True)
    }
