"""Versions of what has a part in results."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

SEEN_IN_BITS = ("twinbrain", "brian2", "numpy", "numba")
"""Packages whose version can be seen in the bits of a result."""
LEARNING = "learning"
"""In place of an engine, of what is trained."""
_OWN = {"torch": ("torch",), LEARNING: ("torch", "snntorch")}


@cache
def versions(engine: str) -> dict[str, str]:
    """Return the versions of what has a part in the results of an engine."""
    own = versions_in_bits(engine)
    beside = {name: version(name) for name in ("xarray", "zarr")}
    return own | beside | {"python": platform.python_version()}


def engine_of(begun: Mapping[str, str]) -> str:
    """Return for what engine, or learning, versions were noted: packages that come with others, too, tell."""
    return LEARNING if "snntorch" in begun else "torch" if "torch" in begun else ""


@cache
def versions_in_bits(engine: str) -> dict[str, str]:
    """Return the versions of what can be seen in the bits of the results of an engine."""
    return {name: version(name) for name in (*SEEN_IN_BITS, *_OWN.get(engine, ()))}
