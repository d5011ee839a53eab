"""Versions of what has a part in results."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version

SEEN_IN_BITS = ("twinbrain", "brian2", "numpy", "numba")
"""Packages whose version can be seen in the bits of a result."""


@cache
def versions(engine: str) -> dict[str, str]:
    """Return the versions of what has a part in the results of an engine."""
    packages = (*SEEN_IN_BITS, "xarray", "zarr", *(["torch"] if engine == "torch" else []))
    return {name: version(name) for name in packages} | {"python": platform.python_version()}
