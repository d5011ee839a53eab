"""Make sure that lengths and labels that analyses and figures are given are such."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, SupportsFloat

from twinbrain.errors import ConnectomeError, LearnError, SpecError
from twinbrain.spec.plain_array import plain_array


def check_has_regions(name: str, wanted: Iterable[str], found: Iterable[str]) -> None:
    """Make sure that all regions are there, and each once.

    Raises
    ------
    ConnectomeError
        If some are missing; the first are named.
    """
    known = Counter(found)
    if twice := [label for label, n in known.items() if n > 1]:
        raise ConnectomeError(f"{name}: expected each region once, found {twice[0]!r} {known[twice[0]]} times")
    if lacking := [label for label in wanted if label not in known]:
        shown = ", ".join(map(repr, lacking[:3])) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
        raise ConnectomeError(f"{name}: expected the regions of the run, found none called {shown}; rename or add them")


def check_each_once(where: str, dim: str, labels: Iterable[Any]) -> None:
    """Make sure that each label of a dimension is there once: equal seeds give equal results, which count once.

    Raises
    ------
    LearnError
        If one is there several times.
    """
    known = Counter(labels)
    if twice := [label for label, n in known.items() if n > 1]:
        raise LearnError(
            f"{where}: expected each {dim} once, found {twice[0]!r} {known[twice[0]]} times; what is the same counts "
            f"once: take it once (drop_duplicates({dim!r})), and give what is not the same a label of its own"
        )


def positive(name: str, value: float, unit: str = "") -> float:
    """Return an argument that is a number above 0; infinity is one.

    Raises
    ------
    SpecError
        If it is another.
    """
    what = f"a number{f' of {unit}' if unit else ''} above 0"
    if isinstance(value, bool) or not isinstance(value, SupportsFloat) or not float(value) > 0:
        raise SpecError(f"{name}: expected {what}, found {value!r}")
    return float(plain_array(value, unit or "1", f"{name} as {what}"))
