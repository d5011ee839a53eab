"""What the shards of a brain must agree on after each has built its own: names and limits of plastic tables, and time.

A rule's table is named in view of all tables of the brain, and how much a plastic synapse may release depends on the
neuron with the least room, wherever it is; so each shard says what it found, and all take what follows from all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.network.layout import unused_name
from twinbrain.network.network import Network
from twinbrain.network.plastic_table import PlasticTable
from twinbrain.network.quanta import LARGEST

PlasticKey = tuple[str, str, str]


@dataclass(frozen=True)
class ShardSummary:
    """What one shard found.

    Parameters
    ----------
    static : dict of (str, str) to int
        Synapses of each receptor and origin.
    plastic : dict of (str, str, str) to int
        Synapses of each receptor, rule and program.
    limit : int
        The most quanta that a spike of one of its plastic synapses may release.
    largest : float
        The largest weight that is declared for one of them, in quanta.
    max_delay : int
        In steps.
    shortest_from_elsewhere : int or None
        The shortest delay from a neuron of another shard, in steps; None if there is none.
    """

    static: dict[tuple[str, str], int]
    plastic: dict[PlasticKey, int]
    limit: int
    largest: float
    max_delay: int
    shortest_from_elsewhere: int | None


def summarise_shard(network: Network) -> ShardSummary:
    """Return what the shard that has this network found."""
    own = own_neurons(network)
    from_elsewhere = [
        int(table.delay[np.repeat(~own, np.diff(table.row_start))].min(initial=np.iinfo(np.uint16).max))
        for table in network.tables
        if table.n_synapses and (np.diff(table.row_start)[~own] > 0).any()
    ]
    return ShardSummary(
        static={(table.receptor, table.origin): table.n_synapses for table in network.tables},
        plastic={_key(table): table.n_synapses for table in network.plastic},
        limit=min((table.limit for table in network.plastic), default=LARGEST),
        largest=max((table.largest for table in network.plastic), default=0.0),
        max_delay=network.max_delay,
        shortest_from_elsewhere=min(from_elsewhere, default=None),
    )


def own_neurons(network: Network) -> NDArray[np.bool_]:
    """Return which neurons of the brain a network computes itself; shape (n_neurons,)."""
    own = np.zeros(network.n_neurons, np.bool_)
    for block in network.blocks:
        own[block.neurons] = True
    return own


def needed_from_elsewhere(network: Network) -> NDArray[np.bool_]:
    """Return which neurons of other shards have synapses here; shape (n_neurons,)."""
    needed = np.zeros(network.n_neurons, np.bool_)
    for table in network.tables:
        needed |= np.diff(table.row_start) > 0
    return needed & ~own_neurons(network)


def agreed(network: Network, shards: Sequence[ShardSummary]) -> Network:
    """Return a shard's network with what all shards agree on.

    Raises
    ------
    SpecError
        If plastic weights are so large that an inbox could overflow, in any shard.
    """
    limit = min(shard.limit for shard in shards)
    if (largest := max(shard.largest for shard in shards)) > limit:
        raise SpecError(
            f"expected plastic weights and w_max up to {limit} quanta of their receptor, found {largest:.3g}: the "
            "plastic synapses of a neuron could together release more in one step than an integer holds; make w_max "
            "smaller, or the receptor's weights less unequal"
        )
    names = plastic_names(shards)
    return replace(
        network, plastic=tuple(replace(table, name=names[_key(table)], limit=limit) for table in network.plastic)
    )


def plastic_names(shards: Sequence[ShardSummary]) -> dict[PlasticKey, str]:
    """Return the name of each plastic table of the brain, in their order."""
    names: dict[PlasticKey, str] = {}
    for key in sorted({key for shard in shards for key in shard.plastic}):
        names[key] = unused_name(f"{key[0]}_{key[1]}", list(names.values()))
    return names


def table_sizes(shards: Sequence[ShardSummary]) -> list[tuple[str, str, str, int]]:
    """Return receptor, origin, plasticity and number of synapses of each table of the brain, in their order."""
    static: Counter[tuple[str, str]] = Counter()
    plastic: Counter[PlasticKey] = Counter()
    for shard in shards:
        static.update(shard.static)
        plastic.update(shard.plastic)
    return [(receptor, origin, "", n) for (receptor, origin), n in sorted(static.items())] + [
        (receptor, "local", rule, n) for (receptor, rule, _), n in sorted(plastic.items())
    ]


def _key(table: PlasticTable) -> PlasticKey:
    return table.receptor, table.rule, repr(table.program)
