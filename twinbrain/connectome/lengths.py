"""Tract lengths where none were measured: the straight line between the centroids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.files import check_size, damaged

CENTROIDS = "centroids"
"""As ``length=``, asks for lengths from centroids."""
_LARGEST_MATRIX = 134_217_728  # 4,096 regions


def lengths_between(centroids: Any) -> NDArray[np.float64]:
    """Return the distances of centroids from each other.

    Fibres bend, so tracts are mostly longer than that: in ``tvb-66`` and ``tvb-68``, whose lengths were traced, by a
    factor of 1.4 in the median.

    Parameters
    ----------
    centroids : array_like, shape (region, 3), mm
        Or None.

    Returns
    -------
    ndarray of float64, shape (target, source), mm

    Raises
    ------
    ConnectomeError
        If there are no centroids.
    """
    if centroids is None:
        raise ConnectomeError('expected centroids for length="centroids", found none; give the lengths themselves')
    with damaged("centroids of three numbers each"):
        places = np.asarray(centroids, np.float64).reshape(-1, 3)
    check_regions(len(places))
    return np.sqrt(sum((places[:, None, axis] - places[None, :, axis]) ** 2 for axis in range(3)))


def no_lengths(role: str, *, centroids: bool) -> str:
    """Return the end of a message that lengths are missing.

    Parameters
    ----------
    role : str
        What ``length=`` may name, an option of Python alone: a file that workflows name is read without options.
    centroids : bool
        Whether there are centroids to reckon them from.
    """
    instead = f', or take straight lines: length="{CENTROIDS}"' if centroids else ""
    return (
        f'in Python, name {role}: tb.read_connectome(..., length="..."){instead}; for a workflow, write what that '
        'gives to a file: tb.write_connectome(connectome, "own.npz")'
    )


def check_regions(n_regions: int) -> None:
    """Refuse more regions than whose matrices are kept in memory without being asked for.

    Raises
    ------
    FileError
        If there are more.
    """
    check_size(8 * n_regions**2, _LARGEST_MATRIX, f"matrices of {n_regions:,} regions")
