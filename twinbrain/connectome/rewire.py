"""Connectomes like a given one but for who reaches whom: what a finding about the connectome is compared with."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.arguments import check_connectome, check_whole
from twinbrain.errors import ConnectomeError
from twinbrain.spec.connectome import Connectome

Kept = Literal["length", "degree"]

_CANDIDATES = 100
"""Pairs of connections that are tried for an exchange, for each connection there is."""
_AT_ONCE = 1 << 14

Weights = NDArray[np.float64]
Indices = NDArray[np.intp]


def rewire(connectome: Connectome, seed: int, *, preserve: Kept = "length", n_bins: int = 8) -> Connectome:
    """Return a connectome with the same weights at about the same lengths, between other regions.

    Pairs of regions are sorted into bins of length, of about as many connections each, those within a hemisphere apart
    from those across. What follows from wiring getting sparse and weak with distance is then in the copy too, and what
    differs between the two is owed to who is connected with whom [1]_.

    Parameters
    ----------
    connectome : Connectome
        What is rewired. Lengths, labels and all else stay as they are.
    seed : int
        Keys the draws.
    preserve : {"length", "degree"}
        ``"length"`` permutes the weights of a bin, absent connections among them. ``"degree"`` exchanges the sources
        of two connections of a bin again and again, so that in each region the numbers of connections that arrive and
        leave, and the sum of its row, stay too: a stricter comparison, which leaves a dense connectome much as it is.
    n_bins : int
        Number of bins of length, for pairs within a hemisphere and for pairs across.

    Returns
    -------
    Connectome
        Its name says what was done.

    Raises
    ------
    ConnectomeError
        If ``preserve``, ``seed`` or ``n_bins`` cannot be.

    References
    ----------
    .. [1] Betzel & Bassett 2018, doi 10.1073/pnas.1720186115

    Examples
    --------
    >>> control = tb.rewire(tb.load_connectome("tvb-96"), seed=1)
    """
    check_connectome(connectome)
    check_whole("seed", seed, 0)
    check_whole("n_bins", n_bins, 1)
    if preserve not in get_args(Kept):
        raise ConnectomeError(f"expected preserve as one of {', '.join(get_args(Kept))}, found {preserve!r}")
    rng = np.random.default_rng(seed)
    weight = connectome.weight.values.copy()
    bins = _bins(connectome, n_bins)
    change = _permute if preserve == "length" else _exchange
    change(weight, bins, rng)
    name = f"{connectome.name or 'connectome'}, rewired at the same {preserve} with seed {seed}"
    return connectome.replace(weight=weight, normalisation=connectome.normalisation, name=name)


def _bins(connectome: Connectome, n_bins: int) -> Indices:
    """Return the bin of each pair of regions; -1 on the diagonal."""
    length, weight = connectome.length.values, connectome.weight.values
    side = np.zeros(connectome.n_regions) if connectome.hemisphere is None else connectome.hemisphere.values
    across = side[:, None] != side
    apart = ~np.eye(connectome.n_regions, dtype=np.bool_)
    bins = np.full(weight.shape, -1, np.intp)
    for i, kind in enumerate((apart & ~across, apart & across)):
        connected = length[kind & (weight > 0)]
        edges = np.quantile(connected, np.linspace(0, 1, n_bins + 1)[1:-1]) if connected.size else np.empty(0)
        bins[kind] = i * n_bins + np.searchsorted(edges, length[kind], side="right")
    return bins


def _permute(weight: Weights, bins: Indices, rng: np.random.Generator) -> None:
    for here in (np.flatnonzero(bins == k) for k in range(bins.max() + 1)):
        weight.flat[here] = weight.flat[rng.permutation(here)]


def _exchange(weight: Weights, bins: Indices, rng: np.random.Generator) -> None:
    """Let connections a → b and c → d become c → b and a → d, each with the weight that its target had."""
    ends = np.argwhere((weight > 0) & (bins >= 0))

    def possible(first: Indices, second: Indices) -> NDArray[np.bool_]:
        (b, a), (d, c) = first.T, second.T
        alike = (bins[b, c] == bins[b, a]) & (bins[d, a] == bins[d, c])
        return alike & (weight[b, c] == 0) & (weight[d, a] == 0)

    for _ in range(0, _CANDIDATES * len(ends), _AT_ONCE):
        pairs = rng.integers(len(ends), size=(_AT_ONCE, 2))
        for i, j in pairs[possible(ends[pairs[:, 0]], ends[pairs[:, 1]])]:
            # An exchange before it may have taken its place.
            if not possible(ends[i : i + 1], ends[j : j + 1])[0]:
                continue
            (b, a), (d, c) = ends[i], ends[j]
            weight[b, c], weight[b, a] = weight[b, a], 0.0
            weight[d, a], weight[d, c] = weight[d, c], 0.0
            ends[i, 1], ends[j, 1] = c, a
