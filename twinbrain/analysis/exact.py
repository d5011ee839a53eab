"""Variances from sums of integers, which do not depend on the order or the parts in which they were added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def variance(n: int | NDArray[np.int64], total: NDArray[np.int64], squares: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return variances of integers, given how many they are, their sums and the sums of their squares.

    Parameters
    ----------
    n : int or numpy.ndarray of int
        How many; of none the variance is NaN.
    total, squares : numpy.ndarray of int, shape (item,)
        Sums, and sums of squares.
    """
    # In Python's integers where a product might not fit into 64 bits; a float would lose digits. A square of a sum is
    # never more than the number times the sum of squares.
    largest = int(np.max(n, initial=0)) * int(squares.max(initial=0))
    kind = np.int64 if largest < 2**63 else object
    exact = np.asarray(n).astype(kind) * squares.astype(kind) - total.astype(kind) ** 2
    return exact.astype(np.float64) / np.where(n, np.asarray(n, np.float64), np.nan) ** 2
