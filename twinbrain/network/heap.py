"""Give freed memory back to the system."""

from __future__ import annotations

import ctypes
import sys


def return_freed_memory() -> None:
    """Return what a build has freed.

    The C library of Linux keeps freed blocks of some megabytes for itself: after a build that is twice what the
    synapses take. Elsewhere this does nothing.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
