"""Partition a brain's nodes into shards: equal work, few spikes cut, and no short tract cut.

Spikes are exchanged once in as many steps as the shortest tract between shards takes, so what an exchange costs is paid
the less often the longer that tract is. Nodes that are close are therefore kept together, as far as work stays even.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.network.arriving import expected_contacts
from twinbrain.network.between_regions import expected_of, shortest_delay
from twinbrain.network.layout import Layout
from twinbrain.network.plan import ASSUMED_RATE
from twinbrain.network.work import work_of_nodes
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.brain import Brain

# How much more than the mean the most loaded shard may have; tried in turn.
_TOLERANCES = (0.03, 0.06, 0.12, 0.25, 0.5, np.inf)
_MOST_WEIGHT = 10_000

Assignment = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Partition:
    """Which shard builds which nodes, and what that is expected to cost.

    Parameters
    ----------
    nodes : tuple of tuple of int
        The nodes of each shard, ascending.
    window : int or None
        Steps between exchanges: the shortest delay between shards, plus one. None where no tract is cut.
    balance : float
        Work of the most loaded shard, over the mean.
    shares : tuple of float
        Part of all work that each shard has.
    spikes : float (Hz)
        Spikes a second that leave a shard, at the rate that plans assume.
    """

    nodes: tuple[tuple[int, ...], ...]
    window: int | None
    balance: float
    shares: tuple[float, ...]
    spikes: float


@dataclass(frozen=True, eq=False)
class _Tracts:
    """What runs between nodes: delays in steps (0 where nothing runs), synapses; [target, source]; axons of each."""

    delay: NDArray[np.int64]
    synapses: Floats
    axons: NDArray[np.int64]


def partition(brain: Brain, layout: Layout, n_shards: int, *, dt: float) -> Partition:
    """Return a partition of a brain's nodes; the same each time.

    Parameters
    ----------
    brain, layout
        The whole brain, from `lay_out`.
    n_shards : int
        Number of shards.
    dt : float (ms)
        Time step.

    Raises
    ------
    SpecError
        If there are fewer nodes than shards, or fewer than one shard is wanted.
    """
    check_n_shards(n_shards, len(layout.regions))
    tracts = _tracts(brain, layout, dt)
    work = work_of_nodes(brain, layout, dt)
    owner = _assign(tracts, work, n_shards)
    return describe(owner, tracts, work)


def check_n_shards(n_shards: int, n_regions: int) -> None:
    """Check that a brain can be cut into so many shards.

    Raises
    ------
    SpecError
        If not.
    """
    if n_regions == 1 and n_shards > 1:
        raise SpecError(
            f"expected one shard, since a brain of one region cannot be cut, found {n_shards}; ask for none"
        )
    if not 1 <= n_shards <= n_regions:
        raise SpecError(
            f"expected 1 to {n_regions} shards, since each holds at least one of the brain's {n_regions} regions, "
            f"found {n_shards}; ask for as many"
        )


def describe(owner: Assignment, tracts: _Tracts, work: Floats) -> Partition:
    """Return a partition and what it is expected to cost."""
    n_shards = int(owner.max()) + 1
    load = np.bincount(owner, weights=work, minlength=n_shards)
    cut = (tracts.delay > 0) & (owner[:, None] != owner[None, :])
    # Synapses of an axon are drawn at random: how many axons have one in another shard follows from their mean number.
    axons = np.maximum(tracts.axons, 1)
    leaving = -np.expm1(-np.where(cut, tracts.synapses, 0.0).sum(axis=0) / axons)
    return Partition(
        nodes=tuple(tuple(np.flatnonzero(owner == shard).tolist()) for shard in range(n_shards)),
        window=int(tracts.delay[cut].min()) + 1 if cut.any() else None,
        balance=float(load.max() / load.mean()),
        shares=tuple((load / load.sum()).tolist()),
        spikes=float((leaving * tracts.axons).sum() * ASSUMED_RATE),
    )


def _assign(tracts: _Tracts, work: Floats, n_shards: int) -> Assignment:
    if n_shards == 1:
        return np.zeros(len(work), np.int64)
    delays = np.unique(tracts.delay[tracts.delay > 0])
    # Tracts shorter than the threshold are not to be cut; the longest first, then none.
    thresholds = [*delays[::-1].tolist(), 0]
    groupings = [_merged(tracts.delay, threshold) for threshold in thresholds]
    for tolerance in _TOLERANCES:
        most = (1 + tolerance) * work.sum() / n_shards
        for group in groupings:
            load: Floats = np.bincount(group, weights=work).astype(np.float64)
            if len(load) < n_shards or load.max() > most:
                continue
            flow = _between(group, tracts.synapses * ASSUMED_RATE)
            found = [
                shards
                for shards in (*_by_metis(load, flow, n_shards), _largest_first(load, n_shards))
                if len(np.unique(shards)) == n_shards
                and np.bincount(shards, weights=load, minlength=n_shards).max() <= most
            ]
            if found:
                best = min(found, key=lambda shards: float(flow[shards[:, None] != shards[None, :]].sum()))
                return _numbered(best[group])
    raise AssertionError("nodes can always be dealt out one by one")


def _merged(delay: NDArray[np.int64], threshold: int) -> Assignment:
    """Return the group of each node, where tracts shorter than a threshold join nodes."""
    group: Assignment = np.arange(len(delay))
    for target, source in zip(*np.nonzero((delay > 0) & (delay < threshold)), strict=True):
        if (old := group[source]) != (new := group[target]):
            group[group == old] = new
    return _numbered(group)


def _numbered(group: Assignment) -> Assignment:
    """Return the same groups, numbered in the order of their first nodes."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    order: Assignment = np.argsort(np.argsort(first))
    return order[number]


def _between(group: Assignment, values: Floats) -> Floats:
    """Return the sums of values between groups, both ways; nothing within."""
    n = int(group.max()) + 1
    sums = np.zeros((n, n))
    np.add.at(sums, (group[:, None], group[None, :]), values)
    sums += sums.T
    np.fill_diagonal(sums, 0.0)
    return sums


def _by_metis(load: Floats, flow: Floats, n_shards: int) -> list[Assignment]:
    """Return partitions by METIS, by bisection and at once."""
    try:
        import pymetis
    except ImportError:
        raise SpecError(
            'expected pymetis for a brain in shards, found none installed; pip install "twinbrain[shards]"'
        ) from None
    links = [np.flatnonzero(row) for row in flow]
    strengths = np.concatenate([row[link] for row, link in zip(flow, links, strict=True)])
    starts = np.cumsum([0, *map(len, links)]).tolist()
    neighbours = np.concatenate(links).tolist()
    return [
        np.array(
            pymetis.part_graph(
                n_shards,
                pymetis.CSRAdjacency(starts, neighbours),
                vweights=_integers(load),
                eweights=_integers(strengths),
                recursive=recursive,
                options=pymetis.Options(seed=1),
            )[1],
            np.int64,
        )
        for recursive in (True, False)
    ]


def _integers(values: Floats) -> list[int]:
    """Return weights as METIS takes them, at least 1."""
    if not len(values):
        return []
    return [max(1, round(value)) for value in (values * (_MOST_WEIGHT / values.max())).tolist()]


def _largest_first(load: Floats, n_shards: int) -> Assignment:
    """Return the groups dealt out by their work alone, each to the shard that has least."""
    owner: Assignment = np.empty(len(load), np.int64)
    total = np.zeros(n_shards)
    for group in np.argsort(-load, kind="stable"):
        owner[group] = int(total.argmin())
        total[owner[group]] += load[group]
    return owner


def _tracts(brain: Brain, layout: Layout, dt: float) -> _Tracts:
    n = len(layout.regions)
    delay, synapses = np.zeros((n, n), np.int64), np.zeros((n, n))
    if (rule := brain.long_range) is not None:
        synapses = expected_contacts(rule, layout)
        steps = np.floor(layout.connectome.length.values / rule.speed / dt + 0.5)
        delay = np.where(synapses > 0, np.maximum(steps, 1), 0).astype(np.int64)
    number = {label: node for node, label in enumerate(layout.connectome.labels)}
    leaving = [set(region.ports.outputs) for region in layout.regions]
    for projection in brain.projections:
        (source, population), (target, _) = map(label_and_population, (projection.source, projection.target))
        tract = number[target], number[source]
        if not (expected := expected_of(layout, projection)):
            continue
        synapses[tract] += expected
        shortest = max(1, math.floor(shortest_delay(projection.delay) / dt + 0.5))
        delay[tract] = min(int(delay[tract]) or shortest, shortest)
        leaving[number[source]].add(population)
    sizes = [sum(region.populations[p].size for p in own) for region, own in zip(layout.regions, leaving, strict=True)]
    return _Tracts(delay, synapses, np.array(sizes, np.int64))
