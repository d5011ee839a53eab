"""Quantities: parse ``"10 ms"``, convert, print.

Inside the package every quantity is a plain float in one coherent set of units, in which products and quotients need
no factors: ms, mV, pA, nS, pF, GOhm, mm, 1/ms. Rates of spikes are the one exception; they are kept in Hz.
"""

from __future__ import annotations

import math
import numbers
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from twinbrain.errors import UnitError

if TYPE_CHECKING:
    import pint

# Size of the coherent unit of each base dimension, in SI: mV, pA, ms and mm fix the first four.
_COHERENT_SCALE = {
    "[length]": 1e-3,
    "[mass]": 1e-18,
    "[time]": 1e-3,
    "[current]": 1e-12,
    "[substance]": 1e-9,
    "[temperature]": 1.0,
    "[luminosity]": 1.0,
}
_QUANTITY = re.compile(r"\s*([-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf))\s*(|[^\d\s.].*?)\s*", re.ASCII)
# Units in which quantities are shown, most familiar first.
_SHOWN = ("ms", "mV", "pA", "nS", "pF", "Hz", "mm", "mm/ms", "Mohm", "nS/mV", "pA/ms", "mV/ms", "pA/mV**3", "mM")
# How equations declare units.
_DECLARED = {"1": "1", "nS": "siemens", "pA": "amp", "mV": "volt"}
_BASES = {
    "[length]": "metre",
    "[mass]": "kilogram",
    "[time]": "second",
    "[current]": "amp",
    "[substance]": "mole",
    "[temperature]": "kelvin",
    "[luminosity]": "candela",
}


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(cache_folder=None)
    registry.define("@alias ohm = Ohm")  # MOhm, as many write it
    return registry


@cache
def coherent_factor(unit: str) -> float:
    """Return what one ``unit`` amounts to in the coherent set (``"nS"`` gives 1, ``"s"`` gives 1000).

    Parameters
    ----------
    unit : str
        Any unit expression, for example ``"mV"``, ``"siemens/volt"`` or ``"1"``.

    Raises
    ------
    UnitError
        If the expression is not a unit.
    """
    try:
        base: Any = _registry().Quantity(1.0, _unit(unit)).to_base_units()
    except UnitError as error:
        raise UnitError(f'expected a unit such as "mV" or "nS/ms", found {unit!r}{error}') from None
    factor = 1.0
    for dimension, exponent in base.dimensionality.items():
        factor *= _COHERENT_SCALE[dimension] ** float(exponent)
    return float(f"{base.magnitude / factor:.15g}")


@cache
def _unit(text: str) -> Any:
    """Return pint's unit, or raise the end of a message. Pint raises all kinds of errors, and takes what is no unit."""
    text = text.strip()
    if text == "1":
        return _registry().Unit("dimensionless")
    if not re.fullmatch(r"[^\W\d_][\w\s/*^().-]*|[%°]\w*|1?\s*/[\w\s/*^().-]+", text):
        raise UnitError("")
    try:
        unit = _registry().parse_units(f"1{text}" if text.startswith("/") else text)
        unit.dimensionality  # noqa: B018
    except Exception as error:
        import pint

        raise UnitError(f" ({error})" if isinstance(error, pint.UndefinedUnitError) else "") from None
    return unit


def _parse_quantity(text: str) -> Any:
    try:
        if (match := _QUANTITY.fullmatch(text)) is None:
            raise UnitError("")
        return _registry().Quantity(float(match[1]), _unit(match[2] or "1"))
    except UnitError as error:
        raise UnitError(f'expected a number with a unit such as "10 ms", found {text!r}{error}') from None


def number(value: str | float, unit: str) -> float:
    """Return ``value`` as a float in ``unit``.

    Parameters
    ----------
    value : str or float
        ``"10 ms"``; a bare number only where ``unit`` is ``"1"``.
    unit : str
        The unit of the result, which also fixes the dimension that ``value`` must have.

    Raises
    ------
    UnitError
        If the unit is missing, unknown or of another dimension, or if the value is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, str | numbers.Real):
        raise UnitError(f'expected a quantity in {unit} such as "10 {unit}", found {value!r}')
    quantity = _parse_quantity(value) if isinstance(value, str) else _registry().Quantity(float(value))
    wanted = _unit(unit)
    if not quantity.is_compatible_with(wanted):
        if quantity.dimensionless:
            raise UnitError(f'expected a quantity in {unit}, found {value!r} without a unit; write "{value} {unit}"')
        raise UnitError(f"expected a quantity in {unit}, found {value!r}, which is of another dimension")
    result = float(quantity.to(wanted).magnitude)
    if not math.isfinite(result):
        raise UnitError(f"expected a finite quantity, found {value!r}")
    return float(f"{result:.15g}") + 0.0  # no negative zero, which would read otherwise


def unit_of(text: str) -> str:
    """Return the unit in which a quantity is written (``""``: without one, or no quantity)."""
    match = _QUANTITY.fullmatch(text)
    return match[2] if match else ""


@lru_cache(maxsize=1 << 14, typed=True)
def coherent(value: str | float, unit: str) -> float:
    """Return ``value`` in the coherent set, after checking that it has the dimension of ``unit``."""
    dimensionless = unit.strip() == "1"
    return float(f"{number(value, unit) * (1.0 if dimensionless else coherent_factor(unit)):.15g}")


def normalise(value: str | float) -> str | float:
    """Return the same quantity in the unit it is shown in, so that equal quantities read alike.

    ``"0.01 s"`` becomes ``"10 ms"``; a dimensionless text becomes a float.

    Raises
    ------
    UnitError
        If the text is not a quantity.
    """
    if not isinstance(value, str):
        return float(value)
    quantity = _parse_quantity(value)
    if quantity.dimensionless:
        return number(value, "1")
    for unit in _SHOWN:
        if quantity.is_compatible_with(_registry().Unit(unit)):
            return show(number(value, unit), unit)
    base = quantity.to_base_units()
    return show(float(base.magnitude), f"{base.units:~C}")


@cache
def familiar(unit: str) -> str:
    """Return the unit in which quantities of this dimension are shown: ``"volt"`` gives ``"mV"``."""
    wanted = _registry().Unit("dimensionless" if unit.strip() == "1" else unit)
    if wanted.dimensionless:
        return "1"
    return next((shown for shown in _SHOWN if _registry().Unit(shown).is_compatible_with(wanted)), f"{wanted:~C}")


@cache
def base(unit: str) -> str:
    """Return the unit in the form in which equations declare it: ``"nS"`` gives ``"siemens"``."""
    if named := _DECLARED.get(unit):
        return named
    exponents = _registry().Unit(unit).dimensionality
    parts = [f"{_BASES[name]}**{power:g}" for name, power in sorted(exponents.items())]
    return "*".join(parts) or "1"


def show(value: float, unit: str) -> str:
    """Return ``"10 ms"`` for 10.0 and ``"ms"``; nothing is rounded away."""
    text = repr(float(value))
    return f"{text.removesuffix('.0')} {unit}"
