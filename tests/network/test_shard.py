"""The shards of a brain are, together and integer for integer, the whole brain."""

import numpy as np
import pytest

from tests.examples import build_brain, small_brain
from twinbrain.network.agree import (
    needed_from_elsewhere,
    own_neurons,
    summarise_shard,
    table_sizes,
)
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.shard import shard_layout, without_empty_blocks

SHARDS = [((0, 1), (2, 3)), ((3,), (0, 2), (1,)), ((0,), (1,), (2,), (3,))]


@pytest.fixture(params=SHARDS, ids=["two", "three", "four"])
def shards(request):
    return [build_shard(nodes) for nodes in request.param]


def build_shard(nodes, brain=None, **options):
    brain = brain or small_brain(4)
    layout = shard_layout(lay_out(brain, brain.connectome), nodes)
    return without_empty_blocks(build(brain, layout, dt=0.1, seed=1, **options))


@pytest.fixture(scope="module")
def whole():
    return build_brain(small_brain(4))


def synapses(networks):
    """Return all synapses as sorted rows: receptor, origin, source, target, weight, delay."""
    found = []
    for network in networks:
        for table in network.tables:
            target = np.full(network.n_inlets, -1)
            for block in network.blocks:
                for inlet in block.inlets:
                    if inlet.receptor == table.receptor:
                        target[inlet.start : inlet.stop] = block.neurons
            source = np.repeat(np.arange(network.n_neurons), np.diff(table.row_start))
            found += [
                (table.receptor, table.origin, *row)
                for row in zip(
                    source.tolist(),
                    target[table.post].tolist(),
                    table.weight.tolist(),
                    table.delay.tolist(),
                    strict=True,
                )
            ]
    return sorted(found)


def test_together_they_have_the_synapses_of_the_whole(shards, whole):
    found = synapses(shards)
    assert found == synapses([whole])
    assert len(found) == whole.n_synapses > 4000


def test_each_neuron_is_built_in_one_shard_with_the_values_that_it_has_in_the_whole(shards, whole):
    assert (np.sum([own_neurons(shard) for shard in shards], axis=0) == 1).all()
    blocks = {block.name: block for block in whole.blocks}
    for shard in shards:
        for block in shard.blocks:
            of_whole = blocks[block.name]
            places = np.searchsorted(of_whole.neurons, block.neurons)
            assert block.program == of_whole.program
            assert [inlet.quantum for inlet in block.inlets] == [inlet.quantum for inlet in of_whole.inlets]
            for name in ("constants", "initial"):
                for key, values in getattr(block, name).items():
                    np.testing.assert_array_equal(values, getattr(of_whole, name)[key][places])


def test_drives_are_those_of_the_whole(shards, whole):
    def described(networks):
        return sorted((d.name, d.key, d.stop - d.start, d.weight, d.mean) for n in networks for d in n.drives)

    assert described(shards) == described([whole])


def test_no_shard_holds_an_empty_block(shards):
    assert all(block.size for shard in shards for block in shard.blocks)
    assert any(len(shard.blocks) < 4 for shard in shards)


def test_populations_keep_their_neurons_and_those_of_other_shards_have_no_block(shards, whole):
    for shard in shards:
        own = own_neurons(shard)
        for population, of_whole in zip(shard.populations, whole.populations, strict=True):
            assert (population.label, population.start, population.stop) == (
                of_whole.label,
                of_whole.start,
                of_whole.stop,
            )
            assert (population.block >= 0) == own[population.start]


def test_what_is_needed_from_elsewhere_are_the_sources_of_long_range_synapses(shards):
    for shard in shards:
        needed = needed_from_elsewhere(shard)
        assert needed.any()
        assert not (needed & own_neurons(shard)).any()


def test_summaries_add_up_to_the_tables_of_the_whole(shards, whole):
    summaries = [summarise_shard(shard) for shard in shards]
    assert table_sizes(summaries) == [(t.receptor, t.origin, "", t.n_synapses) for t in whole.tables]
    assert max(summary.max_delay for summary in summaries) == whole.max_delay
    assert all(summary.shortest_from_elsewhere >= 7 for summary in summaries)
