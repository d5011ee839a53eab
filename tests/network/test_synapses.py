import numpy as np
import pytest
from scipy import stats

from tests.examples import CORTEX, RELAY, build_brain, build_region, region_data, small_brain, two_population_region
from twinbrain.errors import SpecError
from twinbrain.network.inflow import in_degrees
from twinbrain.network.layout import lay_out
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.region import Region


def sources_of(table):
    return np.repeat(np.arange(len(table.row_start) - 1), np.diff(table.row_start))


def targets_of(network, table):
    """Return the numbers of the neurons that a table's synapses reach."""
    found = np.full(table.n_synapses, -1)
    for block in network.blocks:
        for inlet in block.inlets:
            here = (table.post >= inlet.start) & (table.post < inlet.stop)
            assert not here.any() or inlet.receptor == table.receptor
            found[here] = block.neurons[table.post[here] - inlet.start]
    assert (found >= 0).all()
    return found


def quantum(network, receptor):
    return next(inlet.quantum for block in network.blocks for inlet in block.inlets if inlet.receptor == receptor)


def table_of(network, receptor, origin):
    return next(t for t in network.tables if (t.receptor, t.origin) == (receptor, origin))


def population(network, label, name):
    return next(p for p in network.populations if (p.label, p.population) == (label, name))


def only(region, projection, **changes):
    data = region_data(region) if isinstance(region, str) else region
    return Region.parse(data | {"projections": [data["projections"][projection] | changes]})


def test_a_projection_has_the_weights_and_delays_it_declares():
    network = build_region(only(CORTEX, 1, connect={"in_degree": 200}, delay={"uniform": ["0.5 ms", "3 ms"]}))
    (table,) = network.tables
    weight = table.weight * quantum(network, "ampa")
    assert stats.kstest(weight, stats.lognorm(0.3).cdf).pvalue > 1e-3
    delay = np.bincount(table.delay, minlength=31)
    # Rounded to the nearest step: the first and the last take half as many.
    expected = np.zeros(31)
    expected[5:] = [0.5, *[1.0] * 24, 0.5]
    assert delay[:5].sum() == 0
    assert stats.chisquare(delay[5:], expected[5:] / expected.sum() * len(table.delay)).pvalue > 1e-3


def test_a_projection_joins_its_populations_through_its_receptor():
    network = build_region(only(CORTEX, 2))
    assert [(t.receptor, t.origin, t.n_synapses) for t in network.tables] == [
        ("gaba_a", "local", 160),
        ("gaba_b", "local", 160),
    ]
    for table in network.tables:
        source, target = sources_of(table), targets_of(network, table)
        assert set(source) <= set(range(40, 50))
        assert np.bincount(target, minlength=50).tolist() == [4] * 40 + [0] * 10


def test_receptors_of_one_projection_share_pairs_weights_and_delays():
    network = build_region(only(CORTEX, 2))
    one, other = network.tables

    def rows(table):
        weight = table.weight * quantum(network, table.receptor)
        order = np.lexsort((weight, table.delay, targets_of(network, table), sources_of(table)))
        return [a[order] for a in (sources_of(table), targets_of(network, table), table.delay, weight)]

    for a, b in list(zip(rows(one), rows(other), strict=True))[:3]:
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(rows(other)[3], 0.05 * rows(one)[3], rtol=0, atol=1e-4 * 3)


def test_negative_weights_are_kept():
    network = build_region(Region.parse(region_data(RELAY)))
    table = table_of(network, "exponential_current", "local")
    inhibitory = sources_of(table) >= 20
    weight = table.weight * quantum(network, "exponential_current")
    np.testing.assert_allclose(weight[inhibitory], -40, rtol=1e-4)
    assert (weight[~inhibitory] > 0).all()


@pytest.mark.parametrize(("delay", "steps"), [("0.1 ms", 1), ("0.14 ms", 1), ("0.16 ms", 2), ("6553.5 ms", 65535)])
def test_a_delay_is_rounded_to_whole_steps(delay, steps):
    (table,) = build_region(only(CORTEX, 1, delay=delay)).tables
    assert set(table.delay) == {steps}


def test_a_distribution_of_delays_is_cut_off_at_one_step():
    (table,) = build_region(only(CORTEX, 1, delay={"normal": ["0.5 ms", "1 ms"]})).tables
    assert table.delay.min() == 1
    assert (table.delay == 1).mean() > 0.25


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delay": "0.05 ms"}, r"delay: expected at least one step \(0.1 ms\), found 0.05 ms; give a longer delay"),
        ({"delay": "0.099 ms"}, r"delay: expected at least one step \(0.1 ms\), found 0.099 ms; give a longer delay"),
        ({"delay": "0 ms"}, "delay: expected at least one step"),
        ({"delay": "-1 ms"}, "delay: expected at least one step"),
        ({"delay": "7 s"}, "delay: expected at most 65535 steps of 0.1 ms, found 7000 ms; use a larger dt"),
        (
            {"connect": {"one_to_one": True}},
            "connect.one_to_one: expected two populations of one size, found 40 and 10",
        ),
        ({"weight": {"normal": ["1 nS", "-1 nS"]}}, "expected a standard deviation of at least 0"),
    ],
)
def test_a_projection_that_cannot_be_built_is_refused_with_its_place(changes, message):
    with pytest.raises(SpecError, match=message) as caught:
        build_region(only(CORTEX, 1, **changes))
    assert str(caught.value).startswith("region test/cortex: projections[0]")


def test_distance_needs_an_extent():
    data = region_data(CORTEX)
    del data["populations"]["pv"]["extent"]
    with pytest.raises(SpecError, match=r"projections\[0\]: connect.distance: expected populations with an extent"):
        build_region(only(data, 1))


def long_range_brain(n=4, in_degree=200, **rule):
    """Return cortical regions of which the first gets its input from the others in proportions 0, 1, 2 and 5."""
    weight = np.ones((n, n))
    weight[0] = [9.0, 1.0, 2.0, 5.0]
    length = np.full((n, n), 20.0)
    length[0] = [0.0, 0.3, 7.0, 33.0]
    connectome = Connectome(weight, length, [f"CX-{i}" for i in range(n)])
    rule = LongRange(in_degree=in_degree, weight="0.4 nS", **rule)
    return Brain(connectome=connectome, regions={"*": two_population_region()}, long_range=rule)


@pytest.fixture(scope="module")
def wired():
    network = build_brain(long_range_brain())
    table = table_of(network, "ampa", "long_range")
    return network, table, sources_of(table), targets_of(network, table)


def test_every_neuron_has_the_in_degree_of_its_share(wired):
    network, _, _, target = wired
    brain = long_range_brain()
    # 200 a neuron on average, four fifths of them to 40 pyramidal cells and one fifth to 10 interneurons.
    degrees = in_degrees(lay_out(brain, brain.connectome), 0, 200)
    assert degrees == {"pyr": 200, "pv": 200}
    assert np.bincount(target, minlength=network.n_neurons).tolist() == [200] * 200


@pytest.mark.parametrize(
    ("share", "degrees"), [(1.0, {"pyr": 25, "pv": 100}), (4.0, {"pyr": 40, "pv": 40}), (36.0, {"pyr": 49, "pv": 5})]
)
def test_shares_are_relative_to_each_other(share, degrees):
    data = region_data(CORTEX)
    data["ports"]["inputs"] = {"pyr": share, "pv": 1.0}
    brain = long_range_brain().model_copy(update={"regions": {"*": Region.parse(data)}})
    assert in_degrees(lay_out(brain, brain.connectome), 0, 40) == degrees


def test_sources_are_drawn_in_proportion_to_the_row_and_uniformly_within_a_region(wired):
    _, _, source, target = wired
    to_first = source[target < 50]
    region = np.bincount(to_first // 50, minlength=4)
    assert region[0] == 0
    assert stats.chisquare(region[1:], np.array([1, 2, 5]) / 8 * len(to_first)).pvalue > 1e-3
    assert set(source % 50) == set(range(40))
    for i in (1, 2, 3):
        assert stats.chisquare(np.bincount(to_first[to_first // 50 == i] % 50, minlength=40)[:40]).pvalue > 1e-3


def test_delays_are_lengths_over_speed_and_at_least_a_step(wired):
    _, table, source, target = wired
    steps = {(0, 1): 1, (0, 2): 10, (0, 3): 47}
    for (to, from_), expected in steps.items():
        here = (target // 50 == to) & (source // 50 == from_)
        assert set(table.delay[here]) == {expected}
    assert set(table.delay[target >= 50]) == {29}


def test_the_speed_of_conduction_counts():
    network = build_brain(long_range_brain(speed="3.5 m/s", in_degree=10))
    table = table_of(network, "ampa", "long_range")
    assert set(table.delay[targets_of(network, table) >= 50]) == {57}


def test_weights_are_those_of_the_rule(wired):
    network, table, _, _ = wired
    np.testing.assert_allclose(table.weight * quantum(network, "ampa"), 0.4, rtol=1e-4)


def test_a_length_between_regions_that_are_not_connected_does_not_matter():
    brain = long_range_brain(in_degree=5)
    weight, length = brain.connectome.weight.values.copy(), brain.connectome.length.values.copy()
    weight[0, 1], length[0, 1] = 0, 1e9
    length[0, 0] = 1e9
    build_brain(brain.model_copy(update={"connectome": brain.connectome.replace(weight=weight, length=length)}))


def test_a_length_that_is_too_long_is_refused():
    brain = long_range_brain(in_degree=5)
    length = brain.connectome.length.values.copy()
    length[0, 1] = 1e9
    with pytest.raises(SpecError, match=r"brain.long_range.speed, length to CX-0: expected at most 65535 steps"):
        build_brain(brain.model_copy(update={"connectome": brain.connectome.replace(length=length)}))


def test_a_region_without_input_has_no_long_range_synapses():
    brain = long_range_brain(in_degree=5)
    weight = brain.connectome.weight.values.copy()
    weight[2] = 0
    network = build_brain(brain.model_copy(update={"connectome": brain.connectome.replace(weight=weight)}))
    target = targets_of(network, table_of(network, "ampa", "long_range"))
    assert set(target // 50) == {0, 1, 3}


def test_axons_reach_the_receptors_of_their_transmitter():
    network = build_brain(small_brain(3))
    inhibitory = population(network, "TH-1", "local")
    for receptor, weight in (("ampa", 0.4), ("gaba_a", 1.0), ("nmda", 0.12)):
        table = table_of(network, receptor, "long_range")
        source, target = sources_of(table), targets_of(network, table)
        is_inhibitory = (source >= inhibitory.start) & (source < inhibitory.stop)
        assert is_inhibitory.all() if receptor == "gaba_a" else not is_inhibitory.any()
        np.testing.assert_allclose(table.weight * quantum(network, receptor), weight, rtol=2e-4)
        if receptor == "nmda":
            relay = population(network, "TH-1", "relay")
            assert set(target) == set(range(relay.start, relay.stop))
    # Each cortical neuron has ten synapses in all, and the excitatory ones of a relay cell reach two receptors.
    counts = sum(
        np.bincount(targets_of(network, table), minlength=network.n_neurons)
        for table in network.tables
        if table.origin == "long_range" and table.receptor != "nmda"
    )
    assert counts.tolist() == [10] * 50 + [10 * 28 // 28] * 20 + [0] * 8 + [10] * 50


def test_the_weight_of_inhibitory_axons_is_that_of_others_unless_given():
    brain = small_brain(3)
    rule = brain.long_range.model_copy(update={"inhibitory_weight": None})
    network = build_brain(brain.model_copy(update={"long_range": rule}))
    table = table_of(network, "gaba_a", "long_range")
    np.testing.assert_allclose(table.weight * quantum(network, "gaba_a"), 0.4, rtol=1e-4)


def test_an_inhibitory_weight_of_0_is_given():
    rule = LongRange(in_degree=1, weight=1.0, inhibitory_weight=0.0)
    assert rule.weight_of_gaba(1.0) == 0.0


def test_axons_that_find_no_receptor_are_refused():
    data = region_data(CORTEX)
    data["cells"]["pv"]["receptors"] = ["ampa"]
    data["cells"]["pv"]["parameters"].pop("tau_gaba_a")
    del data["projections"][3]
    brain = small_brain(3)
    brain = brain.model_copy(update={"regions": {"TH-*": brain.regions["TH-*"], "CX-*": Region.parse(data)}})
    with pytest.raises(SpecError) as caught:
        build_brain(brain)
    assert str(caught.value) == (
        "region test/cortex: ports.inputs.pv.gaba: expected a receptor of population 'pv' (ampa), found 'gaba_a'"
    )


def test_a_brain_without_a_rule_has_no_long_range_synapses():
    network = build_brain(small_brain(3).model_copy(update={"long_range": None}))
    assert {table.origin for table in network.tables} == {"local"}


@pytest.mark.parametrize(
    ("delay", "found"),
    [
        ({"uniform": ["-5 ms", "-1 ms"]}, "none above -1 ms"),
        ({"normal": ["1 ms", "1 ms"], "max": "0.01 ms"}, "none above 0.0"),
        ({"normal": ["-5 ms", "2 ms"]}, "a mean of -5 ms"),
    ],
)
def test_a_distribution_of_delays_below_a_step_is_refused(delay, found):
    with pytest.raises(SpecError, match=f"delay: expected delays of at least one step .0.1 ms., found {found}"):
        build_region(only(CORTEX, 1, delay=delay))
