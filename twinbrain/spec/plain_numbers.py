"""Numbers and truth values as they are written: Python, and pydantic, take one for the other, and texts for both."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from twinbrain.errors import SpecError
from twinbrain.spec.plain_array import are_alike, numbers_and_unit

_TRUTH = (bool, np.bool)


def whole(name: str, value: int, least: int = 1) -> int:
    """Return an argument that is a whole number, and not too small.

    Parameters
    ----------
    name : str
        Of the argument.
    value : int
        What was given; an integer of numpy is one.
    least : int, optional
        Smallest number that is taken.

    Raises
    ------
    SpecError
        If it is another.

    Examples
    --------
    >>> whole("n_neurons", 3)
    3
    """
    # Python counts True as 1, and NumPy a time as a whole number.
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, numbers.Integral) or value < least:
        raise SpecError(f"{name}: expected a whole number of at least {least}, found {value!r}")
    return int(value)


def check_plain(value: Any, field: FieldInfo) -> None:
    """Refuse truth values, numbers written as texts and units where a field takes numbers, and all for a truth value.

    Raises
    ------
    ValueError
        If there is one; pydantic would count true as 1, read "2_0" as 20 and "no" as false, and drop a unit.
    """
    if is_truth(field.annotation):
        if isinstance(value, _TRUTH) or (value is None and field.annotation is not bool):
            return
        raise ValueError(f"expected true or false, found {value!r}")
    items = value if isinstance(value, list | tuple) else (value,)
    truth = next((item for item in items if isinstance(item, _TRUTH)), None)
    if truth is not None and not _takes_truth(field.annotation):
        raise ValueError(f"expected no truth value here, found {str(truth).lower()}")
    if isinstance(value, str) and _reads_as_number(value) and _of_numbers(field):
        raise ValueError(f"expected a number, found the text {value!r}; write it without quotes")
    if not isinstance(value, str) and _of_numbers(field):
        held = value.values() if isinstance(value, dict) else items
        numbers_alone(held)
        refuse_units(held)


def numbers_alone(values: Iterable[Any]) -> None:
    """Refuse truth values and texts among numbers.

    Raises
    ------
    ValueError
        If there is one; Python counts true as 1 and reads "2_0" as 20.
    """
    for value in values:
        if isinstance(value, _TRUTH) or (isinstance(value, str) and _reads_as_number(value)):
            raise ValueError(f"expected numbers, found {value!r} among them")


def refuse_units(values: Iterable[Any]) -> None:
    """Refuse quantities of another package among numbers that have no unit.

    Raises
    ------
    ValueError
        If there is one; Python drops its unit.
    """
    for value in values:
        if (unit := numbers_and_unit(value)[1]) is not None and not are_alike(unit, "1"):
            raise ValueError(f"expected a number without a unit, found one in {unit!r}; give a plain number")


def is_truth(annotation: Any) -> bool:
    """Return whether a field, where it is given, may be nothing but true or false."""
    if get_origin(annotation) is Literal:
        return all(isinstance(value, bool) for value in get_args(annotation))
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return annotation is bool or (bool(parts) and all(map(is_truth, parts)))


def _takes_truth(annotation: Any) -> bool:
    """Return whether a field may be true or false."""
    if get_origin(annotation) is Literal:
        return any(isinstance(value, bool) for value in get_args(annotation))
    return annotation in (bool, Any) or any(map(_takes_truth, get_args(annotation)))


def _of_numbers(field: FieldInfo) -> bool:
    """Return whether a field is a number, or holds numbers, and nothing of its own makes one of a text."""
    return _is_plain(field.metadata) and _are_numbers(field.annotation)


def _are_numbers(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_plain(annotation.__metadata__) and _are_numbers(annotation.__origin__)
    parts = [part for part in get_args(annotation) if part not in (type(None), ...)]
    if get_origin(annotation) is dict:
        del parts[0]  # keys are texts
    return annotation in (int, float) or (bool(parts) and all(map(_are_numbers, parts)))


def _reads_as_number(text: str) -> bool:
    with suppress(ValueError):
        float(text)
        return True
    return False  # pydantic says what it expects


def _is_plain(metadata: Iterable[Any]) -> bool:
    return not any(isinstance(part, BeforeValidator) for part in metadata)
