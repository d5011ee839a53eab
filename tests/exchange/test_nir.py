"""NIR files: what is written is what is read, by us and by others."""

import brian2
import h5py
import nir
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_brain, build_region
from tests.exchange.models import leaky_data, leaky_region, spikes_of
from twinbrain.spec.region import Region

N_STEPS = 3000


@pytest.mark.parametrize("spikes", ["impulse", "step"])
@pytest.mark.parametrize("receptor", ["delta", "exponential_current"])
def test_a_region_that_is_written_and_read_has_the_same_spikes(receptor, spikes, file):
    region = leaky_region(receptor)
    tb.write_nir(region, file, seed=3, spikes=spikes)
    expected = spikes_of(build_region(region, seed=3))
    found = tb.read_nir(file)
    assert len(expected) > 26 * 5
    np.testing.assert_array_equal(spikes_of(found), expected)
    assert [(p.region, p.population, p.start, p.transmitter) for p in found.populations] == [
        ("test/leaky", "exc", 0, "glutamate"),
        ("test/leaky", "inh", 20, "gaba"),
    ]


def weights_of(network):
    (table,), (block,) = network.tables, network.blocks
    (quantum,) = {inlet.quantum for inlet in block.inlets if inlet.receptor == table.receptor}
    return table.weight * quantum


@pytest.mark.parametrize("spikes", ["impulse", "step"])
@pytest.mark.parametrize("receptor", ["delta", "exponential_current"])
def test_a_spike_is_worth_as_much_in_another_time_step(receptor, spikes, file):
    """A file says that one of weight w raises v by w mV, or the current by w pA, whoever reads it."""
    tb.write_nir(leaky_region(receptor), file, seed=3, spikes=spikes)
    expected = weights_of(tb.read_nir(file))
    for dt in ("0.05 ms", "0.2 ms"):
        network = tb.read_nir(file, dt=dt, spikes=spikes)
        assert f"{network.dt:g} ms" == dt
        np.testing.assert_array_equal(weights_of(network), expected)


def test_a_brain_that_is_written_and_read_has_the_same_spikes(file):
    data = leaky_data("exponential_current")
    data["projections"] = [own | {"delay": "0.4 ms"} for own in data["projections"]]
    data["ports"] = {"outputs": ["exc"], "inputs": {"inh": {"share": 1, "glutamate": "exponential_current"}}}
    weight = 1.0 - np.eye(3)
    brain = tb.Brain(
        connectome=tb.Connectome(weight, 20 * weight, ["A", "B", "C"]),
        regions={"*": Region.parse(data)},
        long_range=tb.LongRange(in_degree=5, weight="60 pA"),
        coupling=1.5,
    )
    tb.write_nir(brain, file, dt="0.2 ms", seed=1)
    network = tb.read_nir(file)
    assert network.dt == 0.2
    assert {table.origin for table in network.tables} == {"local", "long_range"}
    expected = build_brain(brain, dt=0.2, seed=1)
    np.testing.assert_array_equal(spikes_of(network, 1000), spikes_of(expected, 1000))


def test_the_fields_count_where_another_program_has_changed_them(file):
    tb.write_nir(leaky_region(), file)
    with h5py.File(file, "r+") as found:
        found["node/nodes/inh/v_threshold"][:] = -64.0
    before, after = spikes_of(build_region(leaky_region(), seed=0), 500), spikes_of(tb.read_nir(file), 500)
    assert (after[:, 1] >= 20).sum() > 2 * (before[:, 1] >= 20).sum()


# What another program makes of a file: NIR's equations in Brian2, by the fields alone and in continuous time.
EQUATIONS = {
    "LIF": """
        dv/dt = (v_leak - v)/tau : 1 (unless refractory)
        tau : second
        """,
    "CubaLIF": """
        dv/dt = (v_leak - v + r*I)/tau_mem : 1 (unless refractory)
        dI/dt = -I/tau_syn : 1
        tau_mem : second
        tau_syn : second
        w_in : second
        """,
}


FURTHER = """
    r : 1
    v_leak : 1
    v_threshold : 1
    v_reset : 1
"""


ON_SPIKE = {"LIF": "v_post += seconds*r_post*weight/tau_post", "CubaLIF": "I_post += w_in_post*weight/tau_syn_post"}


def spikes_in_brian2(path, n_steps, dt):
    """Simulate a file: a spike is a Dirac impulse, which reaches a LIF at the end of a step, before the threshold."""
    graph = nir.read(path)
    second = brian2.second
    groups, objects = {}, []
    for name, node in graph.nodes.items():
        kind = type(node).__name__
        if kind not in EQUATIONS:
            continue
        fields = {key: value for key, value in vars(node).items() if isinstance(value, np.ndarray)}
        group = brian2.NeuronGroup(
            len(node.v_threshold),
            EQUATIONS[kind] + FURTHER,
            threshold="v > v_threshold",
            reset="v = v_reset",
            method="exact",
            dt=dt * second,
        )
        for key, value in fields.items():
            setattr(group, key, value * (second if key in ("tau", "tau_mem", "tau_syn", "w_in") else 1))
        for key, value in node.metadata["initial"].items():
            setattr(group, key.removesuffix("_exponential_current"), value)
        groups[name] = (kind, group, brian2.SpikeMonitor(group), int(node.metadata["number"]))
        objects += groups[name][1:3]
    after = dict(graph.edges)
    for source, delays in graph.edges:
        if source not in groups or not isinstance(graph.nodes[delays], nir.Delay):
            continue
        weights = graph.nodes[after[delays]]
        kind, target = groups[after[after[delays]]][:2]
        synapses = brian2.Synapses(
            groups[source][1], target, "weight : 1", on_pre=ON_SPIKE[kind], namespace={"seconds": second}
        )
        # Spikes wait in Brian2 from the slot in which they are taken up, for the LIF that of the next step.
        synapses.pre.when, earlier = ("before_thresholds", dt) if kind == "LIF" else ("after_resets", 0)
        to, from_ = np.nonzero(weights.weight)
        synapses.connect(i=from_, j=to)
        synapses.weight = weights.weight[to, from_]
        synapses.pre.delay = (graph.nodes[delays].delay[from_] - earlier) * second
        objects.append(synapses)
    brian2.Network(*objects).run(n_steps * dt * second)
    rows, first = [], 0
    for _, group, monitor, _ in sorted(groups.values(), key=lambda found: found[3]):
        rows.append(np.column_stack([np.rint(monitor.t / second / dt).astype(int), monitor.i + first]))
        first += len(group)
    found = np.concatenate(rows)
    return found[np.lexsort([found[:, 1], found[:, 0]])]


@pytest.fixture
def plain_numpy():
    """Plain Brian2, interpreted."""
    before = brian2.prefs["codegen.target"]
    brian2.prefs["codegen.target"] = "numpy"
    yield
    brian2.prefs["codegen.target"] = before


@pytest.mark.usefixtures("plain_numpy")
@pytest.mark.parametrize("receptor", ["delta", "exponential_current"])
def test_another_program_has_the_same_spikes_from_the_fields_of_a_file(receptor, file):
    region = leaky_region(receptor)
    tb.write_nir(region, file)
    expected = spikes_of(build_region(region, seed=0))
    assert len(expected) > 26 * 5
    np.testing.assert_array_equal(spikes_in_brian2(file, N_STEPS, 1e-4), expected)


def test_what_is_kept_beside_a_node_adds_no_current_to_its_fields(file):
    data = leaky_data("delta")
    data["cells"]["inh"]["parameters"]["I_e"] = "0 pA"
    data["projections"] = []
    tb.write_nir(Region.parse(data), file)
    expected = spikes_of(tb.read_nir(file), 1000)
    with h5py.File(file, "r+") as found:
        kept = found["node/nodes/inh/metadata"]
        kept["receptors"][()] = "delta ou_current"
        kept["parameters/mean_ou_current"] = np.full(6, 500.0)
    np.testing.assert_array_equal(spikes_of(tb.read_nir(file), 1000), expected)
    with h5py.File(file, "r+") as found:
        found["node/nodes/inh/metadata/initial/I_exponential_current"] = np.full(6, 500.0)
    with pytest.raises(tb.ExchangeError, match=r"metadata.initial of 'inh': expected v, which a LIF has, found 'I_exp"):
        tb.read_nir(file)
