"""How Python has to be started."""

from __future__ import annotations

from twinbrain.errors import TwinbrainError


def check_interpreter() -> None:
    """Refuse a Python that leaves out assertions: libraries that are used do work within theirs.

    Raises
    ------
    TwinbrainError
        If it was started with ``-O`` or ``-OO``, or with ``PYTHONOPTIMIZE``.
    """
    if not __debug__:
        raise TwinbrainError(
            "expected a Python that runs assertions, within which zarr does a part of its work, found one without: "
            "start it without -O and -OO, and unset PYTHONOPTIMIZE"
        )
