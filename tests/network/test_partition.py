"""Nodes are dealt out evenly, short tracts are not cut, and the same brain is always cut the same."""

import numpy as np
import pytest

from tests.examples import relay_region, small_brain, two_population_region
from twinbrain.connectome import load_connectome, normalise
from twinbrain.errors import SpecError
from twinbrain.network.layout import lay_out
from twinbrain.network.partition import check_n_shards, partition
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.connectome import Connectome


def cut(brain, n_shards):
    connectome = normalise(brain.connectome, brain.normalisation)
    return partition(brain, lay_out(brain, connectome), n_shards, dt=0.1)


def brain_of(length, weight=None, **regions):
    n = len(length)
    connectome = Connectome(np.ones((n, n)) if weight is None else weight, length, [f"R-{i}" for i in range(n)])
    return Brain(
        connectome=connectome,
        regions={**regions, "*": two_population_region()},
        long_range=LongRange(in_degree=10, weight="0.4 nS", inhibitory_weight="1 nS", speed="5 m/s"),
    )


def pairs_of_neighbours():
    """Return a brain of six regions, 1 mm from their neighbour and 20 mm or more from all others."""
    length = np.full((6, 6), 20.0) + np.arange(36).reshape(6, 6)
    for i in (0, 2, 4):
        length[i, i + 1] = length[i + 1, i] = 1.0
    return brain_of(length)


@pytest.mark.parametrize("n_shards", [1, 2, 3, 4])
def test_every_node_is_in_one_shard(n_shards):
    nodes = cut(small_brain(4), n_shards).nodes
    assert len(nodes) == n_shards
    assert sorted(node for shard in nodes for node in shard) == [0, 1, 2, 3]
    assert all(nodes)


def test_neighbours_stay_together_where_work_stays_even():
    found = cut(pairs_of_neighbours(), 3)
    assert found.nodes == ((0, 1), (2, 3), (4, 5))
    assert found.balance == pytest.approx(1.0)
    # 22 mm (the shortest tract between pairs, from node 2 to node 0) at 5 m/s in steps of 0.1 ms, and one step more.
    assert found.window == 44 + 1


def test_neighbours_are_parted_where_work_would_be_uneven():
    found = cut(pairs_of_neighbours(), 6)
    assert found.nodes == ((0,), (1,), (2,), (3,), (4,), (5,))
    assert found.window == 2 + 1


def test_work_counts_rather_than_the_number_of_nodes():
    large = two_population_region().scaled(5).model_copy(update={"name": "test/large"})
    length = np.full((6, 6), 20.0)
    found = cut(brain_of(length, **{"R-0": large}), 2)
    assert found.nodes[0] == (0,)
    assert max(found.shares) == pytest.approx(0.5, abs=0.1)


def test_the_fewest_spikes_are_cut_where_tracts_are_alike():
    weight = np.full((4, 4), 1e-3)
    for i, j in ((0, 2), (2, 0), (1, 3), (3, 1)):
        weight[i, j] = 1.0
    found = cut(brain_of(np.full((4, 4), 20.0), weight), 2)
    assert found.nodes == ((0, 2), (1, 3))
    # 4 regions of 40 axons at 8 Hz; each axon has 12.5 synapses, of which one in 500 is in the other shard.
    assert found.spikes == pytest.approx(4 * 40 * 8 * 12.5 * 2 / 1002, rel=0.05)


def test_what_no_tract_joins_has_no_window():
    weight = np.zeros((4, 4))
    weight[0, 1] = weight[1, 0] = weight[2, 3] = weight[3, 2] = 1.0
    found = cut(brain_of(np.full((4, 4), 20.0), weight), 2)
    assert (found.nodes, found.window, found.spikes) == (((0, 1), (2, 3)), None, 0.0)


def test_a_brain_without_long_range_synapses_can_be_cut():
    brain = small_brain(4).model_copy(update={"long_range": None})
    assert len(cut(brain, 2).nodes) == 2


@pytest.mark.parametrize("n_shards", [0, 5, -1])
def test_a_number_of_shards_that_cannot_be_is_refused(n_shards):
    with pytest.raises(SpecError, match=f"expected 1 to 4 shards, .* found {n_shards}"):
        cut(small_brain(4), n_shards)


@pytest.mark.parametrize("n_shards", [2, 3, 4, 8, 16])
def test_a_real_connectome_is_cut_evenly_with_long_windows(n_shards):
    connectome = load_connectome("tvb-96")
    brain = Brain(
        connectome=connectome,
        regions={"*": relay_region()},
        long_range=LongRange(in_degree=10, weight="0.4 nS", inhibitory_weight="1 nS", speed="7 m/s"),
    )
    found = cut(brain, n_shards)
    assert found.balance < 1.05
    assert found.window > 20


def test_a_brain_of_one_region_cannot_be_cut():
    with pytest.raises(SpecError, match="expected one shard, since a brain of one region cannot be cut, found 2"):
        check_n_shards(2, 1)
