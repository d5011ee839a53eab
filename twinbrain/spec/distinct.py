"""Lists that stand for sets: what is named there twice would count twice, or was meant to be something else."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.spec.values import unit_of

T = TypeVar("T")


def first_repeated(items: Iterable[Hashable]) -> Any:
    """Return the first item that came before, or None."""
    seen: set[Hashable] = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None


def distinct(items: T) -> T:
    """Refuse a list with an item twice.

    Raises
    ------
    ValueError
        If it has one.
    """
    if isinstance(items, list | tuple) and (repeated := first_repeated(items)) is not None:
        raise ValueError(f"expected each once, found {repeated!r} twice; leave one out")
    return items


def repeated_value(values: Sequence[Any]) -> Any:
    """Return the first of some values that equals one before it, in whatever unit it is written; None if none does."""
    unit = next((unit for value in values if (unit := unit_of(value))), "")
    seen: set[Any] = set()
    for value in values:
        number: Any = value
        if not isinstance(value, bool | int | float):
            number = json.dumps(_alike(value), sort_keys=True)
            if isinstance(value, str) and unit:
                with suppress(SpecError):
                    number = (units.number(value, unit), unit)
        if (compared := (isinstance(value, bool), number)) in seen:
            return value
        seen.add(compared)
    return None


def _alike(value: Any) -> Any:
    """Return a table or a list with its quantities as they are shown, so that equal ones read alike."""
    if isinstance(value, dict):
        return {key: _alike(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [units.normalise(inner) if _is_quantity(inner) else _alike(inner) for inner in value]
    return value


def _is_quantity(value: Any) -> bool:
    if isinstance(value, str) and unit_of(value):
        with suppress(SpecError):
            units.normalise(value)
            return True
    return False


Names = Annotated[tuple[str, ...], AfterValidator(distinct)]
"""Names or patterns, each once."""
