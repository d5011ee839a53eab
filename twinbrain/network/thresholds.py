"""Distributions as integer thresholds: a 32-bit word draws the number of thresholds that do not exceed it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twinbrain.errors import SpecError

# Steps of the discretised normal distribution in a standard deviation.
_LEVELS = 8
_MOST_EVENTS = 1_000_000


def poisson_thresholds(mean: float) -> NDArray[np.uint32]:
    """Return ``2**32`` times the probability of at most k events, for all k where it is below one.

    A uniform 32-bit word then draws a count as the number of thresholds that do not exceed it.

    Parameters
    ----------
    mean : float
        Expected count.

    Returns
    -------
    ndarray of uint32, shape (n,)
    """
    if not 0 <= mean <= _MOST_EVENTS:
        raise SpecError(
            f"expected at most {_MOST_EVENTS:,} events a step, found {mean:,.6g}; make the rate or dt smaller"
        )
    k = np.arange(int(mean + 12 * np.sqrt(mean) + 24))
    scaled: NDArray[np.float64] = np.rint(special.pdtr(k, mean) * 2.0**32)
    return scaled[scaled < 2.0**32].astype(np.uint32)


@dataclass(frozen=True, eq=False)
class NormalThresholds:
    """The standard normal distribution in equal steps: ``unit * (count - offset)`` has mean 0 and variance 1.

    Parameters
    ----------
    thresholds : ndarray of uint32, shape (n,)
        As of a drive.
    offset : int
        The mean count.
    unit : float
        Size of a step, by the variance that the counts really have.
    """

    thresholds: NDArray[np.uint32]
    offset: int
    unit: float


@cache
def normal_thresholds() -> NormalThresholds:
    """Return the standard normal distribution, cut off where a word of 32 bits ends, beyond 6 standard deviations."""
    z = (np.arange(-8 * _LEVELS, 0) + 0.5) / _LEVELS
    below = np.rint(special.ndtr(z) * 2.0**32)
    below = below[below >= 1.0]
    # The upper half mirrors the lower one to the last bit, so the mean is 0.
    thresholds = np.concatenate([below, 2.0**32 - below[::-1]])
    offset = len(below)
    chances = np.diff(np.concatenate([[0.0], thresholds, [2.0**32]])) * 2.0**-32
    variance = float(np.sum(chances * (np.arange(len(chances)) - offset) ** 2))
    return NormalThresholds(thresholds.astype(np.uint32), offset, 1.0 / float(np.sqrt(variance)))
