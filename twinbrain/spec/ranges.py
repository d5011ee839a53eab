"""Ranges of a model's values: inequalities such as ``"C_m > 0"``, ``"0 <= U <= 1"`` and ``"V_reset < V_th"``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PART = re.compile(
    r"\s*(?:(?P<comparison>[<>]=?)|(?P<name>[A-Za-z_]\w*)|(?P<number>-?(?:\d+\.?\d*|\.\d+)))\s*", re.ASCII
)


@dataclass(frozen=True)
class Range:
    """One or two inequalities.

    Parameters
    ----------
    text : str
        As it is written.
    terms : tuple of str or float
        Names and numbers, in their order.
    comparisons : tuple of str
        What stands between them.
    """

    text: str
    terms: tuple[str | float, ...]
    comparisons: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of values, in their order."""
        return tuple(term for term in self.terms if isinstance(term, str))

    def holds(self, values: dict[str, Any]) -> Any:
        """Return whether it holds, value by value."""
        found: Any = True
        for left, comparison, right in zip(self.terms, self.comparisons, self.terms[1:], strict=False):
            low, high = (values[term] if isinstance(term, str) else term for term in (left, right))
            found = found & _COMPARISONS[comparison](low, high)
        return found


@cache
def parse_range(text: str) -> Range:
    """Return a range.

    Raises
    ------
    ValueError
        If it is none.
    """
    terms: list[str | float] = []
    comparisons: list[str] = []
    place = 0
    while place < len(text) and (part := _PART.match(text, place)):
        place = part.end()
        if comparison := part["comparison"]:
            comparisons.append(comparison)
            fits = len(comparisons) == len(terms)
        else:
            terms.append(part["name"] or float(part["number"]))
            fits = len(comparisons) == len(terms) - 1
        if not fits:
            break
    found = Range(text, tuple(terms), tuple(comparisons))
    if place < len(text) or len(comparisons) not in (1, 2) or len(terms) != len(comparisons) + 1 or not found.names:
        raise ValueError(f'expected an inequality such as "C_m > 0", "0 <= U <= 1" or "V_reset < V_th", found {text!r}')
    return found


def _parses(text: str) -> str:
    parse_range(text)
    return text


RangeText = Annotated[str, AfterValidator(_parses)]
"""A range as it is written. A number has no unit: what has one is compared with 0, or with another value of it."""
