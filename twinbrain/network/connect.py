"""Connection rules: which pairs of neurons are connected. Each returns local indices, sorted by target.

Explicit pairs alone stay in their own order, which explicit weights and delays follow.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.network.random import Floats, Key, integers, stream_key, uniforms
from twinbrain.spec.projection import Connect, DistanceKernel

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
Streams = Callable[[str], Key]
Extent = tuple[float, float, float]

# Candidate pairs of a distance kernel are tested this many at a time.
_CHUNK = 1 << 22
# The mean of a distance kernel is taken over this many pairs.
_TRIED = 1 << 14


def draw_pairs(
    connect: Connect,
    n_sources: int,
    n_targets: int,
    streams: Streams,
    *,
    same: bool = False,
    source_positions: Floats | None = None,
    target_positions: Floats | None = None,
) -> Pairs:
    """Return the connected pairs of two populations.

    Parameters
    ----------
    connect : Connect
        The rule.
    n_sources, n_targets : int
        Sizes.
    streams : callable
        Gives the key of a named stream of this projection.
    same : bool
        Whether both are one population, so that a pair (i, i) is an autapse.
    source_positions, target_positions : ndarray of float64 (mm), shape (n, 3), optional
        Needed by the distance kernel.

    Returns
    -------
    source, target : ndarray of int64, shape (n_synapses,)

    Raises
    ------
    SpecError
        If the rule cannot be carried out on these populations.
    """
    no_autapses = same and not connect.autapses
    match connect.rule:
        case "probability":
            return _bernoulli(float(connect.probability or 0.0), n_sources, n_targets, streams, no_autapses)
        case "total" | "in_degree" | "out_degree" if not connect.multapses:
            return _different(connect, n_sources, n_targets, streams, no_autapses)
        case "total":
            n = int(connect.total or 0)
            target = np.sort(integers(streams("target"), n, n_targets))
            return _uniform_sources(target, n_sources, streams, no_autapses), target
        case "in_degree":
            target = np.repeat(np.arange(n_targets), int(connect.in_degree or 0))
            return _uniform_sources(target, n_sources, streams, no_autapses), target
        case "out_degree":
            source = np.repeat(np.arange(n_sources), int(connect.out_degree or 0))
            target = _uniform_sources(source, n_targets, streams, no_autapses)
            order = np.argsort(target, kind="stable")
            return source[order], target[order]
        case "one_to_one":
            if no_autapses:
                raise SpecError(
                    "connect.one_to_one: expected two populations, found one, in which a neuron would contact itself; "
                    "set autapses = true if it is to"
                )
            if n_sources != n_targets:
                raise SpecError(
                    f"connect.one_to_one: expected two populations of one size, found {n_sources} and {n_targets}"
                )
            return np.arange(n_sources), np.arange(n_targets)
        case "distance":
            if source_positions is None or target_positions is None:
                raise SpecError("connect.distance: expected populations with an extent, found one without; give it one")
            return _by_distance(connect, source_positions, target_positions, streams, no_autapses)
        case _:
            assert connect.pairs is not None
            return connect.pairs.source.astype(np.int64), connect.pairs.target.astype(np.int64)


def expected_synapses(
    connect: Connect,
    n_sources: int,
    n_targets: int,
    *,
    same: bool = False,
    source_extent: Extent | None = None,
    target_extent: Extent | None = None,
) -> float:
    """Return the expected number of synapses; without extents, an upper bound for the distance kernel."""
    n_pairs = n_sources * n_targets - (n_targets if same and not connect.autapses else 0)
    match connect.rule:
        case "probability":
            return float(connect.probability or 0.0) * n_pairs
        case "total":
            return float(connect.total or 0)
        case "in_degree":
            return float(connect.in_degree or 0) * n_targets
        case "out_degree":
            return float(connect.out_degree or 0) * n_sources
        case "one_to_one":
            return float(n_targets)
        case "distance":
            assert connect.distance is not None
            if source_extent is None or target_extent is None:
                return connect.distance.probability * n_pairs
            ends = (
                uniforms(stream_key(0, "expected", end), 3 * _TRIED).reshape(-1, 3) * np.array(extent)
                for end, extent in (("source", source_extent), ("target", target_extent))
            )
            return float(connect.distance.probability * n_pairs * _falloff(connect.distance, *ends).mean())
        case _:
            assert connect.pairs is not None
            return float(len(connect.pairs))


def _bernoulli(probability: float, n_sources: int, n_targets: int, streams: Streams, no_autapses: bool) -> Pairs:
    """Jump from one connected pair to the next: a geometric gap, one draw a synapse rather than one a pair."""
    n_pairs = n_sources * n_targets
    if probability <= 0.0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if probability >= 1.0:
        pair = np.arange(n_pairs)
    else:
        expected = n_pairs * probability
        n_draws = int(expected + 8 * np.sqrt(expected) + 16)
        while True:
            gaps = np.floor(np.log(uniforms(streams("pair"), n_draws)) / np.log1p(-probability))
            pair = np.cumsum(np.minimum(gaps, n_pairs).astype(np.int64) + 1) - 1
            if pair[-1] >= n_pairs:
                break
            n_draws *= 2
        pair = pair[: np.searchsorted(pair, n_pairs)]
    target, source = np.divmod(pair, n_sources)
    if no_autapses:
        kept = source != target
        source, target = source[kept], target[kept]
    return source, target


def _uniform_sources(
    target: NDArray[np.int64], n_sources: int, streams: Streams, no_autapses: bool
) -> NDArray[np.int64]:
    """Draw the other end of each synapse, uniformly; the neuron itself is left out by shifting past it."""
    if no_autapses and n_sources == 1 and len(target):
        raise SpecError("connect: expected a source besides the neuron itself, found a population of one neuron")
    source = integers(streams("source"), len(target), n_sources - 1 if no_autapses else n_sources)
    return source + (source >= target) if no_autapses else source


def _different(connect: Connect, n_sources: int, n_targets: int, streams: Streams, no_autapses: bool) -> Pairs:
    """Draw pairs of which no two are alike; a neuron itself is left out by shifting past it."""
    if connect.out_degree is not None:
        source, target = _different_ends("out_degree", connect.out_degree, n_sources, n_targets - no_autapses, streams)
        target = target + (target >= source) if no_autapses else target
        order = np.argsort(target, kind="stable")
        return source[order], target[order]
    n_others = n_sources - no_autapses
    if connect.total is not None:
        _check_enough("total", connect.total, n_others * n_targets)

        def draw(attempt: int, n: int) -> NDArray[np.int64]:
            row = integers(streams(f"target of attempt {attempt}"), n, n_targets)
            return row * n_others + integers(streams(f"source of attempt {attempt}"), n, n_others)

        target, source = np.divmod(_distinct(1, connect.total, n_others * n_targets, draw)[0], max(n_others, 1))
    else:
        target, source = _different_ends("in_degree", int(connect.in_degree or 0), n_targets, n_others, streams)
    return source + (source >= target) if no_autapses else source, target


def _different_ends(rule: str, degree: int, n_rows: int, n_others: int, streams: Streams) -> Pairs:
    """Return the neurons that have the degree, each so often, and the other ends."""
    _check_enough(rule, degree, n_others)
    others = _distinct(n_rows, degree, n_others, lambda i, n: integers(streams(f"end of attempt {i}"), n, n_others))
    return np.repeat(np.arange(n_rows), degree), others.reshape(-1)


def _check_enough(rule: str, wanted: int, there: int) -> None:
    if wanted > there:
        raise SpecError(
            f"connect.{rule}: expected at most {max(there, 0):,} without multapses, which are all the pairs there are, "
            f"found {wanted:,}; make it smaller, or set multapses = true"
        )


def _distinct(n_rows: int, n: int, high: int, draw: Callable[[int, int], NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return in each row ``n`` different numbers below ``high``, ascending; every set of them is as likely.

    ``draw`` is told which attempt it is and how many numbers to draw, uniformly.
    """
    if 2 * n > high:  # those that are left out are fewer, and found the sooner
        kept = np.ones((n_rows, high), np.bool_)
        np.put_along_axis(kept, _distinct(n_rows, high - n, high, draw), False, axis=1)
        return kept.nonzero()[1].reshape(n_rows, n)
    found: NDArray[np.int64] = np.empty(0, np.int64)
    missing, attempt = np.full(n_rows, n), 0
    # What comes twice is drawn anew, whichever number it is: no number is preferred.
    while len(row := np.repeat(np.arange(n_rows), missing)):
        found = np.unique(np.concatenate([found, row * high + draw(attempt, len(row))]))
        missing, attempt = n - np.bincount(found // high, minlength=n_rows), attempt + 1
    return (found % max(high, 1)).reshape(n_rows, n)


def _falloff(kernel: DistanceKernel, sources: Floats, targets: Floats) -> Floats:
    distance = np.sqrt(((targets - sources) ** 2).sum(-1)) / kernel.scale
    return np.asarray(np.exp(-(distance**2) / 2) if kernel.kernel == "gaussian" else np.exp(-distance), np.float64)


def _by_distance(connect: Connect, sources: Floats, targets: Floats, streams: Streams, no_autapses: bool) -> Pairs:
    kernel = connect.distance
    assert kernel is not None
    rows = max(1, _CHUNK // max(1, len(sources)))
    found: list[Pairs] = []
    for first in range(0, len(targets), rows):
        part = targets[first : first + rows]
        falloff = _falloff(kernel, sources[None, :, :], part[:, None, :])
        draws = uniforms(streams(f"pair {first}"), falloff.size).reshape(falloff.shape)
        target, source = np.nonzero(draws < kernel.probability * falloff)
        found.append((source, target + first))
    source, target = (np.concatenate([pair[end] for pair in found]) for end in (0, 1))
    if no_autapses:
        kept = source != target
        source, target = source[kept], target[kept]
    return source, target
