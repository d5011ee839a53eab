"""NIR files of other programs, and files with faults."""

import h5py
import nir
import numpy as np
import pytest

import twinbrain as tb
from twinbrain.engines.base import Spikes
from twinbrain.engines.reference import prepare as reference


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


def test_delays_that_round_to_no_step_become_one_and_are_told(file):
    nodes, edges = in_a_row()
    nir.write(file, nir.NIRGraph(nodes, edges, type_check=False))
    with pytest.warns(tb.ExchangeWarning, match="6 delays, the shortest of 1 ms, became one step of 3 ms") as told:
        tb.read_nir(file, dt="3 ms")
    assert told[0].filename == __file__


def test_a_bias_that_acts_after_a_delay_is_refused(file):
    """A constant current acts from the beginning on."""
    nodes, edges = in_a_row(a=nir.Affine(np.ones((2, 3)), np.array([0.0, 2.0])))
    nir.write(file, nir.NIRGraph(nodes, edges, type_check=False))
    with pytest.raises(tb.ExchangeError, match=r"a bias that reaches 'n' from the begin.* a Delay of 0\.001 s"):
        tb.read_nir(file)
    nodes["d"] = nir.Delay(np.zeros(2))
    nir.write(file, nir.NIRGraph(nodes, edges, type_check=False))
    assert tb.read_nir(file).n_synapses == 6


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
