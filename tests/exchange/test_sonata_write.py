"""What is written as SONATA, and what is refused."""

import json

import h5py
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import relay_region
from tests.exchange.models import leaky_data, leaky_region


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


@pytest.mark.parametrize("name", ["thesis.txt", "components/mine.json", "output/"])
def test_a_folder_with_files_of_a_persons_own_is_not_replaced(name, leaky):
    if name.endswith("/"):
        (leaky / name).mkdir()
    else:
        (leaky / name).write_text("mine")
    with pytest.raises(tb.ExchangeError, match=f"found {name}; move that elsewhere"):
        tb.write_sonata(leaky_region(), leaky, overwrite=True)
    assert (leaky / name).exists()


def change_configuration(folder):
    path = folder / "simulation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"network": {"nodes": []}}))


def change_attribute(folder):
    with h5py.File(folder / "nodes.h5", "a") as file:
        file["nodes/exc"].attrs["animal"] = "rat 12"


def change_component(folder):
    path = folder / "components" / "exc.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source": "my fit"}))


def change_table(folder):
    with (folder / "node_types.csv").open("a") as file:
        file.write("77 of my own\n")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (change_configuration, "simulation_config.json"),
        (change_attribute, "nodes.h5"),
        (change_component, "components/exc.json"),
        (change_table, "node_types.csv"),
    ],
)
def test_a_circuit_in_which_a_person_changed_a_file_is_not_replaced(change, name, leaky):
    change(leaky)
    before = (leaky / name).read_bytes()
    with pytest.raises(tb.ExchangeError, match=rf"found {name} \(which has changed\); move that elsewhere"):
        tb.write_sonata(leaky_region(), leaky, overwrite=True)
    assert (leaky / name).read_bytes() == before


def test_spikes_of_a_simulator_are_not_replaced(leaky):
    with h5py.File(leaky / "spikes.h5", "w") as file:
        file["spikes/exc/timestamps"] = np.arange(3.0)
    with pytest.raises(tb.ExchangeError, match=r"found spikes\.h5; move that elsewhere"):
        tb.write_sonata(leaky_region(), leaky, overwrite=True)
    assert (leaky / "spikes.h5").exists()


def test_a_circuit_of_another_program_is_not_replaced(leaky):
    (leaky / "written.json").unlink()
    with pytest.raises(tb.ExchangeError, match=r"found circuit_config\.json, components/, edge"):
        tb.write_sonata(leaky_region(), leaky, overwrite=True)


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


@pytest.mark.parametrize(("place", "part"), [("label", "label"), ("name", "name"), ("population", "name")])
def test_a_name_that_stands_for_no_value_is_refused(place, part, folder):
    data = leaky_data() | ({"name": "NULL"} if place == "name" else {})
    if place == "population":
        data |= {"populations": {"NULL": data["populations"]["exc"]}, "projections": []}
    connectome = tb.Connectome([[0.0]], [[0.0]], ["NULL" if place == "label" else "A"])
    brain = tb.Brain(connectome=connectome, regions={"*": tb.Region.parse(data)})
    with pytest.raises(tb.ExchangeError, match=f"region .*: population .*: {part}: expected another name than NULL"):
        tb.write_sonata(brain, folder)
    assert not folder.exists()


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


OWN = """dv/dt = (E_L - v + R*(I_e + I_syn))/tau : volt
E_L : volt
R : ohm
tau : second
I_e : amp
V_th : volt
NAME : volt"""


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("initial_v", "stands for 'v' at time zero"),
        ("initial_w", "stands for 'w' at time zero"),
        ("label", "is a column of node types"),
        ("population", "is a column of node types"),
        ("node_type_id", "is a column of node types"),
        ("receptors", "is a column of node types"),
    ],
)
def test_a_parameter_that_would_be_read_as_something_else_is_refused(name, meaning, folder):
    parameters = {"E_L": "-65 mV", "R": "40 Mohm", "tau": "10 ms", "I_e": "500 pA", "V_th": "-50 mV", name: "-65 mV"}
    model = {"equations": OWN.replace("NAME", name), "threshold": "v > V_th", "reset": f"v = {name}"}
    model |= {"method": "exponential_euler", "initial": {"v": "-60 mV"}, "parameters": parameters}
    cells = {"c": {"model": "m", "receptors": ["exponential_current"]}}
    data = {"name": "x/y", "models": {"m": model}, "cells": cells, "populations": {"a": {"cell": "c", "size": 2}}}
    message = rf"population a\.{name}: expected another name than {name}, which {meaning} there; rename"
    with pytest.raises(tb.ExchangeError, match=message):
        tb.write_sonata(tb.Region.parse(data), folder)
    assert not folder.exists()


def test_pairs_of_populations_whose_names_read_alike_are_told_apart(folder):
    names = ("a", "b__to__c", "a__to__b", "c")
    given = {"receptor": "delta", "connect": {"in_degree": 1}, "weight": "1 mV", "delay": "1 ms"}
    region = tb.Region.parse(
        {
            "name": "x/y",
            "cells": {"c": {"model": "lif_current", "receptors": ["delta"]}},
            "populations": {name: {"cell": "c", "size": size} for size, name in enumerate(names, start=2)},
            "projections": [{"source": names[i], "target": names[i + 1]} | given for i in (0, 2)],
        }
    )
    tb.write_sonata(region, folder)
    with h5py.File(folder / "edges.h5") as file:
        assert list(file["edges"]) == ["a__to__b__to__c", "a__to__b__to__c_2"]
    assert sum(table.n_synapses for table in tb.read_sonata(folder).tables) == 3 + 5
