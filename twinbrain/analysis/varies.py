"""Whether numbers vary, or differ by rounding alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDING = 1e-12
"""Share of the largest value below which numbers in double precision that were computed in a few steps are alike."""

STORED = float(np.finfo(np.float32).eps)
"""The same of firing rates, which a run keeps in single precision."""


def varies(values: ArrayLike, axis: int | tuple[int, ...] | None = 0, precision: float = ROUNDING) -> NDArray[np.bool_]:
    """Return whether values vary by more than their rounding, which has no correlation and no scale of its own.

    Parameters
    ----------
    values : array_like
        Of NaN nothing varies.
    axis : int or tuple of int, optional
        Along which they are compared.
    precision : float, optional
        To which share of the largest of them they are known.

    Examples
    --------
    >>> varies([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]]).tolist()
    [False, True]
    """
    array: NDArray[Any] = np.asarray(values, np.float64)
    return np.asarray(array.std(axis=axis) > precision * np.abs(array).max(axis=axis))
