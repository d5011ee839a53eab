"""Values of a swept key: a list, a range, or evenly spaced between two ends."""

from __future__ import annotations

import math
import os
from collections.abc import Sized
from contextlib import suppress
from itertools import islice
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.spec.base import Spec
from twinbrain.spec.plain_array import plain_array

# Values of a key, and points of a sweep; values of all keys together that stand in tables.
MOST = 1_000_000
MOST_TOGETHER = 4_000_000
_FORMS = 'a list, { linear = [0.5, 2.0], n = 4 }, { log = ["10 Hz", "1 kHz"], n = 3 } or { range = [0, 10] }'


def expand(values: Any) -> tuple[Any, ...]:
    """Return the values that a list, a range or a table of a file stands for.

    Parameters
    ----------
    values : list, range, ndarray or dict
        A dict has one of ``linear = [first, last]`` and ``log = [first, last]``, with their number ``n``, ends
        included, or ``range = n`` or ``[start, stop]`` or ``[start, stop, step]``, integers, ``stop`` excluded.

    Raises
    ------
    SpecError
        If it is none of these, empty, or endless.
    """
    found = _expand(values)
    if not found:
        raise SpecError("expected at least one value, found none; give some")
    if len(found) > MOST:
        raise SpecError(f"expected at most {MOST:,} values, found more; give fewer")
    # A time of NumPy would be a number without its unit.
    return tuple(
        value.item() if isinstance(value, np.generic) and not isinstance(value, np.timedelta64) else value
        for value in found
    )


def n_values(values: Any) -> int:
    """Return how many values `expand` would return, as far as that shows before; 1 for what it would refuse."""
    if isinstance(values, dict):
        n = values.get("n", 1)
        if "range" in values:
            ends = values["range"]
            with suppress(TypeError, ValueError, OverflowError):
                n = len(range(*ends) if isinstance(ends, list | tuple) else range(ends))
        return n if type(n) is int and 1 <= n <= MOST else 1
    if not isinstance(values, Sized) or isinstance(values, str | bytes) or getattr(values, "ndim", 1) == 0:
        return 1
    return max(1, len(values))


def _expand(values: Any) -> list[Any]:
    if isinstance(values, dict):
        for form, keys in (("linear", {"linear", "n"}), ("log", {"log", "n"}), ("range", {"range"})):
            if form in values:
                if set(values) != keys:
                    raise SpecError(f"expected {' and '.join(sorted(keys))}, found {', '.join(map(str, values))}")
                return _range(values["range"]) if form == "range" else spaced(form, values[form], values["n"])
    elif hasattr(values, "dtype") and values.dtype != np.dtype(object):
        if (array := plain_array(values, what="values")).ndim:
            return list(array)
    elif hasattr(values, "__iter__") and not isinstance(values, str | bytes | set | frozenset):
        return list(islice(values, MOST + 1))
    raise SpecError(f"expected {_FORMS}, found {values!r}")


def _range(ends: Any) -> list[int]:
    ends = [ends] if isinstance(ends, int) else ends
    if not isinstance(ends, list | tuple) or not 1 <= len(ends) <= 3 or not all(type(end) is int for end in ends):
        raise SpecError(f"expected range = 10 or [0, 10] or [0, 10, 2], found {ends!r}")
    if len(ends) == 3 and ends[2] == 0:
        raise SpecError("expected a step that is not 0 in range, found 0")
    return list(islice(range(*ends), MOST + 1))


def spaced(form: str, ends: Any, n: Any) -> list[float | str]:
    """Return ``n`` values between two ends, which are among them; in the unit of the first, where they have one."""
    if type(n) is not int or not 1 <= n <= MOST:
        raise SpecError(f"expected n as a whole number from 1 to {MOST:,}, found {n!r}")
    first, last, unit = ends_of(form, ends)
    numbers = np.exp(np.linspace(math.log(first), math.log(last), n)) if form == "log" else np.linspace(first, last, n)
    between = [rounded(number, first, last) for number in numbers[1:-1]]
    return [with_unit(number, unit) for number in [first, *between, last][:n]]


def rounded(number: float, first: float, last: float) -> float:
    """Return a number as one would write it, between two ends."""
    return min(max(float(f"{number:.12g}"), min(first, last)), max(first, last))


def ends_of(form: str, ends: Any) -> tuple[float, float, str]:
    """Return two ends as numbers, and their unit (``""``: none)."""
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise SpecError(f"expected {form} = [first, last], found {ends!r}")
    unit = unit_of(ends[0])
    try:
        first, last = (units.number(end, unit or "1") for end in ends)
    except SpecError as error:
        raise SpecError(f"expected {form} = [first, last], two numbers or quantities of one unit: {error}") from None
    if form == "log" and min(first, last) <= 0:
        raise SpecError(f"expected positive ends of log, found {ends!r}")
    return first, last, unit


def unit_of(value: Any) -> str:
    """Return the unit in which a value is written (``""``: none)."""
    return units.unit_of(value) if isinstance(value, str) else ""


def with_unit(number: float, unit: str) -> float | str:
    """Return a value as it is written."""
    return units.show(number, unit) if unit else number


def _values(values: Any) -> tuple[Any, ...]:
    return tuple(plain(value.to_dict() if isinstance(value, Spec) else value) for value in expand(values))


def plain(value: Any) -> Any:
    """Return a value as it would stand in a file, where a path is text.

    Raises
    ------
    SpecError
        If it cannot.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if not _is_plain(value):
        raise SpecError(f"expected values as they stand in a file, found {value!r}")
    return value


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


Values = Annotated[tuple[Any, ...], BeforeValidator(_values)]
"""Values of a key, one by one: from a list, or what `expand` takes."""
