"""SONATA circuits: what is written is what is read, by us and by libsonata."""

import csv
import json
import re

import h5py
import libsonata
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_brain, build_region, relay_region, small_brain
from tests.exchange.models import leaky_data, leaky_region, spikes_of
from twinbrain.engines.base import Spikes
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.region import Region


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "circuit"


@pytest.fixture
def leaky(folder):
    """A written circuit, to be read or spoilt."""
    tb.write_sonata(leaky_region("exponential_current"), folder, seed=3)
    return folder


@pytest.mark.parametrize("receptor", ["delta", "exponential_current"])
def test_a_region_that_is_written_and_read_has_the_same_spikes(receptor, folder):
    region = leaky_region(receptor)
    tb.write_sonata(region, folder, seed=3)
    expected = spikes_of(build_region(region, seed=3))
    assert len(expected) > 26 * 5
    np.testing.assert_array_equal(spikes_of(tb.read_sonata(folder)), expected)


def test_a_brain_with_every_model_and_its_drives_has_the_same_spikes(folder):
    brain = small_brain(3, coupling=1.3)
    tb.write_sonata(brain, folder, seed=5, drives="keep")
    circuit = libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))
    # The relay stands once, the cortex twice.
    sizes = {name: circuit.node_population(name).size for name in circuit.node_populations}
    assert sizes == {"test_cortex_pyr": 80, "test_cortex_pv": 20, "test_relay_relay": 20, "test_relay_local": 8}
    expected, found = build_brain(brain, seed=5), tb.read_sonata(folder)
    places = [(p.label, p.region, p.population, p.start, p.transmitter) for p in expected.populations]
    assert [(p.label, p.region, p.population, p.start, p.transmitter) for p in found.populations] == places
    assert {(t.receptor, t.origin, t.n_synapses) for t in found.tables} == {
        (t.receptor, t.origin, t.n_synapses) for t in expected.tables
    }
    rows = spikes_of(expected, 1000)
    assert len(set(rows[:, 1])) > expected.n_neurons / 2
    np.testing.assert_array_equal(spikes_of(found, 1000), rows)


def test_equations_of_a_region_of_its_own_travel_with_it(folder):
    data = leaky_data("exponential_current")
    data["models"] = {
        "mine": {
            "equations": "dv/dt = (E_L - v)/tau + I_syn/C_m : volt\nE_L : volt\ntau : second\nC_m : farad",
            "threshold": "v > -50*mV",
            "reset": "v = E_L",
            "parameters": {"tau": "10 ms", "C_m": "200 pF", "E_L": "-45 mV"},
        }
    }
    data["receptors"] = {
        "slow": {
            "equations": "dI_slow/dt = -I_slow/tau_slow : amp\ntau_slow : second",
            "jump": "I_slow",
            "current": "I_slow",
            "parameters": {"tau_slow": "9 ms"},
        }
    }
    data["cells"]["inh"] = {"model": "mine", "receptors": ["slow"]}
    data["projections"][1]["receptor"] = "slow"
    region = Region.parse(data)
    tb.write_sonata(region, folder)
    expected = spikes_of(build_region(region, seed=0), 1000)
    assert (expected[:, 1] >= 20).sum() > 6
    np.testing.assert_array_equal(spikes_of(tb.read_sonata(folder), 1000), expected)


def test_libsonata_reads_nodes_and_edges(leaky):
    network = build_region(leaky_region("exponential_current"), seed=3)
    circuit = libsonata.CircuitConfig.from_file(str(leaky / "circuit_config.json"))
    assert circuit.node_populations == {"exc", "inh"}
    assert circuit.edge_populations == {"exc__to__exc", "exc__to__inh", "inh__to__exc"}
    nodes = circuit.node_population("exc")
    assert nodes.size == 20
    block = network.blocks[0]
    np.testing.assert_array_equal(
        nodes.get_dynamics_attribute("V_th", nodes.select_all()), block.constants["V_th"][:20]
    )
    np.testing.assert_array_equal(nodes.get_dynamics_attribute("V_m", nodes.select_all()), block.initial["v"][:20])
    edges = circuit.edge_population("inh__to__exc")
    every = edges.select_all()
    assert (edges.size, edges.source, edges.target) == (60, "inh", "exc")
    (table,) = network.tables
    from_inh = slice(table.row_start[20], table.row_start[26])
    source = np.repeat(np.arange(6), np.diff(table.row_start[20:27]))
    np.testing.assert_array_equal(edges.source_nodes(every), source)
    np.testing.assert_array_equal(edges.target_nodes(every), table.post[from_inh])
    quantum = block.inlets[0].quantum
    np.testing.assert_array_equal(edges.get_attribute("syn_weight", every), table.weight[from_inh] * quantum)
    np.testing.assert_allclose(edges.get_attribute("delay", every), 0.7, rtol=1e-12)


def test_types_say_what_models_and_receptors_are(folder):
    region = relay_region()
    tb.write_sonata(region, folder, drives="drop")
    with (folder / "node_types.csv").open() as file:
        nodes = {row["population"]: row for row in csv.DictReader(file, delimiter=" ")}
    assert nodes["relay"]["model_template"] == "twinbrain:izhikevich_2007"
    assert nodes["local"]["model_template"] == "nest:iaf_psc_exp"
    assert {row["model_type"] for row in nodes.values()} == {"point_neuron"}
    with (folder / "edge_types.csv").open() as file:
        assert {row["receptor"] for row in csv.DictReader(file, delimiter=" ")} == {"exponential_current", "gaba_a"}
    # NEST's names: what all neurons share in JSON, what differs beside the nodes.
    shared = json.loads((folder / "components" / "local.json").read_text())
    # Of 2 ms, the step of the spike itself is left out.
    assert shared["t_ref"] == pytest.approx(1.9)
    with h5py.File(folder / "nodes.h5") as file:
        own = file["nodes/local/0/dynamics_params"]
        np.testing.assert_allclose(own["tau_m"][:], own["C_m"][:] / 25.0)
        assert file.attrs["magic"] == 0x0A7A


def test_libsonata_reads_the_spikes_of_a_run(folder, tmp_path):
    region = leaky_region()
    run = tb.simulate(region, out=tmp_path / "run.zarr", duration="200 ms", window="50 ms", seed=3, engine="reference")
    tb.write_sonata(region, folder, seed=3, run=run)
    reader = libsonata.SpikeReader(str(folder / "spikes.h5"))
    assert reader.get_population_names() == ["exc", "inh"]
    expected = spikes_of(build_region(region, seed=3), 2000)
    for name, first, last in (("exc", 0, 20), ("inh", 20, 26)):
        found = reader[name]
        assert (found.sorting, found.time_units) == ("by_time", "ms")
        rows = expected[(expected[:, 1] >= first) & (expected[:, 1] < last)]
        assert len(rows) > 20
        spikes = found.get_dict()
        np.testing.assert_array_equal(spikes["node_ids"], rows[:, 1] - first)
        np.testing.assert_allclose(spikes["timestamps"], rows[:, 0] * 0.1, rtol=1e-12)
    with pytest.raises(tb.ExchangeError, match="expected a run of this model with seed 4 and"):
        tb.write_sonata(region, tmp_path / "other", seed=4, run=run)
    assert not (tmp_path / "other").exists()


def test_what_sonata_cannot_express_is_refused_and_nothing_is_written(folder):
    with pytest.raises(tb.ExchangeError) as caught:
        tb.write_sonata(relay_region(), folder)
    assert len(caught.value.problems) == 2
    assert "region test/relay: drive 0 relay:ampa: expected no input from outside, found a Poisson drive" in str(
        caught.value
    )
    assert list(folder.parent.iterdir()) == []


def test_a_circuit_that_stands_is_kept_unless_its_replacement_is_allowed(leaky):
    before = (leaky / "nodes.h5").read_bytes()
    with pytest.raises(tb.ExchangeError, match="expected a path that is free"):
        tb.write_sonata(leaky_region(), leaky)
    assert (leaky / "nodes.h5").read_bytes() == before
    tb.write_sonata(leaky_region("delta"), leaky, overwrite=True)
    assert "twinbrain:lif_current" in (leaky / "node_types.csv").read_text()
    assert [path.name for path in leaky.parent.iterdir()] == ["circuit"]


def other_programs_circuit(folder):
    """Write a circuit by hand, as the format's guide has it: two types in one population, virtual nodes."""
    folder.mkdir()
    with h5py.File(folder / "v1.h5", "w") as file:
        file["nodes/v1/node_type_id"] = np.array([7, 8, 7, 8], np.int64)
        file["nodes/lgn/node_type_id"] = np.array([9, 9], np.int64)
    (folder / "v1_types.csv").write_text(
        "node_type_id model_type model_template dynamics_params population\n"
        '7 point_neuron nest:iaf_psc_exp exc.json "layer four"\n'
        "8 point_neuron nest:iaf_psc_exp NULL NULL\n"
        "9 virtual NULL NULL NULL\n"
    )
    (folder / "exc.json").write_text('{"tau_m": 20.0, "C_m": 200.0, "tau_syn_ex": 3.0, "tau_syn_in": 3.0}')
    with h5py.File(folder / "edges.h5", "w") as file:
        for name, source, target, kind in (
            ("lgn_v1", [0, 1], [2, 3], [1, 1]),
            ("v1_v1", [0, 1, 3], [1, 2, 3], [2, 2, 1]),
        ):
            group = file.create_group(f"edges/{name}")
            for end, ids in (("source", source), ("target", target)):
                group[f"{end}_node_id"] = np.array(ids, np.uint64)
                group[f"{end}_node_id"].attrs["node_population"] = name.split("_")[end == "target"]
            group["edge_type_id"] = np.array(kind)
        file["edges/v1_v1/0/syn_weight"] = np.array([1.0, -2.0, 4.0])
    (folder / "types.csv").write_text("edge_type_id syn_weight delay\n1 10.0 1.5\n2 0.5 2.0\n")
    networks = {
        "nodes": [{"nodes_file": "$NET/v1.h5", "node_types_file": "$NET/v1_types.csv"}],
        "edges": [{"edges_file": "${NET}/edges.h5", "edge_types_file": "$NET/types.csv"}],
    }
    config = {"manifest": {"$BASE_DIR": ".", "$NET": "$BASE_DIR"}, "networks": networks}
    config["components"] = {"point_neuron_models_dir": "$BASE_DIR"}
    (folder / "circuit_config.json").write_text(json.dumps(config))


def test_a_circuit_of_another_program_is_read(folder):
    other_programs_circuit(folder)
    network = tb.read_sonata(folder, dt="0.5 ms")
    assert [(p.population, p.size) for p in network.populations] == [("lgn", 2), ("layer four", 2), ("v1_8", 2)]
    (table,), (block,) = network.tables, network.blocks
    source = np.repeat(np.arange(6), np.diff(table.row_start))
    weight = table.weight * block.inlets[0].quantum
    found = {(int(s), int(t)): (w, d * 0.5) for s, t, w, d in zip(source, table.post, weight, table.delay, strict=True)}
    # Numbers: lgn 0 and 1, then v1's nodes 0, 2 and 1, 3. Edges have their own weights, or those of their types.
    expected = {(0, 3): (10, 1.5), (1, 5): (10, 1.5), (2, 4): (1, 2), (4, 3): (-2, 2), (5, 5): (4, 1.5)}
    assert found == {pair: pytest.approx(values, rel=1e-6) for pair, values in expected.items()}

    # NEST's defaults where nothing is said; virtual nodes are given spikes from outside.
    simulation = reference(network)
    simulation.inject(Spikes(np.array([0], np.int32), np.array([0], np.int32)))
    simulation.advance(5)
    state = simulation.state().variables
    # The current of a spike of step 0 jumps at the beginning of step 4, and decays over that step.
    assert state["lif_current/I_exponential_current"][3] == pytest.approx(10 * np.exp(-0.5 / 3.0))
    assert not len(simulation.collect().spikes)


@pytest.mark.parametrize(
    ("name", "before", "after", "part"),
    [
        ("circuit_config.json", '"networks"', '"net"', "expected networks.nodes, found none"),
        ("circuit_config.json", "{", "", "expected a JSON file, found a fault in it"),
        (
            "circuit_config.json",
            "edges.h5",
            "nothing.h5",
            "expected networks.edges[0].edges_file to be a file, found none",
        ),
        (
            "circuit_config.json",
            "$BASE_DIR/edges.h5",
            "$OTHER/edges.h5",
            "expected a path whose parts stand in the man",
        ),
        ("node_types.csv", "nest:iaf_psc_exp", "nest:hh_psc_alpha", "expected a model_template nest:iaf_psc_exp or"),
        ("node_types.csv", "nest:iaf_psc_exp", "twinbrain:adx", "unknown model_template 'twinbrain:adx'; did you mean"),
        ("node_types.csv", "101 ", "102 ", "nodes.h5: /nodes/inh: node 0: unknown node_type_id 101; "),
        ("edge_types.csv", "exponential_current", "ampa", "edge 0: unknown receptor 'ampa' of 'exc'; "),
        ("edge_types.csv", "edge_type_id", "type", "expected a column edge_type_id, found type, "),
        ("components/inh.json", '"t_ref"', '"t_rev"', "expected parameters C_m, tau_m"),
        ("components/inh.json", "-55.0", '"two"', "expected a number, found 'two'"),
        ("components/inh.json", '"tau_m": 10.0', '"tau_m": -10.0', "expected tau_m of more than 0, found -10"),
        ("components/inh.json", '"t_ref": 0.0', '"t_ref": -1.0', "expected t_ref of at least 0 ms, found -1"),
        ("node_types.csv", "transmitter", "V_th", "node type 100: expected V_th in dynamics_params, found it beside"),
        ("edge_types.csv", "origin", "receptor", "different names, found 'receptor' twice; take one out"),
        (
            "edge_types.csv",
            "\n100 ",
            "\n100 static_synapse delta local\n100 ",
            "line 3: expected one line a type, found edge_type_id 100 again",
        ),
        ("edge_types.csv", "\n100 ", "\n1_00 ", "line 2: expected 4 values with a number as edge_type_id, found 1_00"),
        ("node_types.csv", "\n100 ", "\n１００ ", "line 2: expected 9 values with a number as node_type_id"),
        ("circuit_config.json", '"units": "ms, mV', '"units": "s, V', "twinbrain.units: expected 'ms, mV, pA"),
        ("circuit_config.json", '"seed"', '"sead"', "twinbrain: unknown key 'sead'; did you mean 'seed'?"),
        ("circuit_config.json", '"components"', '"component"', "sections: unknown name 'component'; did you mean"),
        ("circuit_config.json", '"edges"', '"edge"', "networks: unknown name 'edge'; did you mean 'edges'?"),
        ("edge_types.csv", "origin", "receptors", "columns: unknown name 'receptors'; did you mean 'receptor'?"),
        ("node_types.csv", "transmitter", "g_L", "node type 100: expected g_L in dynamics_params, found it beside"),
        ("circuit_config.json", '"seed": 3', '"seed": 3, "seed": 1', "expected each key of a table once, found 'seed'"),
        ("circuit_config.json", '"inh": {', '"inn": {', "unknown population 'inn' in the configuration; did you mean"),
        (
            "circuit_config.json",
            '"point_neuron"',
            '"biophysical"',
            "exc.type: expected point_neuron or point_process or",
        ),
        (
            "circuit_config.json",
            '"point_neuron"',
            '"virtual"',
            "expected one kind of neurons, found virtual in the conf",
        ),
        ("circuit_config.json", '"chemical"', '"electrical"', ".type: expected chemical, found 'electrical'"),
        ("circuit_config.json", '"ordered": true', '"ordered": "yes"', "ordered: expected true or false, found 'yes'"),
    ],
)
def test_a_fault_in_a_text_file_is_one_error_that_names_it(name, before, after, part, leaky):
    text = (leaky / name).read_text()
    assert before in text
    (leaky / name).write_text(text.replace(before, after))
    with pytest.raises(tb.ExchangeError) as caught:
        tb.read_sonata(leaky)
    assert part in str(caught.value)
    assert str(leaky) in str(caught.value)
    assert len(caught.value.problems) == 1


def spoil_index(file):
    file["edges/inh__to__exc/target_node_id"][7] = 20


def spoil_population(file):
    file["edges/inh__to__exc/source_node_id"].attrs["node_population"] = "inhh"


def spoil_type(file):
    file["edges/inh__to__exc/edge_type_id"][3] = 5


def spoil_dataset(file):
    del file["edges/inh__to__exc/source_node_id"]


def spoil_weight(file):
    del file["edges/inh__to__exc/0/syn_weight"]


def spoil_delay(file):
    file["edges/inh__to__exc/0/delay"][2] = -1.0


def spoil_group(file):
    file["edges/inh__to__exc/edge_group_id"][4] = 1


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (spoil_index, "/edges/inh__to__exc/target_node_id: expected nodes 0 to 19 of 'exc', found 20 at edge 7"),
        (spoil_population, "/source_node_id: unknown node population 'inhh'; did you mean 'inh'?"),
        (spoil_type, "/edges/inh__to__exc: edge 3: unknown edge_type_id 5; Known: 100"),
        (spoil_dataset, "/edges/inh__to__exc: expected a dataset source_node_id; did you mean"),
        (spoil_weight, "expected syn_weight of every edge, or of edge type 100, found neither"),
        (spoil_delay, "/edges/inh__to__exc/0/delay: edge 2: expected a number, found -1.0"),
        (spoil_group, "/edges/inh__to__exc: expected all in group 0, found edge 4 in group 1"),
    ],
)
def test_a_fault_in_the_edges_is_one_error_with_population_and_index(spoil, part, leaky):
    with h5py.File(leaky / "edges.h5", "r+") as file:
        spoil(file)
    with pytest.raises(tb.ExchangeError) as caught:
        tb.read_sonata(leaky)
    assert part in str(caught.value)
    assert str(leaky / "edges.h5") in str(caught.value)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.full((20, 1), -50.0), "float64 of shape (20, 1)"),
        (-50.0, "float64 of shape ()"),
        (["-50"] * 20, "object of shape (20,)"),
    ],
)
@pytest.mark.parametrize(
    ("name", "place"), [("nodes", "nodes/exc/0/dynamics_params/V_th"), ("edges", "edges/inh__to__exc/0/delay")]
)
def test_values_of_an_unexpected_shape_or_type_are_refused(name, place, values, found, leaky):
    with h5py.File(leaky / f"{name}.h5", "r+") as file:
        del file[place]
        file[place] = values
    with pytest.raises(
        tb.ExchangeError, match=re.escape(f"/{place}: expected one number after the other, found")
    ) as caught:
        tb.read_sonata(leaky)
    assert found in str(caught.value)


def test_parameters_out_of_their_range_are_refused(leaky):
    parameters = json.loads((leaky / "components/inh.json").read_text())
    (leaky / "components/inh.json").write_text(json.dumps(parameters | {"V_reset": 0.0}))
    with pytest.raises(tb.SpecError, match=r"inh: parameters\.V_reset: expected V_reset < V_th, found V_reset = 0 mV"):
        tb.read_sonata(leaky)


def test_a_parameter_beside_the_parameters_is_refused(leaky):
    with h5py.File(leaky / "nodes.h5", "r+") as file:
        file["nodes/exc/0/V_th"] = np.full(20, -30.0)
    with pytest.raises(tb.ExchangeError, match="group 0: expected V_th in dynamics_params, found it beside"):
        tb.read_sonata(leaky)


def test_a_parameter_that_a_model_of_ours_has_not_is_refused_by_its_name(folder):
    tb.write_sonata(leaky_region("delta"), folder)
    shared = json.loads((folder / "components/inh.json").read_text())
    for name, place in (("V_trh", "parameters.V_trh: unknown name; did you mean 'V_th'"), ("initial_u", "initial.u")):
        (folder / "components/inh.json").write_text(json.dumps(shared | {name: 1.0}))
        with pytest.raises(tb.SpecError, match=f"inh: {place}"):
            tb.read_sonata(folder)


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("nodes/exc/0/model_template", "/nodes/exc/0: expected model_template in the table of node types, found it"),
        ("edges/inh__to__exc/0/receptor", "/edges/inh__to__exc/0: expected receptor in the table of edge types"),
        ("edges/inh__to__exc/0/nsyn", "/edges/inh__to__exc/0: unknown name 'nsyn'; did you mean 'nsyns'?"),
        ("edges/inh__to__exc/edge_type_ids", "/edges/inh__to__exc: unknown name 'edge_type_ids'; did you mean"),
    ],
)
def test_an_attribute_that_would_change_a_circuit_is_refused_by_its_name(place, part, leaky):
    with h5py.File(leaky / f"{place.partition('/')[0]}.h5", "r+") as file:
        file[place] = np.zeros(60, np.int64)
    with pytest.raises(tb.ExchangeError, match=re.escape(part)):
        tb.read_sonata(leaky)


def test_what_changes_nothing_is_left_out_and_named_in_one_warning(folder):
    other_programs_circuit(folder)
    without = weights_of(tb.read_sonata(folder))
    text = (folder / "types.csv").read_text().splitlines()
    (folder / "types.csv").write_text(f"{text[0]} target_query\n{text[1]} ei=='e'\n{text[2]} NULL\n")
    with h5py.File(folder / "edges.h5", "r+") as file:
        file["edges/v1_v1/0/distance"] = np.ones(3)
        file["edges/v1_v1/0/afferent_section_id"] = np.zeros(3, np.int64)  # of the format, for cells with a shape
    with h5py.File(folder / "v1.h5", "r+") as file:
        file["nodes/v1/0/tuning_angle"] = np.ones(4)
        file["nodes/v1/0/x"] = np.ones(4)
    config = json.loads((folder / "circuit_config.json").read_text())
    config |= {"target_simulator": "NEST", "inputs": {}}
    (folder / "circuit_config.json").write_text(json.dumps(config))
    with pytest.warns(tb.ExchangeWarning) as caught:
        network = tb.read_sonata(folder)
    (warning,) = caught
    assert str(warning.message) == (
        f"{folder / 'circuit_config.json'}: read without what is not known here ("
        "circuit_config.json: sections: inputs; v1.h5: /nodes/v1/0: tuning_angle; types.csv: columns: target_query; "
        "edges.h5: /edges/v1_v1/0: distance)"
    )
    assert warning.filename == __file__
    assert weights_of(network) == without


def test_a_missing_circuit_is_one_error(tmp_path):
    with pytest.raises(tb.ExchangeError, match="nothing: expected a file, found none"):
        tb.read_sonata(tmp_path / "nothing")


def weights_of(network):
    (table,), (block,) = network.tables, network.blocks
    return (table.weight * block.inlets[0].quantum).tolist()


def test_an_edge_of_several_synapses_weighs_as_many_times_more(folder):
    other_programs_circuit(folder)
    single = weights_of(tb.read_sonata(folder))
    types = (folder / "types.csv").read_text().splitlines()
    (folder / "types.csv").write_text(f"{types[0]} nsyns\n{types[1]} 3\n{types[2]} 1\n")
    # Edges of type 1 have three synapses: the two of weight 10, and that of weight 4.
    expected = sorted(3 * w if round(w) in (10, 4) else w for w in single)
    assert sorted(weights_of(tb.read_sonata(folder))) == pytest.approx(expected, rel=1e-6)
    with h5py.File(folder / "edges.h5", "r+") as file:
        file["edges/v1_v1/0/nsyns"] = np.array([2, 5, 0])
        file["edges/lgn_v1/0/nsyns"] = np.array([1, 1])
    own = sorted([1 * 2, -2 * 5, 4 * 0, 10, 10])
    assert sorted(weights_of(tb.read_sonata(folder))) == pytest.approx(own, abs=1e-5)


@pytest.mark.parametrize("value", ["1_0", "１２", "ten", "nan", "infinity"])
def test_what_is_no_number_in_a_table_is_refused(folder, value):
    other_programs_circuit(folder)
    (folder / "types.csv").write_text(f"edge_type_id syn_weight delay\n1 {value} 1.5\n2 0.5 2.0\n")
    with pytest.raises(tb.ExchangeError, match=r"edge (type )?\d: expected a number"):
        tb.read_sonata(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [("model_template", "stdp_synapse"), ("weight_function", "gaussianLL"), ("weight_sigma", "2.0")],
)
def test_what_would_change_an_edge_is_refused_by_its_name(folder, name, value):
    other_programs_circuit(folder)
    (folder / "types.csv").write_text(f"edge_type_id syn_weight delay {name}\n1 10.0 1.5 {value}\n2 0.5 2.0 NULL\n")
    with pytest.raises(tb.ExchangeError, match=rf"types\.csv: edge type 1: {name}: expected static .* found '{value}'"):
        tb.read_sonata(folder)


def test_parameters_of_edges_are_refused_by_their_names_unless_there_are_none(folder):
    other_programs_circuit(folder)
    (folder / "types.csv").write_text(
        "edge_type_id syn_weight delay dynamics_params\n1 10.0 1.5 syn.json\n2 0.5 2.0 NULL\n"
    )
    (folder / "syn.json").write_text("{}")
    assert len(weights_of(tb.read_sonata(folder))) == 5
    (folder / "syn.json").write_text('{"tau_psc": 3.0}')
    with pytest.raises(tb.ExchangeError, match=r"edge type 1: dynamics_params: .* found 'tau_psc' in syn\.json"):
        tb.read_sonata(folder)
    (folder / "types.csv").write_text("edge_type_id syn_weight delay\n1 10.0 1.5\n2 0.5 2.0\n")
    with h5py.File(folder / "edges.h5", "r+") as file:
        file["edges/v1_v1/0/dynamics_params/U"] = np.ones(3)
    with pytest.raises(tb.ExchangeError, match="/edges/v1_v1/0/dynamics_params: expected static synapses"):
        tb.read_sonata(folder)


def with_entries(folder, change):
    config = json.loads((folder / "circuit_config.json").read_text())
    change(config["networks"])
    (folder / "circuit_config.json").write_text(json.dumps(config))


def test_edges_that_are_listed_twice_are_refused(leaky):
    with_entries(leaky, lambda networks: networks["edges"].append(networks["edges"][0]))
    with pytest.raises(tb.ExchangeError, match=r"expected edge populations of different names, found '.*' twice"):
        tb.read_sonata(leaky)


def test_populations_that_a_configuration_leaves_out_are_not_read(folder):
    other_programs_circuit(folder)
    assert len(weights_of(tb.read_sonata(folder))) == 5
    with_entries(folder, lambda networks: networks["edges"][0].update(populations={"v1_v1": {}}))
    assert len(weights_of(tb.read_sonata(folder))) == 3
    with_entries(folder, lambda networks: networks["nodes"][0].update(populations={"v1": {"type": "point_neuron"}}))
    assert [p.population for p in tb.read_sonata(folder).populations] == ["layer four", "v1_8"]
    with_entries(folder, lambda networks: networks["nodes"][0].update(populations={}))
    with pytest.raises(tb.ExchangeError, match=r"networks\.nodes\[0\]\.populations: expected a table with a"):
        tb.read_sonata(folder)


def test_a_type_in_the_configuration_counts_where_the_table_has_none(folder):
    other_programs_circuit(folder)
    expected = tb.read_sonata(folder)
    (folder / "v1_types.csv").write_text((folder / "v1_types.csv").read_text().replace("9 virtual", "9 NULL"))
    types = {"v1": {}, "lgn": {"type": "virtual"}}
    with_entries(folder, lambda networks: networks["nodes"][0].update(populations=types))
    assert weights_of(tb.read_sonata(folder)) == weights_of(expected)


@pytest.mark.parametrize(
    ("name", "place", "right", "wrong", "part"),
    [
        ("edges", "edges/inh__to__exc/0/delay", "millisecond", "s", "expected units 'ms', found 's'; convert the val"),
        ("edges", "edges/inh__to__exc/0/syn_weight", "pA", "nS", "expected units 'pA', found 'nS'"),
        ("nodes", "nodes/exc/0/dynamics_params/V_th", "mV", "V", "expected units 'mV', found 'V'"),
        ("nodes", "nodes/exc/0/g_L", "nS", "", "expected units 'nS', found ''"),
    ],
)
def test_units_of_a_dataset_are_read(name, place, right, wrong, part, leaky):
    for units in (right, [right], wrong):
        with h5py.File(leaky / f"{name}.h5", "r+") as file:
            file[place].attrs["units"] = units
        if units != wrong:
            tb.read_sonata(leaky)
    with pytest.raises(tb.ExchangeError, match=re.escape(f"/{place}: {part}")):
        tb.read_sonata(leaky)


def test_units_of_our_own_models_are_read(folder):
    tb.write_sonata(leaky_region("delta"), folder)
    place = "nodes/exc/0/dynamics_params/initial_v"
    with h5py.File(folder / "nodes.h5", "r+") as file:
        file[place].attrs["units"] = "uV"
    with pytest.raises(tb.ExchangeError, match=f"/{place}: expected units 'mV', found 'uV'"):
        tb.read_sonata(folder)


def test_a_rate_is_in_the_unit_that_the_file_says(folder):
    a = {"values": [0.02, 0.03], "unit": "1/ms"}
    cells = {"c": {"model": "izhikevich_2003", "receptors": ["current"], "parameters": {"a": a}}}
    populations = {"p": {"cell": "c", "size": 2}}
    tb.write_sonata(tb.Region.parse({"name": "test/rates", "cells": cells, "populations": populations}), folder)

    def read(units):
        with h5py.File(folder / "nodes.h5", "r+") as file:
            file["nodes/p/0/dynamics_params/a"].attrs["units"] = units
        return tb.read_sonata(folder)

    # Euler's step keeps 1 - a*dt of u.
    (block,) = read("1/ms").blocks
    assert any(np.allclose(values, 1 - np.array([0.02, 0.03]) * 0.1) for values in block.constants.values())
    with pytest.raises(tb.ExchangeError, match="dynamics_params/a: expected units '1/ms', found 'Hz'; convert"):
        read("Hz")


def test_receptors_of_one_name_that_differ_are_refused(folder):
    def region(name, model, tau):
        own = {"equations": "dI_r/dt = -I_r/tau_r : amp\ntau_r : second", "jump": "I_r", "current": "I_r"}
        receptors = {"r": own | {"parameters": {"tau_r": tau}}}
        cells, populations = {"c": {"model": model, "receptors": ["r"]}}, {"p": {"cell": "c", "size": 2}}
        return {"name": name, "receptors": receptors, "cells": cells, "populations": populations}

    connectome = tb.Connectome([[0.0] * 2] * 2, [[0.0] * 2] * 2, ["a", "b"])
    regions = {"a": region("test/a", "lif_current", "2 ms"), "b": region("test/b", "izhikevich_2003", "9 ms")}
    brain = tb.Brain(connectome=connectome, regions={k: tb.Region.parse(v) for k, v in regions.items()})
    with pytest.raises(tb.ExchangeError, match="SONATA cannot express: receptor r: expected one definition, found two"):
        tb.write_sonata(brain, folder)
    assert not folder.exists()


def test_other_kinds_of_nodes_are_refused(folder):
    other_programs_circuit(folder)
    text = (folder / "v1_types.csv").read_text().replace("7 point_neuron", "7 biophysical")
    (folder / "v1_types.csv").write_text(text)
    with pytest.raises(tb.ExchangeError, match=r"expected a model_type point_neuron, .* found 'biophysical'"):
        tb.read_sonata(folder)
