"""Read a unit: names multiplied, divided and raised to powers, to the exponent of each name."""

from __future__ import annotations

import re
from functools import lru_cache

from twinbrain.errors import UnitError
from twinbrain.language.tokens import printable

LONGEST_UNIT = 200
"""Characters of a unit."""
HIGHEST_EXPONENT = 12
_DEEPEST = 10
_MOST_NAMES = 20

_PIECE = re.compile(
    r"\s*(?:(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+)(?![\w.])|(?P<name>[^\W\d_]\w*|[%°]\w*)|(?P<operator>\*\*|[*/^()+-]))"
)


@lru_cache(maxsize=1 << 12)
def read_unit(text: str) -> tuple[tuple[str, float], ...]:
    """Return the names in a unit and their exponents; "1" has none.

    Parameters
    ----------
    text : str
        Such as ``"mV"``, ``"nS/mV"``, ``"1/ms"``, ``"/ms"``, ``"pA/mV**3"`` or ``"m s^-1"``.

    Raises
    ------
    UnitError
        If it is no unit, or an exponent is too large.
    """
    if len(text) > LONGEST_UNIT:
        raise UnitError(f"expected a unit of at most {LONGEST_UNIT} characters, found {len(text)}")
    reader = _Reader(text)
    exponents: dict[str, float] = {}
    for name, exponent in reader.product(starts_with_slash=True):
        exponents[name] = exponents.get(name, 0.0) + exponent
    reader.end()
    if len(exponents) > _MOST_NAMES or any(abs(exponent) > HIGHEST_EXPONENT for exponent in exponents.values()):
        raise UnitError(
            f"expected a unit of at most {_MOST_NAMES} names with exponents up to {HIGHEST_EXPONENT}, found "
            f"'{printable(text)}'"
        )
    return tuple((name, exponent) for name, exponent in exponents.items() if exponent)


_Factors = list[tuple[str, float]]


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self._pieces: list[tuple[str, str]] = []
        rest = text.rstrip()
        while self._at < len(rest):
            match = _PIECE.match(rest, self._at)
            if match is None:
                raise self._error()
            self._pieces.append((str(match.lastgroup), match[str(match.lastgroup)]))
            self._at = match.end()
        self._next = 0

    def product(self, starts_with_slash: bool = False) -> _Factors:
        """Read factors up to a closing parenthesis or the end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error()
        sign = -1.0 if starts_with_slash and self._takes("/") else 1.0
        found = self._scaled(self._factor(), sign)
        while (piece := self._peek()) is not None and piece[1] not in (")", "+", "-", "**", "^"):
            sign = -1.0 if self._takes("/") else 1.0
            if sign > 0:
                self._takes("*")
            found += self._scaled(self._factor(), sign)
        self._depth -= 1
        return found

    def end(self) -> None:
        """Check that nothing is left."""
        if self._peek() is not None:
            raise self._error()

    def _factor(self) -> _Factors:
        kind, text = self._take()
        if kind == "name":
            found = [(text, 1.0)]
        elif text == "1":
            found = []
        elif text == "(":
            found = self.product()
            self._expect(")")
        else:
            raise self._error()
        return self._scaled(found, self._exponent()) if self._takes("**", "^") else found

    def _exponent(self) -> float:
        """Read an exponent: a number with a sign, or a quotient of two in parentheses."""
        if self._takes("("):
            value = self._exponent()
            if self._takes("/"):
                divisor = self._number()
                if divisor == 0:
                    raise self._error()
                value /= divisor
            self._expect(")")
            return value
        sign = -1.0 if self._takes("-") else 1.0
        if sign > 0:
            self._takes("+")
        return sign * self._number()

    def _number(self) -> float:
        kind, text = self._take()
        if kind != "number" or float(text) > HIGHEST_EXPONENT:
            raise self._error()
        return float(text)

    def _scaled(self, factors: _Factors, by: float) -> _Factors:
        if any(abs(exponent * by) > HIGHEST_EXPONENT for _, exponent in factors):
            raise self._error()
        return [(name, exponent * by) for name, exponent in factors]

    def _peek(self) -> tuple[str, str] | None:
        return self._pieces[self._next] if self._next < len(self._pieces) else None

    def _take(self) -> tuple[str, str]:
        if (piece := self._peek()) is None:
            raise self._error()
        self._next += 1
        return piece

    def _takes(self, *operators: str) -> bool:
        piece = self._peek()
        found = piece is not None and piece[1] in operators
        self._next += found
        return found

    def _expect(self, operator: str) -> None:
        if not self._takes(operator):
            raise self._error()

    def _error(self) -> UnitError:
        return UnitError(
            f'expected a unit such as "mV" or "nS/ms", of names, * and / and powers up to {HIGHEST_EXPONENT}, '
            f"found '{printable(self._text)}'"
        )
