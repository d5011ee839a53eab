"""Circuits of SONATA with a fault in one of their files."""

import json
import re

import h5py
import numpy as np
import pytest

import twinbrain as tb
from tests.exchange.models import leaky_region


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


def test_a_missing_circuit_is_one_error(tmp_path):
    with pytest.raises(tb.ExchangeError, match="nothing: expected a file, found none"):
        tb.read_sonata(tmp_path / "nothing")


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


def test_a_unit_is_read_by_whatever_name_it_stands(leaky):
    for key, unit in (("unit", "pA"), ("Units", "nA")):
        with h5py.File(leaky / "edges.h5", "r+") as file:
            file["edges/inh__to__exc/0/syn_weight"].attrs[key] = unit
        if unit == "pA":
            tb.read_sonata(leaky)
    with pytest.raises(tb.ExchangeError, match="syn_weight: expected numbers in one unit, found 'nA' and 'pA'"):
        tb.read_sonata(leaky)
    with h5py.File(leaky / "edges.h5", "r+") as file:
        del file["edges/inh__to__exc/0/syn_weight"].attrs["unit"]
    with pytest.raises(tb.ExchangeError, match="syn_weight: expected units 'pA', found 'nA'"):
        tb.read_sonata(leaky)


def test_units_of_our_own_models_are_read(folder):
    tb.write_sonata(leaky_region("delta"), folder)
    place = "nodes/exc/0/dynamics_params/initial_v"
    with h5py.File(folder / "nodes.h5", "r+") as file:
        file[place].attrs["units"] = "uV"
    with pytest.raises(tb.ExchangeError, match=f"/{place}: expected units 'mV', found 'uV'"):
        tb.read_sonata(folder)
