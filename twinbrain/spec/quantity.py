"""Quantities and distributions as they stand in a declaration."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, model_validator

from twinbrain import units
from twinbrain.errors import SpecError, UnitError
from twinbrain.spec.arrays import from_file, nested
from twinbrain.spec.base import Spec
from twinbrain.spec.explicit import Explicit


def _quantity_in(unit: str) -> tuple[BeforeValidator, PlainSerializer]:
    def parse(value: Any) -> float:
        return units.number(value, unit)

    return BeforeValidator(parse), PlainSerializer(lambda value: units.show(value, unit), when_used="json")


_ms = _quantity_in("ms")
_hz = _quantity_in("Hz")
_speed = _quantity_in("mm/ms")
_mm = _quantity_in("mm")

Milliseconds = Annotated[float, *_ms]
"""A duration; written "10 ms", kept as 10.0."""
Rate = Annotated[float, *_hz, Field(ge=0)]
"""A rate of events; written "8 Hz", kept as 8.0."""
Speed = Annotated[float, *_speed, Field(gt=0)]
"""A conduction speed; written "7 m/s", kept in mm/ms."""
Millimetres = Annotated[float, *_mm]
"""A length; written "1 mm", kept as 1.0."""


def default(text: str | tuple[str, ...]) -> Any:
    """Return the default of a field, written with its unit as in a file."""
    return Field(default=text)


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        return units.normalise(value)
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, Real):
        raise UnitError(f'expected a quantity such as "10 ms", found {value!r}')
    return units.normalise(value)  # type: ignore[arg-type]  # a real number of any kind


Quantity = Annotated[str | float, BeforeValidator(_normalised)]
"""A quantity whose unit is fixed by its use: a text with a unit, or a bare number where there is none."""

_SECOND_IS_A_NUMBER = {"lognormal": "sigma of the logarithm", "gamma": "shape"}
_FIRST_TWO = {
    "normal": "[mean, standard deviation]",
    "lognormal": "[median, sigma of the logarithm]",
    "gamma": "[mean, shape]",
    "uniform": "[low, high]",
}


class Distribution(Spec):
    """How a value varies over neurons or synapses.

    Written as a table with one of ``normal = [mean, sd]``, ``lognormal = [median, sigma of the logarithm]``,
    ``gamma = [mean, shape]``, ``uniform = [low, high]``, and ``min`` and ``max`` where it is truncated.
    """

    kind: Literal["normal", "lognormal", "gamma", "uniform"]
    first: Quantity
    second: Quantity
    minimum: Quantity | None = None
    maximum: Quantity | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_table(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "kind" in data:
            return data
        kinds = [key for key in data if key in _FIRST_TWO]
        if len(kinds) != 1:
            raise ValueError(f"expected one of {', '.join(_FIRST_TWO)}, found keys {sorted(data)}")
        kind = kinds[0]
        pair = data[kind]
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"expected {kind} = {_FIRST_TWO[kind]}, found {pair!r}")
        if unknown := set(data) - {kind, "min", "max"}:
            raise ValueError(f"unknown key {sorted(unknown)[0]!r} beside {kind!r}; known: min, max")
        return {
            "kind": kind,
            "first": pair[0],
            "second": pair[1],
            "minimum": data.get("min"),
            "maximum": data.get("max"),
        }

    @model_validator(mode="after")
    def _check(self) -> Distribution:
        if name := _SECOND_IS_A_NUMBER.get(self.kind):
            if not isinstance(self.second, float) or self.second <= 0:
                raise ValueError(f"expected the {name} as a positive number, found {self.second!r}")
        elif isinstance(self.first, str) != isinstance(self.second, str):
            raise ValueError(f"expected two quantities of one unit, found {self.first!r} and {self.second!r}")
        return self


def _shared(value: Any) -> Any:
    if isinstance(value, Explicit) or _is_explicit(value):
        raise ValueError("expected a quantity or a distribution, found explicit values; give them where it is used")
    if isinstance(value, Distribution):
        return value
    return Distribution.model_validate(value) if isinstance(value, dict) else _normalised(value)


def _value(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Explicit):
        return value
    if not _is_explicit(value):
        return _shared(value)
    if "file" in value:
        value = {"values": from_file(value, info, {"unit"}), "unit": value.get("unit", "1")}
    try:
        return Explicit(**value)
    except SpecError as error:
        raise nested(error) from None


def _is_explicit(value: Any) -> bool:
    return isinstance(value, dict) and ("values" in value or "file" in value)


SharedValue = Annotated[str | float | Distribution, BeforeValidator(_shared)]
"""A quantity shared by all, or a distribution over them."""

Value = Annotated[str | float | Distribution | Explicit, BeforeValidator(_value)]
"""A quantity shared by all, a distribution over them, or the values of each."""


def _of_time(value: str | float | Distribution | Explicit) -> str | float | Distribution | Explicit:
    if isinstance(value, Explicit):
        parts: list[str | float | None] = [f"1 {value.unit}"]
    elif isinstance(value, Distribution):
        parts = [value.first, value.minimum, value.maximum]
        if value.kind not in _SECOND_IS_A_NUMBER:
            parts.append(value.second)
    else:
        parts = [value]
    for part in parts:
        if part is not None:
            units.number(part, "ms")
    return value


TimeValue = Annotated[Value, AfterValidator(_of_time)]
"""A duration shared by all, a distribution over them, or the values of each."""
