"""Quantities: parse ``"10 ms"``, convert, print.

Inside the package every quantity is a plain float in one coherent set of units, in which products and quotients need
no factors: ms, mV, pA, nS, pF, GOhm, mm, 1/ms. Rates of spikes are the one exception; they are kept in Hz.
"""

from __future__ import annotations

import math
import numbers
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import UnitError
from twinbrain.language.unit import HIGHEST_EXPONENT, read_unit

if TYPE_CHECKING:
    import pint

Numbers = TypeVar("Numbers", float, NDArray[np.float64])

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
# A unit may begin with the 1 of "1/ms" where a space is before it.
_QUANTITY = re.compile(
    r"\s*([-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf))\s*(|(?:[^\d\s.]|(?<=\s)1\s*/).*?)\s*", re.ASCII
)
# Units in which quantities are shown, most familiar first.
_SHOWN = ("ms", "mV", "pA", "nS", "pF", "Hz", "mm", "mm/ms", "Mohm", "nS/mV", "pA/ms", "mV/ms", "pA/mV**3", "mM")
# The units of the coherent set that others are products of; mV stands for the mass.
_COHERENT = {
    "[current]": "pA",
    "[length]": "mm",
    "[substance]": "nmol",
    "[temperature]": "K",
    "[luminosity]": "cd",
    "[time]": "ms",
}
# Characters of a quantity.
_LONGEST = 300
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
        raise UnitError(f'expected a unit such as "mV" or "nS/ms", found {_printed(unit)}{error}') from None
    factor = 1.0
    for dimension, exponent in base.dimensionality.items():
        factor *= _COHERENT_SCALE[dimension] ** float(exponent)
    return float(f"{base.magnitude / factor:.15g}")


@cache
def _unit(text: str) -> Any:
    """Return pint's unit, or raise the end of a message. Pint sees single names, never a text."""
    try:
        factors = read_unit(text)
    except UnitError:
        raise UnitError(f" (a unit is of names, *, / and powers up to {HIGHEST_EXPONENT})") from None
    exponents: dict[str, float] = {}
    for name, exponent in factors:
        known = _known_name(name)
        exponents[known] = exponents.get(known, 0) + (int(exponent) if exponent.is_integer() else exponent)
    exponents.pop("dimensionless", None)
    unit = _registry().Unit(_registry().UnitsContainer(exponents))
    try:
        size: Any = _registry().Quantity(1.0, unit).to_base_units()
        within = 1e-150 < size.magnitude < 1e150
        within &= all(abs(exponent) <= HIGHEST_EXPONENT for exponent in size.dimensionality.values())
    except Exception:  # pint raises many kinds: of overflow, and of temperatures that are multiplied
        within = False
    if not within:
        raise UnitError(" (it is too large or small to be computed with, or a product of temperatures)")
    return unit


@cache
def _known_name(name: str) -> str:
    try:
        known = name if name == "dimensionless" else str(_registry().get_name(name))
        zero: Any = _registry().Quantity(0.0, known).to_base_units()
    except Exception:  # pint raises many kinds
        raise UnitError(f" ({name!r} is not defined in the unit registry)") from None
    if zero.magnitude != 0:  # Celsius, decibel: sums, spreads and factors of them would be others in base units
        raise UnitError(f" ({name!r} has an offset or is logarithmic; write the value in kelvin, or as a plain ratio)")
    return known


def _counts_angle_or_information(unit: Any) -> bool:
    root: Any = _registry().Quantity(1.0, unit).to_root_units()
    return any(name in ("radian", "bit") for name in dict(root.units._units))


def _parse_quantity(text: str) -> Any:
    try:
        if len(text) > _LONGEST or (match := _QUANTITY.fullmatch(text)) is None:
            raise UnitError("")
        return _registry().Quantity(float(match[1]), _unit(match[2] or "1"))
    except UnitError as error:
        raise UnitError(f'expected a number with a unit such as "10 ms", found {_printed(text)}{error}') from None


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
    # To NumPy a time is a whole number, in whatever unit.
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, str | numbers.Real):
        raise UnitError(f'expected a quantity in {unit} such as "10 {unit}", found {value!r}')
    quantity = _parse_quantity(value) if isinstance(value, str) else _registry().Quantity(_float(value))
    wanted = _unit(unit)
    if not quantity.is_compatible_with(wanted):
        if quantity.dimensionless:
            raise UnitError(f'expected a quantity in {unit}, found {value!r} without a unit; write "{value} {unit}"')
        raise UnitError(f"expected a quantity in {unit}, found {value!r}, which is of another dimension")
    counts = _counts_angle_or_information(quantity.units) and not _counts_angle_or_information(wanted)
    if counts and not wanted.dimensionless:  # a radian is no event
        raise UnitError(
            f"expected a quantity in {unit}, found {value!r}, which counts angles or information; give rates in "
            'Hz, and what equations declare in radian/second as a number per second ("40 /s")'
        )
    result = float(quantity.to(wanted).magnitude)
    if not math.isfinite(result):
        raise UnitError(f"expected a finite quantity, found {_printed(value)}")
    return float(f"{result:.15g}") + 0.0  # no negative zero, which would read otherwise


def _printed(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _float(value: numbers.Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def unit_of(text: str) -> str:
    """Return the unit in which a quantity is written (``""``: without one, or no quantity)."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    return match[2] if match else ""


@lru_cache(maxsize=1 << 14, typed=True)
def coherent(value: str | float, unit: str) -> float:
    """Return ``value`` in the coherent set, after checking that it has the dimension of ``unit``."""
    dimensionless = unit.strip() == "1"
    return float(f"{number(value, unit) * (1.0 if dimensionless else coherent_factor(unit)):.15g}")


def in_unit(values: Numbers, unit: str) -> Numbers:
    """Return what is in the coherent set as numbers in ``unit``; what is told or kept beside a unit's name is this.

    Parameters
    ----------
    values : float or ndarray of float64
        In the coherent set.
    unit : str
        The unit whose name stands beside them.
    """
    factor = coherent_factor(unit)
    return values if factor == 1.0 else values / factor


def normalise(value: str | float) -> str | float:
    """Return the same quantity in the unit it is shown in, so that equal quantities read alike.

    ``"0.01 s"`` becomes ``"10 ms"``; a dimensionless text becomes a float.

    Raises
    ------
    UnitError
        If the text is not a quantity.
    """
    return _normalised(value) if isinstance(value, str) else number(value, "1")


@lru_cache(maxsize=1 << 14)  # a sweep reads the same declarations at each of its points
def _normalised(text: str) -> str | float:
    quantity = _parse_quantity(text)
    if quantity.dimensionless:
        return number(text, "1")
    for unit in _SHOWN:
        if quantity.is_compatible_with(_unit(unit)):
            return show(number(text, unit), unit)
    base = quantity.to_base_units()
    if not math.isfinite(base.magnitude):
        raise UnitError(f"expected a finite quantity, found {text!r}")
    return show(float(base.magnitude), f"{base.units:~C}")


@cache
def familiar(unit: str) -> str:
    """Return the unit in which quantities of this dimension are shown: ``"volt"`` gives ``"mV"``."""
    wanted = _unit(unit)
    if wanted.dimensionless:
        return "1"
    return next((shown for shown in _SHOWN if _unit(shown).is_compatible_with(wanted)), None) or coherent_unit(unit)


@cache
def coherent_unit(unit: str) -> str:
    """Return the unit of the coherent set of this dimension: ``"Hz"`` gives ``"1/ms"``, ``"volt**2"`` ``"mV**2"``.

    Numbers of the coherent set that stand beside it are read again to the bit.
    """
    wanted = _unit(unit)
    for known in (*_SHOWN, "Gohm"):
        if coherent_factor(known) == 1.0 and _unit(known).is_compatible_with(wanted):
            return known
    left = dict(wanted.dimensionality)
    of_potential = left.pop("[mass]", 0)
    for dimension, exponent in (("[length]", 2), ("[time]", -3), ("[current]", -1)):
        left[dimension] = left.get(dimension, 0) - exponent * of_potential
    powers = {"mV": of_potential} | {
        name: left[dimension] for dimension, name in _COHERENT.items() if dimension in left
    }
    over = [_power(name, exponent) for name, exponent in powers.items() if exponent > 0]
    under = [_power(name, -exponent) for name, exponent in powers.items() if exponent < 0]
    return "/".join(["*".join(over) or "1", *under])


def _power(name: str, exponent: float) -> str:
    return name if exponent == 1 else f"{name}**{exponent:g}"


@cache
def base(unit: str) -> str:
    """Return the unit in the form in which equations declare it: ``"nS"`` gives ``"siemens"``."""
    if named := _DECLARED.get(unit):
        return named
    exponents = _unit(unit).dimensionality
    parts = [f"{_BASES[name]}**{power:g}" for name, power in sorted(exponents.items())]
    return "*".join(parts) or "1"


def show(value: float, unit: str) -> str:
    """Return ``"10 ms"`` for 10.0 and ``"ms"``; nothing is rounded away."""
    text = repr(float(value))
    return f"{text.removesuffix('.0')} {unit}"
