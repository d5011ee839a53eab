"""Explicit values reach the network as they are: neuron by neuron, and synapse by synapse."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import RELAY, build_brain, build_region, region_data, small_connectome
from tests.network.test_shard import build_shard, synapses
from tests.network.test_synapses import only, quantum, sources_of, targets_of
from tests.spec.test_explicit import explicit_data
from twinbrain.errors import SpecError, UnitError
from twinbrain.network.parameters import population_parameters
from twinbrain.network.random import stream_key
from twinbrain.network.sampling import mean_size, sample
from twinbrain.run.prepare import prepare
from twinbrain.run.sweep.assign import assigned
from twinbrain.spec.load import as_workflow
from twinbrain.spec.region import Region

SOURCE, TARGET = [3, 0, 3, 1], [7, 5, 4, 5]
WEIGHT, DELAY = [-40.0, -10.0, -30.5, 20.25], [0.3, 0.1, 2.0, 0.1]


def with_pairs(**changes):
    pairs = {"pairs": {"source": SOURCE, "target": TARGET}}
    given = {"weight": {"values": WEIGHT, "unit": "pA"}, "delay": {"values": DELAY, "unit": "ms"}}
    return only(RELAY, 2, **({"connect": pairs} | given | changes))


def test_weights_and_delays_are_those_of_their_pairs():
    network = build_region(with_pairs())
    (table,) = network.tables
    weight = table.weight * quantum(network, "exponential_current")
    found = zip(sources_of(table), targets_of(network, table), weight, table.delay * 0.1, strict=True)
    expected = sorted(zip(np.array(SOURCE) + 20, np.array(TARGET) + 20, WEIGHT, DELAY, strict=True))
    np.testing.assert_allclose(sorted(found), expected, rtol=1e-3)


def test_drawn_pairs_take_explicit_weights_in_the_order_of_their_targets():
    weight = {"values": list(range(1, 17)), "unit": "pA"}
    network = build_region(only(RELAY, 2, connect={"in_degree": 2}, weight=weight))
    (table,) = network.tables
    of_target = np.argsort(targets_of(network, table), kind="stable")
    found = (table.weight * quantum(network, "exponential_current"))[of_target].reshape(8, 2)
    np.testing.assert_allclose(np.sort(found), np.arange(1, 17).reshape(8, 2), rtol=1e-3)


def test_another_number_than_is_drawn_is_refused():
    weight = {"values": [1.0, 2.0, 3.0], "unit": "pA"}
    with pytest.raises(
        SpecError,
        match=r"projections\[0\]: weight: expected 16 values, one for each synapse that is drawn, found 3; give",
    ):
        build_region(only(RELAY, 2, connect={"in_degree": 2}, weight=weight))


@pytest.mark.parametrize("short", [0.04, -1.0])
def test_a_delay_below_a_step_is_refused(short):
    delay = {"values": [0.3, short, 2.0, 0.1], "unit": "ms"}
    with pytest.raises(SpecError, match=rf"expected at least one step \(0.1 ms\), found {short:g} ms of synapse 1"):
        build_region(with_pairs(delay=delay))


def test_parameters_and_initial_values_are_those_of_their_neurons():
    region = Region.parse(explicit_data())
    prepared = prepare(as_workflow(region))
    network = build_region(region)
    local = next(p for p in prepared.layout.populations if p.population == "local")
    block = network.blocks[local.block]
    np.testing.assert_array_equal(block.initial["v"], [-70 + i for i in range(8)])
    drawn = population_parameters(prepared.layout, local, block.program, 0.1, 1)
    np.testing.assert_array_equal(drawn["C_m"], 200.0 + np.arange(8))


def test_a_parameter_of_the_wrong_sign_or_unit_is_named():
    data = explicit_data()
    data["cells"]["local"]["parameters"]["C_m"]["values"][3] = -1.0
    data["cells"]["local"]["initial"]["v"]["unit"] = "pA"
    with pytest.raises(SpecError) as caught:
        build_region(Region.parse(data))
    text = str(caught.value)
    assert "population local: parameters.C_m: expected C_m > 0, found C_m = -1 pF (and 1 of 8 in all)" in text
    assert "population local: initial.v: expected a quantity in mV, found '1 pA'" in text


def test_every_node_of_a_region_has_the_same_values_whole_or_in_shards():
    region = Region.parse(explicit_data())
    brain = tb.Brain(
        connectome=small_connectome(4), regions={"*": region}, long_range={"in_degree": 10, "weight": "0.4 nS"}
    )
    network = build_brain(brain)
    block = next(b for b in network.blocks if b.name == "lif_current")
    np.testing.assert_array_equal(block.initial["v"], np.tile(np.arange(8.0) - 70, 4))
    assert synapses([build_shard(nodes, brain) for nodes in ((0, 2), (1,), (3,))]) == synapses([network])


def test_plastic_synapses_begin_with_their_own_values():
    U = np.array([0.1, 0.2, 0.3, 0.4])
    rule = {
        "model": "tsodyks_markram",
        "parameters": {"U": {"values": U}},
        "initial": {"x": {"values": [0.9, 0.8, 0.7, 0.6]}},
    }
    (table,) = build_region(with_pairs(plasticity=rule)).plastic
    order = np.argsort(WEIGHT)
    here = np.argsort(table.initial["w"])
    np.testing.assert_array_equal(table.initial["w"][here], np.array(WEIGHT)[order])
    np.testing.assert_array_equal(table.initial["x"][here], np.array([0.9, 0.8, 0.7, 0.6])[order])
    # The program's constant is 1 - U.
    np.testing.assert_array_equal(next(v for v in table.constants.values() if len(v) == 4)[here], 1 - U[order])
    rule["parameters"]["U"]["values"] = [0.1, 0.2]
    with pytest.raises(SpecError, match=r"plasticity.parameters.U: expected 4 values, .* found 2; give as many"):
        with_pairs(plasticity=rule)


def test_explicit_values_are_not_rounded():
    value = tb.Explicit([0.1 + 0.2, 1 / 3], "pA")
    assert sample(value, "pA", 2, stream_key(1, "x")).tolist() == [0.1 + 0.2, 1 / 3]
    assert sample(tb.Explicit([0.5], "nA"), "pA", 1, stream_key(1, "x")).tolist() == [500.0]
    assert sample(tb.Explicit([0.5]), "1", 1, stream_key(1, "x")).tolist() == [0.5]
    with pytest.raises(UnitError, match=r"expected a quantity in pA, found 1\.0 without a unit"):
        sample(tb.Explicit([0.5]), "pA", 1, stream_key(1, "x"))


def test_the_mean_size_of_explicit_values_is_theirs():
    assert mean_size(tb.Explicit([1.0, -3.0], "nA"), "pA") == 2000.0
    assert mean_size(tb.Explicit([], "pA"), "pA") == 0.0


def test_a_plan_counts_the_longest_explicit_delay():
    delays = {"values": [0.3, 0.1, 200.0, 0.1], "unit": "ms"}
    short, long = (prepare(as_workflow(region)).plan for region in (with_pairs(), with_pairs(delay=delays)))
    assert long.bytes_inboxes > 50 * short.bytes_inboxes


@pytest.mark.parametrize("value", [tb.Explicit([1, 2, 3, 4], "pA"), {"values": [1, 2, 3, 4], "unit": "pA"}])
def test_a_key_can_be_given_explicit_values(value):
    workflow = assigned(as_workflow(with_pairs()), {"regions.test/relay.projections.feedback.weight": value})
    (region,) = workflow.brain.regions.values()
    assert region.projections[0].weight == tb.Explicit([1, 2, 3, 4], "pA")
    assert region.projections[0].delay == tb.Explicit(DELAY, "ms")
    assert region_data(RELAY)["name"] == region.name
