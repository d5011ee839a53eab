"""NEST has the same spikes from the files of a SONATA circuit; only where NEST is installed."""

import json

import h5py
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_region
from tests.exchange.models import leaky_data, spikes_of
from twinbrain.spec.region import Region

nest = pytest.importorskip("nest")


def spikes_in_nest(folder, names, n_steps, dt):
    """Simulate a circuit in NEST by its templates, parameters, weights and delays alone."""
    nest.ResetKernel()
    nest.resolution = dt
    populations, numbers = {}, {}
    with h5py.File(folder / "nodes.h5") as file:
        for name in names:
            shared = json.loads((folder / "components" / f"{name}.json").read_text())
            group = file["nodes"][name]
            neurons = nest.Create("iaf_psc_exp", len(group["node_type_id"]), params=shared)
            for parameter, values in group["0/dynamics_params"].items():
                for neuron, value in zip(neurons, values[()], strict=True):
                    neuron.set({parameter: float(value)})
            populations[name] = np.array(neurons.tolist())
            numbers |= {number: len(numbers) + i for i, number in enumerate(neurons.tolist())}
    recorder = nest.Create("spike_recorder")
    nest.Connect(nest.NodeCollection(sorted(numbers)), recorder)
    with h5py.File(folder / "edges.h5") as file:
        for group in file["edges"].values():
            source, target = (
                populations[group[end].attrs["node_population"]][group[end][()]]
                for end in ("source_node_id", "target_node_id")
            )
            synapses = {"weight": group["0/syn_weight"][()], "delay": group["0/delay"][()]}
            nest.Connect(source, target, "one_to_one", synapses)
    nest.Simulate(n_steps * dt)
    # NEST labels a spike with the end of its step.
    step = np.rint(recorder.events["times"] / dt).astype(int) - 1
    rows = np.column_stack([step, [numbers[number] for number in recorder.events["senders"]]])
    return rows[np.lexsort([rows[:, 1], rows[:, 0]])]


def test_nest_has_the_same_spikes(tmp_path):
    data = leaky_data("exponential_current")
    data["cells"]["exc"]["parameters"]["t_ref"] = {"uniform": ["0 ms", "3 ms"]}
    data["cells"]["inh"]["parameters"]["t_ref"] = "0.1 ms"
    region = Region.parse(data)
    tb.write_sonata(region, tmp_path / "circuit")
    found = spikes_in_nest(tmp_path / "circuit", ["exc", "inh"], 3001, 0.1)
    expected = spikes_of(build_region(region, seed=0), 3000)
    assert len(expected) > 26 * 5
    np.testing.assert_array_equal(found[found[:, 0] < 3000], expected)
