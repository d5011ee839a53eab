import numpy as np
import pytest

from tests.examples import (
    CORTEX,
    build_brain,
    build_region,
    fingerprint,
    region_data,
    small_brain,
    small_connectome,
    two_population_region,
)
from tests.network.test_synapses import population, quantum, sources_of, table_of, targets_of
from twinbrain.engines.base import get_engine
from twinbrain.errors import SpecError
from twinbrain.network.network import with_coupling
from twinbrain.spec.record import Record
from twinbrain.spec.region import Region


def test_the_same_seed_builds_the_same_network_and_another_another():
    brain = small_brain(3)
    assert fingerprint(build_brain(brain, seed=1)) == fingerprint(build_brain(brain, seed=1))
    assert fingerprint(build_brain(brain, seed=1)) != fingerprint(build_brain(brain, seed=2))


def inside(network, label):
    """Return what is within one region, neurons numbered from its own first."""
    slices = [p for p in network.populations if p.label == label]
    start, stop = slices[0].start, slices[-1].stop
    found = {"populations": [(p.population, p.start - start, p.stop - start) for p in slices]}
    for table in network.tables:
        source, target = sources_of(table), targets_of(network, table)
        here = (source >= start) & (source < stop) & (target >= start) & (target < stop)
        rows = [source[here] - start, target[here] - start, table.weight[here], table.delay[here].astype(int)]
        found[table.receptor, table.origin] = sorted(zip(*(row.tolist() for row in rows), strict=True))
    for p in slices:
        block = network.blocks[p.block]
        for name, values in (block.constants | block.initial).items():
            found[p.population, block.name, name] = values[p.offset : p.offset + p.size].tolist()
    for drive in network.drives:
        if drive.name.endswith(f" of {label}"):
            found[drive.name] = (drive.key, drive.weight, drive.stop - drive.start)
    return found


def with_nodes(brain, labels):
    """Return the brain on some nodes of its connectome, in another order."""
    whole = brain.connectome
    chosen = [whole.labels.index(label) for label in labels]
    weight, length = (m.values[np.ix_(chosen, chosen)] for m in (whole.weight, whole.length))
    return brain.model_copy(update={"connectome": type(whole)(weight, length, labels)})


def test_what_is_within_a_region_does_not_depend_on_the_other_regions():
    brain = small_brain(6)
    networks = [
        build_brain(with_nodes(brain, labels))
        for labels in (
            ["CX-0", "TH-1", "CX-2", "CX-3", "TH-4", "CX-5"],
            ["TH-4", "CX-5", "CX-2", "TH-1", "CX-0", "CX-3"],
            ["TH-1", "CX-2"],
        )
    ]
    for label in ("TH-1", "CX-2"):
        one, *others = (inside(network, label) for network in networks)
        assert sum(len(rows) for key, rows in one.items() if "local" in key) > 100
        assert all(other == one for other in others)


def test_equal_regions_at_different_nodes_differ_in_what_is_drawn():
    network = build_brain(small_brain(3))
    one, other = inside(network, "CX-0"), inside(network, "CX-2")
    for key in (("ampa", "local"), ("pyr", "adex", "v"), ("pv", "lif_conductance", "V_th")):
        assert one[key] != other[key]


def test_a_projections_draws_do_not_depend_on_the_other_projections():
    data = region_data(CORTEX)
    one = build_region(Region.parse(data))
    data["projections"] = data["projections"][::-1][:2]
    other = build_region(Region.parse(data))
    for receptor in ("gaba_a", "gaba_b"):
        assert inside(one, "test/cortex")[receptor, "local"] == inside(other, "test/cortex")[receptor, "local"]


def test_the_network_is_alive():
    network = build_brain(small_brain(3))
    simulation = get_engine("reference")(network)
    simulation.advance(2000)
    spikes = simulation.collect().spikes
    for p in network.populations:
        rate = ((spikes.neuron >= p.start) & (spikes.neuron < p.stop)).sum() / p.size / 0.2
        assert 3 < rate < 40, (p.label, p.population)


def test_blocks_and_inlets_cover_the_network_once():
    network = build_brain(small_brain(6))
    neurons = np.concatenate([block.neurons for block in network.blocks])
    assert sorted(neurons.tolist()) == list(range(network.n_neurons))
    inlets = sorted((inlet.start, inlet.stop) for block in network.blocks for inlet in block.inlets)
    assert [start for start, _ in inlets] == [0, *(stop for _, stop in inlets)][:-1]
    assert inlets[-1][1] == network.n_inlets
    for p in network.populations:
        block = network.blocks[p.block]
        assert block.neurons[p.offset : p.offset + p.size].tolist() == list(range(p.start, p.stop))
    assert network.n_synapses == sum(len(table.post) for table in network.tables)
    assert network.max_delay == max(table.delay.max() for table in network.tables)


@pytest.mark.parametrize("n_regions", [2, 96])
def test_there_is_one_table_a_receptor_and_origin_however_many_regions(n_regions):
    network = build_brain(small_brain(n_regions))
    assert [(table.receptor, table.origin) for table in network.tables] == [
        ("ampa", "local"),
        ("ampa", "long_range"),
        ("exponential_current", "local"),
        ("gaba_a", "local"),
        ("gaba_a", "long_range"),
        ("gaba_b", "local"),
        ("nmda", "local"),
        ("nmda", "long_range"),
    ]
    assert len(network.blocks) == 4


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 3.0])
def test_coupling_scales_long_range_weights_alone(factor):
    plain, scaled = build_brain(small_brain(3)), build_brain(small_brain(3, coupling=factor))
    assert fingerprint(with_coupling(plain, factor)) == fingerprint(scaled)
    for one, other in zip(plain.tables, scaled.tables, strict=True):
        np.testing.assert_array_equal(one.post, other.post)
        np.testing.assert_array_equal(one.delay, other.delay)
        if one.origin == "local":
            assert other is one or (one.weight == other.weight).all()
        else:
            assert np.abs(other.weight - factor * one.weight).max() <= 0.5
    assert plain.blocks == with_coupling(plain, factor).blocks


def test_coupling_copies_nothing_but_the_weights():
    plain = build_brain(small_brain(3))
    scaled = with_coupling(plain, 2.0)
    table, other = table_of(plain, "ampa", "long_range"), table_of(scaled, "ampa", "long_range")
    assert other.post is table.post
    assert table_of(scaled, "ampa", "local") is table_of(plain, "ampa", "local")
    assert with_coupling(plain, 1.0) is plain


def test_a_coupling_beyond_the_range_of_weights_is_refused():
    with pytest.raises(SpecError, match=r"brain\.coupling: expected at most .*, found 1e\+09; make it smaller"):
        with_coupling(build_brain(small_brain(3)), 1e9)
    with pytest.raises(SpecError, match="expected the inputs of a neuron to sum to at most"):
        build_brain(small_brain(3, coupling=2e5))


def test_progress_is_told_node_by_node():
    told = []
    build_brain(small_brain(3), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_faults_of_several_blocks_are_reported_at_once():
    data = region_data(CORTEX)
    data["cells"]["pyr"]["parameters"]["Delta_t"] = "2 mV"
    data["cells"]["pyr"]["initial"] = {"V": "-60 mV"}
    data["cells"]["pv"]["parameters"]["C_m"] = "100 pA"
    with pytest.raises(SpecError) as caught:
        build_region(Region.parse(data))
    places = [problem.where for problem in caught.value.problems]
    assert sorted(places) == [
        "region test/cortex: population pv: parameters.C_m",
        "region test/cortex: population pyr: initial.V",
        "region test/cortex: population pyr: parameters.Delta_t",
    ]


def test_faults_of_stimuli_and_records_are_reported_at_once():
    record = Record.parse({"state": [{"variable": "u", "population": "pyr"}, {"variable": "v", "regions": "V*"}]})
    with pytest.raises(SpecError) as caught:
        build_brain(small_brain(3), record=record)
    assert [problem.where for problem in caught.value.problems] == ["record.state[0].variable", "record.state[1]"]


def test_a_scaled_region_has_the_same_inputs_a_neuron():
    one, other = build_region(two_population_region()), build_region(two_population_region().scaled(10))

    def mean_in_degree(network, label="test/cortex"):
        p = population(network, label, "pyr")
        table = table_of(network, "ampa", "local")
        target = targets_of(network, table)
        weight = table.weight * quantum(network, "ampa")
        here = (target >= p.start) & (target < p.stop)
        return here.sum() / p.size, weight[here].sum() / p.size

    # 156 and about 1560 synapses, each Poisson-like.
    assert mean_in_degree(other)[0] == pytest.approx(3.9, abs=5 * np.sqrt(3.9 / 400))
    assert mean_in_degree(one)[0] == pytest.approx(3.9, abs=5 * np.sqrt(3.9 / 40))


def test_the_example_connectome_has_no_loops():
    assert np.diag(small_connectome(5).weight).tolist() == [0] * 5
