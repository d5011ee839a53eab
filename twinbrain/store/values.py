"""Values of a root document, each of which is as it should be or a fault."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from twinbrain.files.regular import FileError, largest
from twinbrain.files.text import parse_json
from twinbrain.language.tokens import printable

LARGEST_NUMBER = 2**63 - 1
MOST_VALUES = 2**23
"""Tables, lists and what they hold in a document: its JSON takes many times its size, once parsed.

A sweep has up to 4,000,000 values of its keys twice: as they are declared, and along its axes.
"""
_SHOWN = 60


class Fault(Exception):
    """A value of a root document that no store of ours has.

    Parameters
    ----------
    expected, found : str
        What should be there, and what is.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected, self.found = expected, found


def shown(value: object) -> str:
    """Return a value of a stranger as it may stand in a message."""
    text = "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else ascii(value)
    return printable(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def n_values(document: bytes) -> int:
    """Return how many tables, lists and values beyond the first of each a JSON text has at most; it is not parsed."""
    return sum(map(document.count, (b"{", b"[", b",")))


def whole(value: object, what: str, least: int = 0, most: int = LARGEST_NUMBER) -> int:
    """Return a whole number within limits; True and 1.0 are none."""
    if type(value) is not int or not least <= value <= most:
        raise Fault(f"a whole number from {least} to {most} as {what}", shown(value))
    return value


def number(value: object, what: str, *, least: float = -math.inf, above: float = -math.inf) -> float:
    """Return a finite number from ``least`` on, and above another."""
    if type(value) not in (int, float) or not math.isfinite(found := _float(value)) or found < least or found <= above:
        limits = f" from {least:g} on" if least > -math.inf else f" above {above:g}" if above > -math.inf else ""
        raise Fault(f"a finite number{limits} as {what}", shown(value))
    return found


def text(value: object, what: str, among: Collection[str] = ()) -> str:
    """Return a text, one of some where these are given."""
    if not isinstance(value, str) or (among and value not in among):
        raise Fault(f"one of {', '.join(map(repr, among))} as {what}" if among else f"a text as {what}", shown(value))
    return value


def table(value: object, what: str) -> dict[str, Any]:
    """Return a table."""
    if not isinstance(value, dict):
        raise Fault(f"a table as {what}", shown(value))
    return value


def items(value: object, what: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, list):
        raise Fault(f"a list as {what}", shown(value))
    return value


def of_table(holder: Mapping[str, Any], key: str, what: str) -> Any:
    """Return what a table has at a key."""
    if key not in holder:
        raise Fault(f"{key} in {what}", "none")
    return holder[key]


def json_table(value: object, what: str, limit: int) -> dict[str, Any]:
    """Return the table that a text of at most ``limit`` bytes holds as JSON."""
    return table(_json(value, what, limit), what)


def json_items(value: object, what: str, limit: int) -> list[Any]:
    """Return the list that a text of at most ``limit`` bytes holds as JSON."""
    return items(_json(value, what, limit), what)


def _json(value: object, what: str, limit: int) -> Any:
    largest(limit)  # a fault in that setting is not one of the store
    given = text(value, what)
    if (n := n_values(given.encode())) > MOST_VALUES:
        raise Fault(f"at most {MOST_VALUES:,} values as {what}", f"{n:,}")
    try:
        return parse_json(given, limit)
    except FileError as error:
        raise Fault(f"JSON as {what}", printable(str(error).partition("found ")[2])) from None


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
