"""NIR files: what is written is what is read, by us and by others."""

import brian2
import h5py
import nir
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_brain, build_region, relay_region, small_brain, two_population_region
from tests.exchange.models import leaky_data, leaky_region, spikes_of
from twinbrain.engines.base import Spikes
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.region import Region

N_STEPS = 3000


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.nir"


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


def problems_of(region, file, **options):
    with pytest.raises(tb.ExchangeError) as caught:
        tb.write_nir(region, file, **options)
    assert list(file.parent.iterdir()) == []
    return str(caught.value).splitlines()


def test_all_that_nir_cannot_express_is_refused_by_name_and_nothing_is_written(file):
    found = problems_of(two_population_region(), file)
    assert (
        "NIR cannot express: region test/cortex: population pyr.model: expected lif_current, found adex"
        in "\n".join(found)
    )
    for part in (
        "population pyr.receptors: expected delta or exponential_current, found ampa, gaba_a, gaba_b, nmda",
        "population pv.model: expected lif_current, found lif_conductance",
        "region test/cortex: population pyr -> population pyr: expected one delay for all synapses of a source neuron",
        "region test/cortex: drive 1 pv:ampa: expected no input from outside, found a Poisson drive; "
        'leave it out with drives="drop"',
    ):
        assert any(part in line for line in found), part
    assert not any("drive" in line for line in problems_of(two_population_region(), file, drives="drop"))


def test_plastic_synapses_are_refused_by_name(file):
    data = leaky_data("delta")
    data["projections"][0]["plasticity"] = "tsodyks_markram"
    (line,) = problems_of(Region.parse(data), file)
    assert "projection exc->exc:delta" in line
    assert "plastic" in line


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("izhikevich_2007", "population relay.model: expected lif_current, found izhikevich_2007"),
        ("lif_current", "population local.t_ref: expected no refractory period, found up to 2 ms; set t_ref to 0 ms"),
    ],
)
def test_what_a_leaky_neuron_has_not_is_refused(model, part, file):
    assert any(part in line for line in problems_of(relay_region(), file, drives="drop")), model


def test_a_fault_of_a_region_is_told_once_however_many_nodes_it_stands_at(file):
    found = problems_of(small_brain(5), file)
    assert len(found) == len(set(found))
    assert sum("population pyr.model" in line for line in found) == 1
    assert sum("drive 0 pyr:ampa" in line for line in found) == 1


def test_initial_currents_of_a_neuron_without_them_are_refused(file):
    data = leaky_data("delta")
    data["cells"]["inh"]["receptors"] = ["delta", "exponential_current"]
    data["cells"]["inh"]["initial"]["I_exponential_current"] = "10 pA"
    (found,) = problems_of(Region.parse(data), file)
    assert "population inh.initial" in found
    assert "I_exponential_current" in found


RECEPTORS = {
    # A conductance that is always open: I = g (E - v) flows though nothing arrives.
    "tonic": {
        "equations": """
            I_tonic = g_tonic*(E_tonic - v) + x_tonic : amp
            dx_tonic/dt = -x_tonic/tau_tonic : amp
            g_tonic : siemens
            E_tonic : volt
            tau_tonic : second
        """,
        "jump": "x_tonic",
        "current": "I_tonic",
        "parameters": {"g_tonic": "10 nS", "E_tonic": "0 mV", "tau_tonic": "5 ms"},
    },
    # A variable that goes its own way is no current.
    "counted": {
        "equations": """
            dI_counted/dt = -I_counted/tau_counted : amp
            dn_counted/dt = (1 - n_counted)/tau_counted : 1
            tau_counted : second
        """,
        "jump": "I_counted",
        "current": "I_counted",
        "parameters": {"tau_counted": "5 ms"},
    },
}


def with_receptor(name, **parameters):
    data = leaky_data("delta")
    data["receptors"] = {name: RECEPTORS[name] | {"parameters": RECEPTORS[name]["parameters"] | parameters}}
    data["cells"]["exc"]["receptors"] = ["delta", name]
    return Region.parse(data)


def test_a_receptor_that_gives_a_current_of_itself_is_refused(file):
    (found,) = problems_of(with_receptor("tonic"), file)
    assert "population exc.receptors: expected no current but I_e, found one that tonic gives though nothing" in found


@pytest.mark.parametrize("region", [with_receptor("tonic", g_tonic="0 nS"), with_receptor("counted")])
def test_a_receptor_that_gives_nothing_of_itself_is_left_out(region, file):
    tb.write_nir(region, file)
    np.testing.assert_array_equal(spikes_of(tb.read_nir(file), 1000), spikes_of(build_region(region, seed=0), 1000))


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


def test_more_dense_weights_than_a_file_should_hold_are_refused(file):
    data = leaky_data()
    data["populations"]["exc"]["size"] = 5001
    data["projections"][0]["connect"] = {"total": 10}
    (found,) = problems_of(Region.parse(data), file)
    assert "expected at most 25,000,000 entries of dense weights, found 25,07" in found
    assert "SONATA" in found


def test_delays_that_differ_by_source_are_kept_each_in_its_channel(file):
    data = leaky_data()
    del data["projections"][1:]
    data["projections"][0] |= {
        "connect": {"one_to_one": True, "autapses": True},
        "delay": {"uniform": ["0.1 ms", "5 ms"]},
    }
    tb.write_nir(Region.parse(data), file)
    built, found = build_region(Region.parse(data), seed=0), tb.read_nir(file)
    assert len(set(built.tables[0].delay)) > 10
    np.testing.assert_array_equal(found.tables[0].delay, built.tables[0].delay)
    # A spike raises v at the end of a step: one step later than a current.
    delays = nir.read(file).nodes["exc_to_exc_delay"].delay
    np.testing.assert_allclose(delays, (built.tables[0].delay + 1) * 1e-4, rtol=1e-12)


def test_a_file_that_stands_is_kept_unless_its_replacement_is_allowed(file):
    tb.write_nir(leaky_region(), file)
    before = file.read_bytes()
    with pytest.raises(tb.ExchangeError, match="expected a path that is free"):
        tb.write_nir(leaky_region(), file, seed=1)
    assert file.read_bytes() == before
    tb.write_nir(leaky_region(), file, seed=1, overwrite=True)
    assert file.read_bytes() != before


def lif(n, **fields):
    values = {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | fields
    return nir.LIF(**{name: np.full(n, value) for name, value in values.items()})


def write(file, nodes, edges):
    nir.write(file, nir.NIRGraph(nodes=nodes, edges=edges))


def test_a_reset_above_the_threshold_is_refused(file):
    write(file, {"l": lif(2, v_reset=2.0)}, [])
    with pytest.raises(tb.SpecError, match=r"parameters\.V_reset: expected V_reset < V_th, found V_reset = 2 mV"):
        tb.read_nir(file)


def test_a_file_of_another_program_is_read_layer_by_layer(file):
    """Input -> Affine -> LIF -> Linear -> CubaLIF, as a trained network is exported; a spike is 1 for a step."""
    rng = np.random.default_rng(1)
    dt, beta = 1e-3, 0.9
    first, bias, second = rng.normal(0, 1, (4, 3)), rng.normal(0, 0.05, 4), rng.normal(0, 1, (2, 4))
    tau = dt / (1 - beta)
    cuba = {"tau_mem": 0.02, "tau_syn": 0.005, "r": 1.0, "w_in": 5.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    nodes = {
        "input": nir.Input(np.array([3])),
        "0": nir.Affine(first, bias),
        "1": lif(4, tau=tau, r=tau / dt),
        "2": nir.Linear(second),
        "3": nir.CubaLIF(**{name: np.full(2, value) for name, value in cuba.items()}),
        "output": nir.Output(np.array([2])),
    }
    write(file, nodes, list(zip(nodes, list(nodes)[1:], strict=False)))
    network = tb.read_nir(file, dt="1 ms", spikes="step")
    assert [(p.population, p.size) for p in network.populations] == [("1", 4), ("3", 2), ("input", 3)]
    weights = {}
    for table in network.tables:
        source = np.repeat(np.arange(9), np.diff(table.row_start))
        inlet = next(i for i in network.blocks[0].inlets if i.receptor == table.receptor)
        dense = np.zeros((9, 9))
        dense[table.post - inlet.start, source] = table.weight * inlet.quantum
        weights[table.receptor] = dense
    # r dt / tau = 1, and w_in dt / tau_syn = 1: weights stay what they are, up to a part in a million.
    np.testing.assert_allclose(weights["delta"][:4, 6:9], first, atol=1e-6)
    np.testing.assert_allclose(weights["exponential_current"][4:6, :4], second, atol=1e-6)

    # Without spikes from outside, v goes to r times the bias.
    simulation = reference(network)
    simulation.advance(200)
    rest = np.minimum(bias * tau / dt, 1)
    np.testing.assert_allclose(simulation.state().variables["lif_current/v"][:4][rest < 1], rest[rest < 1], rtol=1e-6)

    # An input's spikes are given from outside.
    quiet, driven = reference(network), reference(network)
    driven.inject(Spikes(np.array([0], np.int32), np.array([7], np.int32)))
    change = []
    for _ in range(4):
        before = [s.state().variables["lif_current/v"][:4] for s in (quiet, driven)]
        change.append(before[1] - before[0])
        for s in (quiet, driven):
            s.advance(1)
    # A spike of step 0 with a delay of one step is felt at the end of step 2: after three steps.
    assert not np.any(change[:3])
    below = np.abs(first[:, 1]) < 0.8
    np.testing.assert_allclose(change[3][below], first[below, 1], atol=1e-6)


def test_a_bias_of_a_synaptic_current_fills_it_from_zero(file):
    """tau_syn dI/dt = -I + w_in b and tau_mem dv/dt = -v + r I, from 0, solved by hand."""
    tau_mem, tau_syn, r, w_in, bias = 0.02, 0.005, 2.0, 3.0, 0.1
    cuba = {"tau_mem": tau_mem, "tau_syn": tau_syn, "r": r, "w_in": w_in}
    cuba |= {"v_leak": 0.0, "v_threshold": 9.0, "v_reset": 0.0}
    nodes = {
        "input": nir.Input(np.array([1])),
        "w": nir.Affine(np.ones((1, 1)), np.array([bias])),
        "n": nir.CubaLIF(**{name: np.array([value]) for name, value in cuba.items()}),
        "output": nir.Output(np.array([1])),
    }
    write(file, nodes, [("input", "w"), ("w", "n"), ("n", "output")])
    simulation = reference(tb.read_nir(file))
    simulation.advance(100)
    t = 0.01
    slow, fast = np.exp(-t / tau_mem), np.exp(-t / tau_syn)
    expected = r * w_in * bias * (1 - (tau_mem * slow - tau_syn * fast) / (tau_mem - tau_syn))
    assert simulation.state().variables["lif_current/v"][0] == pytest.approx(expected, rel=1e-9)


def test_a_recurrent_graph_within_a_graph_is_unfolded(file):
    """As snnTorch's RLeaky is exported, with one value for all neurons of a node."""
    recurrent = np.array([[0.0, 2.0], [0.5, 0.0]])
    inner = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([2])),
            "lif": lif(2),
            "w_rec": nir.Linear(recurrent),
            "output": nir.Output(np.array([2])),
        },
        edges=[("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    nodes = {
        "input": nir.Input(np.array([3])),
        "fc": nir.Linear(np.ones((2, 3))),
        "rnn": inner,
        "half": nir.Scale(np.array([0.5, 0.25])),
        "last": nir.Linear(np.array([[4.0, 4.0]])),
        "out": lif(1),
        "output": nir.Output(np.array([1])),
    }
    write(file, nodes, list(zip(nodes, list(nodes)[1:], strict=False)))
    network = tb.read_nir(file)
    assert [(p.population, p.size) for p in network.populations] == [("out", 1), ("rnn.lif", 2), ("input", 3)]
    (table,) = network.tables
    quantum = network.blocks[0].inlets[0].quantum
    source = np.repeat(np.arange(6), np.diff(table.row_start))
    # A Dirac impulse of weight w moves v by w r / tau, and tau is 10 ms.
    found = {(int(s), int(t)): w for s, t, w in zip(source, table.post, table.weight * quantum / 100.0, strict=True)}
    expected = {(1, 0): 2.0, (2, 0): 1.0, (1, 2): 0.5, (2, 1): 2.0} | {(s, t): 1.0 for s in (3, 4, 5) for t in (1, 2)}
    assert found == pytest.approx(expected, rel=1e-6)


def test_nodes_that_are_not_known_are_refused_by_name_all_at_once(file):
    one = np.ones(2)
    nodes = {
        "input": nir.Input(np.array([2])),
        "leak": nir.LI(one, one, one),
        "pure": nir.IF(one, one),
        "output": nir.Output(np.array([2])),
    }
    write(file, nodes, [("input", "leak"), ("leak", "pure"), ("pure", "output")])
    with h5py.File(file, "r+") as found:
        del found["node/nodes/output/type"]
        found["node/nodes/output/type"] = "Wormhole"
    with pytest.raises(tb.ExchangeError) as caught:
        tb.read_nir(file)
    for part in ("found LI 'leak'", "found IF 'pure'", "found Wormhole 'output'"):
        assert part in str(caught.value)


def test_a_loop_without_neurons_is_refused(file):
    nodes = {"input": nir.Input(np.array([1])), "a": nir.Linear(np.ones((1, 1))), "b": nir.Linear(np.ones((1, 1)))}
    nodes |= {"n": lif(1), "output": nir.Output(np.array([1]))}
    edges = [("input", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "output")]
    write(file, nodes, edges)
    with pytest.raises(tb.ExchangeError, match="expected neurons in every loop, found none in"):
        tb.read_nir(file)


def test_shapes_that_do_not_fit_are_refused(file):
    nodes = {"input": nir.Input(np.array([3])), "a": nir.Linear(np.ones((2, 3))), "n": lif(4)}
    nodes |= {"output": nir.Output(np.array([4]))}
    graph = nir.NIRGraph(nodes, [("input", "a"), ("a", "n"), ("n", "output")], type_check=False)
    nir.write(file, graph)
    with pytest.raises(tb.ExchangeError, match="expected 4 channels to reach 'n', found 2"):
        tb.read_nir(file)


def in_a_row(**changes):
    """Return an input, weights, a delay and two neurons one after the other, and the edges between them."""
    nodes = {"input": nir.Input(np.array([3])), "a": nir.Affine(np.ones((2, 3)), np.zeros(2))}
    nodes |= {"d": nir.Delay(np.full(2, 1e-3)), "n": lif(2), "output": nir.Output(np.array([2]))} | changes
    return nodes, list(zip(nodes, list(nodes)[1:], strict=False))


@pytest.mark.parametrize(
    ("node", "part"),
    [
        ({"a": nir.Affine(np.ones((2, 3)), np.zeros(3))}, "expected 2 values as bias of Affine 'a', one for each row"),
        ({"a": nir.Affine(np.ones((2, 3)), np.zeros(0))}, "one for each row of its weights, found 0"),
        ({"d": nir.Delay(np.array([1e-3, -1.0]))}, "expected delays of at least 0 s of 'd', found -1 s"),
        ({"d": nir.Delay(np.array([np.inf]))}, "expected finite values of delay of 'd'"),
        ({"d": nir.Delay(np.array([1e300]))}, "expected delays of at most"),
        ({"d": nir.Scale(np.array([1.0, np.nan]))}, "expected finite values of scale of 'd'"),
        ({"input": nir.Input(np.array([3.5]))}, "expected whole numbers as the shape of 'input', found"),
    ],
)
def test_values_that_a_node_cannot_have_are_refused(node, part, file):
    nodes, edges = in_a_row(**node)
    nir.write(file, nir.NIRGraph(nodes, edges, type_check=False))
    with pytest.raises(tb.SpecError, match=part):
        tb.read_nir(file)


def test_edges_are_a_set(file):
    nodes, edges = in_a_row()
    write(file, nodes, edges)
    once = tb.read_nir(file).n_synapses
    nir.write(file, nir.NIRGraph(nodes, [*edges, edges[1], edges[3]], type_check=False))
    assert tb.read_nir(file).n_synapses == once == 6


def test_two_nodes_of_one_name_are_refused(file):
    inner = {"input": nir.Input(np.array([2])), "x": lif(2), "output": nir.Output(np.array([2]))}
    nodes = {"g.x": lif(2), "g": nir.NIRGraph(inner, [("input", "x"), ("x", "output")])}
    nir.write(file, nir.NIRGraph(nodes, [("g.x", "g")], type_check=False))
    with pytest.raises(tb.ExchangeError, match=r"expected one node of each name, found a second 'g\.x'"):
        tb.read_nir(file)


@pytest.mark.parametrize("seed", [-5, 1.5, 1e30, True, "3", [1, 2]])
def test_a_seed_that_is_none_is_refused(seed, file):
    nodes, edges = in_a_row()
    metadata = {"dt": 1e-4, "spikes": "step", "seed": seed}
    nir.write(file, nir.NIRGraph(nodes, edges, metadata=metadata, type_check=False))
    with pytest.raises(tb.ExchangeError, match=r"metadata\.seed: expected a whole number from 0 up, found"):
        tb.read_nir(file)


@pytest.mark.parametrize(
    ("content", "part"),
    [(None, "found none; check the path"), (b"no HDF5 at all", "expected an HDF5 file, found none that can be read")],
)
def test_a_file_that_is_none_of_nir_is_refused(content, part, file):
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(tb.ExchangeError, match=part):
        tb.read_nir(file)


def test_parameters_that_make_no_neuron_are_refused(file):
    nodes = {"input": nir.Input(np.array([2])), "n": lif(2, tau=-0.01), "output": nir.Output(np.array([2]))}
    write(file, nodes, [("input", "n"), ("n", "output")])
    with pytest.raises(tb.ExchangeError, match="expected positive values of tau of 'n'"):
        tb.read_nir(file)


def test_refractory_periods_are_refused_or_left_out(tmp_path):
    """Our own leaky region is written without them; what is read is the network without them."""
    region = tb.load_region("learning/leaky")
    with pytest.raises(tb.ExchangeError, match=r"t_ref: expected no refractory period, .*refractory=\"drop\""):
        tb.write_nir(region, tmp_path / "leaky.nir", drives="drop")
    tb.write_nir(region, tmp_path / "leaky.nir", drives="drop", refractory="drop")
    read = tb.read_nir(tmp_path / "leaky.nir")
    assert read.n_neurons == region.n_neurons
    with pytest.raises(tb.ExchangeError, match='expected "refuse" or "drop", found \'keep\''):
        tb.write_nir(region, tmp_path / "other.nir", refractory="keep")
