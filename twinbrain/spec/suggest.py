"""What a message says of a name that is not known: the nearest that are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

# Names that a message lists, names that are compared, and characters of one: a comparison takes their square.
_MOST_NAMED = 100
_MOST_COMPARED = 1000
_LONGEST_NAME = 100


def suggestion(found: str, known: Any) -> str:
    """Return the end of a message about an unknown name: the nearest known one, and all of them."""
    names = sorted(map(str, known))
    near = nearest(found, names)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {listed(names)}"


def listed(names: Sequence[str]) -> str:
    """Return names in a row, as many of them and as much of each as one can read."""
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    shown = ", ".join(
        name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names[:_MOST_NAMED]
    )
    return f"{shown or 'none'}{more}"


def nearest(found: str, names: Iterable[str], n: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the names written most like ``found``, the nearest first; long and very many are not compared."""
    if len(found) > _LONGEST_NAME:
        return []
    compared = islice((name for name in names if len(name) <= _LONGEST_NAME), _MOST_COMPARED)
    return difflib.get_close_matches(found, list(compared), n, cutoff)
