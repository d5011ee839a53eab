"""Options: the arguments of a function as a declaration, against which what a file or a person gives is checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

from pydantic import BeforeValidator, ConfigDict, Field, create_model

from twinbrain import units
from twinbrain.spec.base import Spec
from twinbrain.spec.plain_array import numbers_and_unit


def _in_unit(unit: str) -> BeforeValidator:
    def parse(value: Any) -> Any:
        is_quantity = isinstance(value, str) or numbers_and_unit(value)[1] is not None
        return units.number(value, unit) if is_quantity else value

    return BeforeValidator(parse)


Time = Annotated[float, _in_unit("ms")]
"""A time; written "10 ms", or as a number of ms."""
Frequency = Annotated[float, _in_unit("Hz")]
"""A rate; written "10 Hz", or as a number of Hz."""
Slope = Annotated[float, _in_unit("mV/ms")]
"""How fast a potential rises; written "0.1 mV/ms", or as a number of mV/ms."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


def options_of(function: Callable[..., Any]) -> type[Spec]:
    """Return the declaration of a function's options: a type with a field for each of its arguments.

    Parameters
    ----------
    function : callable
        A function, or a class, whose annotations say of which type each argument is.
    """
    annotated = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    hints = get_type_hints(annotated, include_extras=True)
    fields: dict[str, Any] = {
        key: (
            hints.get(key, Any),
            Field() if parameter.default is parameter.empty else Field(default=parameter.default),
        )
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    # A default stands in the unit that is used inside, and what is given in one that is written.
    config = ConfigDict(**{**Spec.model_config, "validate_default": False})
    base = type("Options", (Spec,), {"model_config": config, "__module__": __name__})
    return create_model(f"{function.__name__}_options", __base__=base, **fields)


def given_options(function: Callable[..., Any], options: dict[str, Any], where: str) -> dict[str, Any]:
    """Return options as a function takes them, those alone that are given.

    Parameters
    ----------
    function : callable
        As `options_of` takes it.
    options : dict of str to any
        As they are written.
    where : str
        Put before the name of each that is wrong.

    Raises
    ------
    SpecError
        With all that is wrong.
    """
    found = options_of(function).parse(options, where)
    return {key: getattr(found, key) for key in found.model_fields_set}
