"""Connection rules: which pairs of neurons are connected. Each returns local indices, sorted by target."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.network.random import Floats, Key, integers, uniforms
from twinbrain.spec.projection import Connect

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
Streams = Callable[[str], Key]

# Candidate pairs of a distance kernel are tested this many at a time.
_CHUNK = 1 << 22


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
            source, target = np.array(connect.pairs.source, np.int64), np.array(connect.pairs.target, np.int64)
            order = np.argsort(target, kind="stable")
            return source[order], target[order]


def expected_synapses(connect: Connect, n_sources: int, n_targets: int, *, same: bool = False) -> float:
    """Return the expected number of synapses; an upper bound for the distance kernel."""
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
            return connect.distance.probability * n_pairs
        case _:
            assert connect.pairs is not None
            return float(len(connect.pairs.source))


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
            gaps = np.floor(np.log(uniforms(streams("pair"), n_draws)) / np.log1p(-probability)).astype(np.int64) + 1
            pair = np.cumsum(gaps) - 1
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


def _by_distance(connect: Connect, sources: Floats, targets: Floats, streams: Streams, no_autapses: bool) -> Pairs:
    kernel = connect.distance
    assert kernel is not None
    rows = max(1, _CHUNK // max(1, len(sources)))
    found: list[Pairs] = []
    for first in range(0, len(targets), rows):
        part = targets[first : first + rows]
        distance = np.sqrt(((part[:, None, :] - sources[None, :, :]) ** 2).sum(-1)) / kernel.scale
        falloff = np.exp(-(distance**2) / 2) if kernel.kernel == "gaussian" else np.exp(-distance)
        draws = uniforms(streams(f"pair {first}"), distance.size).reshape(distance.shape)
        target, source = np.nonzero(draws < kernel.probability * falloff)
        found.append((source, target + first))
    source, target = (np.concatenate([pair[end] for pair in found]) for end in (0, 1))
    if no_autapses:
        kept = source != target
        source, target = source[kept], target[kept]
    return source, target
