"""Synapses between regions that are declared one by one are drawn by whoever builds their target."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import build_brain, fingerprint, joined_brain, small_brain
from tests.network.test_partition import cut
from tests.network.test_plan import plan_of
from tests.network.test_shard import build_shard, synapses
from tests.network.test_synapses import population, quantum, sources_of, table_of, targets_of
from twinbrain.errors import SpecError
from twinbrain.network.agree import summarise_shard
from twinbrain.network.axons import long_range_axons
from twinbrain.network.layout import lay_out
from twinbrain.network.work import work_of_nodes
from twinbrain.spec.projection import Projection


def alone(**changes):
    return joined_brain(long_range=None, **changes)


def between(network, receptor, source, target):
    """Return source, target, weight and delay of the synapses from one population to another; in nS and steps."""
    table = table_of(network, receptor, "long_range")
    ends = sources_of(table), targets_of(network, table)
    from_, to = population(network, *source), population(network, *target)
    kept = (ends[0] >= from_.start) & (ends[0] < from_.stop) & (ends[1] >= to.start) & (ends[1] < to.stop)
    weight = table.weight[kept] * quantum(network, receptor)
    return ends[0][kept] - from_.start, ends[1][kept] - to.start, weight, table.delay[kept]


def test_they_are_as_declared():
    network = build_brain(alone())
    for receptor, factor in (("ampa", 1.0), ("nmda", 0.5)):
        _, target, weight, delay = between(network, receptor, ("CX-0", "pyr"), ("TH-1", "relay"))
        assert (np.bincount(target) == 5).all()
        assert np.exp(np.log(weight).mean()) == pytest.approx(0.5 * factor, rel=0.1)
        assert 10 <= delay.min() < delay.max() <= 40
    source, target, weight, delay = between(network, "ampa", ("TH-1", "relay"), ("CX-0", "pv"))
    found = sorted(zip(source.tolist(), target.tolist(), weight.tolist(), delay.tolist(), strict=True))
    assert found == [(0, 1, 2.0, 30), (3, 9, 1.25, 1), (19, 1, 0.5, 7)]
    assert len(between(network, "gaba_a", ("TH-1", "local"), ("CX-2", "pyr"))[0]) == pytest.approx(64, rel=0.5)
    assert len(between(network, "ampa", ("CX-2", "pyr"), ("CX-0", "pyr"))[0]) > 20


def test_they_come_beside_those_of_the_rule():
    whole, declared, ruled = (ends_of(build_brain(brain)) for brain in (joined_brain(), alone(), small_brain(4)))
    assert sorted(whole) == sorted([*ruled, *(row for row in declared if row[1] == "long_range")])


def ends_of(network):
    """Return receptor, origin, source, target and delay of all synapses; quanta differ between brains."""
    return [(*row[:4], row[5]) for row in synapses([network])]


def test_the_coupling_multiplies_them():
    one, half = build_brain(alone()), build_brain(alone(coupling=0.5))
    for before, after in zip(one.tables, half.tables, strict=True):
        expected = np.rint(before.weight * 0.5) if before.origin == "long_range" else before.weight
        np.testing.assert_array_equal(after.weight, expected)


def test_their_order_does_not_count_and_the_seed_does():
    brain = joined_brain()
    turned = brain.model_copy(update={"projections": brain.projections[::-1]})
    assert synapses([build_brain(brain)]) == synapses([build_brain(turned)])
    assert fingerprint(build_brain(brain)) != fingerprint(build_brain(brain, seed=2))


RULES = st.one_of(
    st.floats(0, 0.4).map(lambda p: {"probability": p}),
    st.integers(0, 30).map(lambda n: {"total": n}),
    st.integers(0, 3).map(lambda n: {"in_degree": n}),
    st.integers(0, 3).map(lambda n: {"out_degree": n}),
)
PYRAMIDS = ["CX-0.pyr", "CX-2.pyr", "CX-3.pyr", "TH-1.relay"]


@st.composite
def projections(draw):
    found = []
    for i in range(draw(st.integers(1, 5))):
        source, target = draw(st.permutations(PYRAMIDS))[:2]
        low = draw(st.integers(1, 30)) * 0.1
        found.append(
            Projection.parse(
                {
                    "name": f"p{i}",
                    "source": source,
                    "target": target,
                    "receptor": draw(st.sampled_from(["ampa", {"ampa": 1.0, "nmda": 0.2}])),
                    "connect": draw(RULES),
                    "weight": draw(st.sampled_from(["0.7 nS", {"lognormal": ["1 nS", 0.5]}])),
                    "delay": draw(st.sampled_from([f"{low} ms", {"uniform": [f"{low} ms", f"{low + 2} ms"]}])),
                }
            )
        )
    return tuple(found)


@settings(max_examples=8)
@given(projections())
def test_shards_have_together_what_the_whole_has_and_agree_with_its_partition(declared):
    brain = alone(projections=declared)
    found = cut(brain, 2)
    whole, shards = build_brain(brain), [build_shard(nodes, brain) for nodes in found.nodes]
    assert synapses(shards) == synapses([whole])
    assert plan_of(brain).n_synapses == pytest.approx(whole.n_synapses, rel=0.1)
    shortest = [summarise_shard(shard).shortest_from_elsewhere for shard in shards]
    shortest = [delay for delay in shortest if delay is not None]
    assert not shortest or (found.window is not None and found.window - 1 <= min(shortest))


def test_short_tracts_are_not_cut_and_their_work_counts():
    common = {"receptor": "ampa", "connect": {"in_degree": 5}, "weight": "1 nS"}
    pairs = [("CX-0", "CX-3", "1 ms"), ("CX-2", "TH-1", "1 ms"), ("CX-0", "CX-2", "9 ms")]
    name = {"TH-1": "relay"}
    declared = tuple(
        Projection.parse(common | {"source": f"{a}.pyr", "target": f"{b}.{name.get(b, 'pyr')}", "delay": delay})
        for a, b, delay in pairs
    )
    brain = alone(projections=declared)
    found = cut(brain, 2)
    assert (found.nodes, found.window) == (((0, 3), (1, 2)), 91)
    assert found.spikes > 0
    layout, bare = lay_out(brain, brain.connectome), alone(projections=())
    more = work_of_nodes(brain, layout, 0.1) - work_of_nodes(bare, layout, 0.1)
    # 40 pyramidal or 20 relay cells with 5 synapses each, at 8 Hz in steps of 0.1 ms and 1e8 events a second.
    np.testing.assert_allclose(more, np.array([0, 20, 40, 40]) * 5 * 8 * 1e-4 * 10)
    assert long_range_axons(layout).count[0] == 40


def test_their_smallest_weight_counts_for_the_quantum_and_a_wrong_unit_is_told():
    brain = alone()
    weak = brain.projections[1].model_copy(update={"weight": "0.01 nS"})
    built = [build_brain(b) for b in (brain, brain.model_copy(update={"projections": (weak,)}))]
    # Half a quantum is at most 1e-4 of the mean weight.
    assert quantum(built[1], "gaba_a") == 2.0 ** np.floor(np.log2(2e-4 * 0.01)) < quantum(built[0], "gaba_a")
    wrong = brain.projections[1].model_copy(update={"weight": "1 pA"})
    with pytest.raises(SpecError, match=r"^brain.projections\[0\].weight: expected a quantity in nS, found '1 pA'"):
        build_brain(brain.model_copy(update={"projections": (wrong,)}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delay": "0.01 ms"}, r"^brain.projections\[1\]: delay: expected at least one step"),
        ({"connect": {"one_to_one": True}}, r"^brain.projections\[1\]: connect.one_to_one: expected two populations"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_its_place(changes, message):
    brain = alone()
    one, other = brain.projections[:2]
    with pytest.raises(SpecError, match=message):
        build_brain(brain.model_copy(update={"projections": (one, Projection.parse(other.to_dict() | changes))}))
