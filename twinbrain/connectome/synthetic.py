"""Connectomes made up from a seed, with the statistics of measured ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.arguments import check_number, check_whole
from twinbrain.errors import ConnectomeError
from twinbrain.spec.connectome import Connectome

# Half axes (x, y, z) in mm of the ellipsoid through the centres of the regions of a human brain.
_HALF_AXES = np.array([55.0, 75.0, 50.0])
_MIDLINE_GAP = 6.0


def synthetic_connectome(
    n_regions: int,
    *,
    seed: int = 0,
    density: float = 0.3,
    decay_length: float = 15.0,
    spread: float = 1.0,
    across: float = 0.2,
    name: str | None = None,
) -> Connectome:
    """Return a connectome of two mirrored hemispheres, the same for the same seed.

    Connections exist with a probability that falls exponentially with distance [1]_, and their weights are that same
    exponential times a log-normal factor [2]_. Every region of a pair is connected to its mirror image as strongly
    as to a near neighbour.

    Parameters
    ----------
    n_regions : int
        Number of regions; of an odd number, the left hemisphere has one more.
    seed : int, optional
    density : float, optional
        Share of the possible connections that exist, from 0 to 1.
    decay_length : float, mm, optional
        Distance over which connections fall to 1/e. The macaque's is 5.3 mm [1]_; the default is about that, scaled
        by the size of the human brain.
    spread : float, optional
        Standard deviation of the log of the weights about the exponential.
    across : float, optional
        Factor, from 0 to 1, for connections between the hemispheres other than those of mirror images.
    name : str, optional

    Returns
    -------
    Connectome
        Labels ``"L-01"``, …, ``"R-01"``, …; lengths are straight distances; all regions are cortical.

    Raises
    ------
    ConnectomeError
        If a parameter is out of its range.

    References
    ----------
    .. [1] Ercsey-Ravasz et al. 2013, doi 10.1016/j.neuron.2013.07.036
    .. [2] Markov et al. 2014, doi 10.1093/cercor/bhs270
    """
    check_whole("n_regions", n_regions, 1)
    check_whole("seed", seed, 0)
    for key, value in {"density": density, "across": across}.items():
        check_number(key, value)
        if not 0 <= value <= 1:
            raise ConnectomeError(f"expected {key} from 0 to 1, found {value}")
    for key, value in {"decay_length": decay_length, "spread": spread}.items():
        check_number(key, value)
        if not 0 <= value < np.inf or (key == "decay_length" and value == 0):
            raise ConnectomeError(f"expected {key} finite and greater than 0, found {value}")
    rng = np.random.default_rng(seed)
    n_left = n_regions - n_regions // 2
    left = _hemisphere(n_left, rng)
    centroids = np.concatenate([left, left[: n_regions - n_left] * [-1, 1, 1]])
    distance = np.linalg.norm(centroids[:, None] - centroids[None], axis=-1)
    strength = _strength(distance, n_left, decay_length, across)
    exists = _draw(strength, density, rng)
    numbers = [*range(1, n_left + 1), *range(1, n_regions - n_left + 1)]
    sides = ["left"] * n_left + ["right"] * (n_regions - n_left)
    width = max(len(str(n_left)), 2)
    return Connectome(
        np.where(exists, strength * rng.lognormal(0.0, spread, strength.shape), 0.0),
        distance,
        [f"{side[0].upper()}-{number:0{width}d}" for side, number in zip(sides, numbers, strict=True)],
        centroids=centroids,
        hemisphere=sides,
        cortical=[True] * n_regions,
        name=f"synthetic-{n_regions}" if name is None else name,
    )


def _hemisphere(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return points (n, 3) spread evenly, on a Fibonacci spiral, over the left half of an ellipsoid."""
    x = -(np.arange(n) + 0.5) / n
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(n) + rng.uniform(0, 2 * np.pi)
    radius = np.sqrt(1 - x**2)
    points = np.stack([x, radius * np.cos(angle), radius * np.sin(angle)], axis=1) * _HALF_AXES
    points = points + rng.normal(0.0, 1.0, points.shape)
    # No region of the left may lie on the right.
    points[:, 0] = np.minimum(points[:, 0], 0.0) - _MIDLINE_GAP / 2
    return points


def _strength(distance: NDArray[np.float64], n_left: int, decay_length: float, across: float) -> NDArray[np.float64]:
    """Return the expected strength of each connection, 1 at no distance."""
    n = len(distance)
    strength = np.exp(-distance / decay_length)
    left = np.arange(n) < n_left
    strength[left[:, None] != left] *= across
    pair = np.arange(n - n_left)
    strength[pair, n_left + pair] = strength[n_left + pair, pair] = np.exp(-1.0)
    return strength


def _draw(strength: NDArray[np.float64], density: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which connections exist: a share ``density`` of them, drawn in proportion to their strength."""
    n = len(strength)
    with np.errstate(divide="ignore"):
        # The greatest of log p + Gumbel noise are a draw without replacement in proportion to p.
        rank = np.log(strength) + rng.gumbel(size=strength.shape)
    np.fill_diagonal(rank, -np.inf)
    strongest = np.argsort(-rank, axis=None, kind="stable")[: round(density * n * (n - 1))]
    exists = np.zeros(strength.shape, dtype=np.bool_)
    exists.flat[strongest] = True
    return exists & (rank > -np.inf)
