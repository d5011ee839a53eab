"""Versions of what has a part in results."""

from __future__ import annotations

import platform
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
    packages = (*SEEN_IN_BITS, "xarray", "zarr", *_OWN.get(engine, ()))
    return {name: version(name) for name in packages} | {"python": platform.python_version()}
