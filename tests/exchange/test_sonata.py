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
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Workflow


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


@pytest.fixture(scope="module")
def run():
    return tb.simulate(leaky_region(), duration="200 ms", window="50 ms", seed=3, engine="reference")


def test_libsonata_reads_the_spikes_of_a_run(run, folder):
    region = leaky_region()
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
    tb.write_sonata(region, folder, seed=3, overwrite=True)
    assert not (folder / "spikes.h5").exists()


def test_a_run_of_which_spikes_were_selected_is_refused(run, folder):
    for selected in (run.isel(spike=slice(0, 10)), run.isel(spike=0), run.isel(spike=slice(None, None, 2))):
        with pytest.raises(tb.ExchangeError, match="expected all spikes of one run, found some that were selected"):
            tb.write_sonata(leaky_region(), folder, seed=3, run=selected)
    with pytest.raises(tb.ExchangeError, match="expected spikes in the order of time"):
        tb.write_sonata(leaky_region(), folder, seed=3, run=run.isel(spike=slice(None, None, -1)))
    assert not folder.exists()


def test_a_run_of_another_model_is_refused(run, folder):
    """A run is of the model that it was made from, and of no other; what changes no spike may differ."""
    data = leaky_data()
    weight = [data["projections"][0] | {"weight": "2 mV"}, *data["projections"][1:]]
    cells = {"exc": data["cells"]["exc"] | {"initial": {"v": "-65 mV"}}, "inh": data["cells"]["inh"]}
    stimulus = tb.Stimulus(name="s", population="exc", current="1 pA", start="0 ms", duration="1 ms")
    workflow = Workflow(name="w", brain=single_region_brain(leaky_region()))
    others = {
        "brain.regions.*.projections[0].weight": Region.parse(data | {"projections": weight}),
        "brain.regions.*.cells.exc.initial.v": Region.parse(data | {"cells": cells}),
        "order of brain.regions.*.populations": Region.parse(
            data | {"populations": dict(reversed(data["populations"].items()))}
        ),
        "stimuli": workflow.replace(stimuli=(stimulus,)),
        "run.drive_seed": workflow.replace(run={"drive_seed": 7}),
    }
    for place, other in others.items():
        with pytest.raises(tb.ExchangeError, match=f"this model, found one with another {re.escape(place)}"):
            tb.write_sonata(other, folder, seed=3, run=run, drives="drop")
    with pytest.raises(tb.ExchangeError, match="expected a run of this model with seed 4 and"):
        tb.write_sonata(leaky_region(), folder, seed=4, run=run)
    assert not folder.exists()
    same = leaky_region().replace(summary="other words")
    tb.write_sonata(Workflow(name="w", brain=single_region_brain(same), run={"drive_seed": 3}), folder, seed=3, run=run)
