"""Circuits of other programs: their types, their edges, their configuration."""

import json

import h5py
import numpy as np
import pytest

import twinbrain as tb
from twinbrain.engines.base import Spikes
from twinbrain.engines.reference import prepare as reference


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


def test_delays_below_a_step_become_one_and_are_told(folder):
    other_programs_circuit(folder)
    with pytest.warns(tb.ExchangeWarning, match="3 delays, the shortest of 1.5 ms, became one step of 4 ms") as told:
        network = tb.read_sonata(folder, dt="4 ms")
    assert told[0].filename == __file__
    assert network.max_delay == 1


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


def test_other_kinds_of_nodes_are_refused(folder):
    other_programs_circuit(folder)
    text = (folder / "v1_types.csv").read_text().replace("7 point_neuron", "7 biophysical")
    (folder / "v1_types.csv").write_text(text)
    with pytest.raises(tb.ExchangeError, match=r"expected a model_type point_neuron, .* found 'biophysical'"):
        tb.read_sonata(folder)
