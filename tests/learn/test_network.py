"""A network that can be trained is the network that is simulated."""

import numpy as np
import pytest
import snntorch
import torch

import twinbrain as tb
from tests.learn.networks import CONDUCTANCE, recurrent, which_channels
from tests.learn.small import rates_task
from twinbrain.engines.base import get_engine
from twinbrain.errors import LearnError
from twinbrain.learn import links
from twinbrain.learn.attach import attach
from twinbrain.learn.background import background, network_of_trial
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.replay import given_network
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

WEIGHTS = Trainable.parse(["weight"])
TASK = which_channels(n_trials=12)
KINDS = {
    "lif": (recurrent(), "150 pA"),
    "alif and lif": (recurrent("alif", "lif_current"), "150 pA"),
    "adex": (recurrent("adex", receptors=CONDUCTANCE), "20 nS"),
    "glif": (recurrent("glif"), "150 pA"),
    "izhikevich": (recurrent("izhikevich_2007"), "150 pA"),
    "spread delays": (recurrent(delays={("e", "e"): {"uniform": ["1 ms", "6 ms"]}}), "150 pA"),
}


def trainable(kind, trained=WEIGHTS, precision="float64", window=None, surrogate=None, dt=0.5):
    region, weight = KINDS[kind]
    attached = attach(region, TASK, InputSpec(weight=weight, populations=("e",)), ReadoutSpec())
    return TrainableNetwork(lower(attached, dt=dt, seed=3), trained, surrogate or Surrogate(), precision, window)


def some_inputs(n=4):
    return torch.as_tensor(TASK.train.spikes(np.arange(n), TASK.n_channels))


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# The kernels of each model are compiled anew, for seconds; the steps of all models are in fused/test_stepwise.py.
@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[pytest.mark.slow] * (k in ("glif", "izhikevich"))) for k in KINDS]
)
def test_spikes_and_outputs_are_those_of_the_reference_engine(kind):
    network = trainable(kind)
    inputs = some_inputs()
    with torch.no_grad():
        found = network(inputs)
    assert found.spikes[:, :, : network.input.start].sum() > 0
    for trial in range(inputs.shape[1]):
        simulation = get_engine("reference")(given_network(network, inputs[:, trial].numpy(), network.lowered.network))
        simulation.advance(len(inputs))
        recording = simulation.collect()
        spikes = np.zeros(found.spikes.shape[::2], np.uint8)
        spikes[recording.spikes.step, recording.spikes.neuron] = 1
        np.testing.assert_array_equal(spikes, found.spikes[:, trial].numpy())
        np.testing.assert_array_equal(recording.samples["readout"], found.output[:, trial].numpy())


@pytest.mark.parametrize("kind", ["lif", "alif and lif", pytest.param("adex", marks=pytest.mark.slow), "spread delays"])
@pytest.mark.parametrize("window", [None, 15])
def test_kernels_and_the_loop_over_steps_agree_in_spikes_and_gradients(kind, window):
    results = []
    for surrogate in (Surrogate(), snntorch.surrogate.atan()):
        network = trainable(kind, Trainable.parse(["weight", "time_constant"]), window=window, surrogate=surrogate)
        activity = network(some_inputs())
        (activity.output.square().mean() + activity.spikes.mean()).backward()
        results.append((activity, {n: p.grad for n, p in network.named_parameters() if p.numel()}))
    (fused, gradients), (looped, expected) = results
    torch.testing.assert_close(fused.spikes, looped.spikes, rtol=0, atol=0)
    torch.testing.assert_close(fused.output, looped.output, rtol=0, atol=0)
    for name, gradient in expected.items():
        # snnTorch rounds its surrogate to float32.
        assert float((gradients[name] - gradient).norm()) <= 1e-6 * float(gradient.norm()), name


def test_gradients_do_not_go_back_beyond_a_window():
    whole, cut = (trainable("lif", window=window) for window in (None, 10))
    inputs = some_inputs().double().requires_grad_()
    for network, reaches in ((whole, True), (cut, False)):
        gradient = torch.autograd.grad(network(inputs).output[-1].sum(), inputs)[0]
        # From the last step, readout and neurons each add a window.
        assert bool((gradient[:10] != 0).any()) == reaches


def test_lists_of_synapses_and_matrices_give_the_same(monkeypatch):
    dense = trainable("spread delays")
    monkeypatch.setattr(links, "_DENSE", 0)
    sparse = trainable("spread delays")
    found = []
    for network in (dense, sparse):
        activity = network(some_inputs())
        activity.output.square().mean().backward()
        found.append((activity, [p.grad for p in network.parameters() if p.numel()]))
    torch.testing.assert_close(found[0][0].spikes, found[1][0].spikes, rtol=0, atol=0)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_drives_are_those_of_a_run_with_the_same_seed():
    drive = tb.Drive(population="e", receptor="exponential_current", rate="2 kHz", weight="40 pA")
    attached = attach(recurrent(drives=[drive]), TASK, InputSpec(weight="50 pA", populations=("e",)), ReadoutSpec())
    network = TrainableNetwork(lower(attached, dt=0.5, seed=3), WEIGHTS, Surrogate(), "float64")
    inputs, seeds = some_inputs(3), [7, 8, 9]
    with torch.no_grad():
        found = network(inputs, background(network.lowered, seeds, len(inputs))).spikes
    for trial, seed in enumerate(seeds):
        drawn = network_of_trial(network.lowered, seed)
        simulation = get_engine("reference")(given_network(network, inputs[:, trial].numpy(), drawn))
        simulation.advance(len(inputs))
        spikes = simulation.collect().spikes
        expected = np.zeros(found.shape[::2], np.uint8)
        expected[spikes.step, spikes.neuron] = 1
        np.testing.assert_array_equal(found[:, trial].numpy(), expected)
    assert (found[:, 0] != found[:, 1]).any()


def test_weights_count_in_whole_quanta_and_keep_their_signs():
    network = trainable("lif")
    with torch.no_grad():
        for weights in network.tables():
            weights.relative += torch.linspace(-3, 3, len(weights.relative), dtype=torch.float64)
    network.keep_signs()
    for weights, table in zip(network.tables(), network.lowered.network.tables, strict=True):
        quanta = weights().detach().numpy() / weights.quantum
        np.testing.assert_array_equal(quanta, np.rint(quanta))
        kept = np.array([not group.free for group in weights.groups])[weights.group.numpy()]
        assert (np.sign(quanta[kept]) * np.sign(table.weight[kept]) >= 0).all()
        assert kept.any() or table.receptor == "delta"


@pytest.mark.parametrize("trained", [{"C_m": "neuron"}, {"weight": {"input->*": "population"}}, ["weight"]])
def test_weights_that_were_multiplied_count_in_whole_quanta_whether_they_are_trained_or_not(trained):
    network = trainable("lif", Trainable.parse(trained))
    for weights in network.tables():
        before = weights().detach().numpy()
        for group in range(len(weights.groups)):
            weights.multiply(group, 1.2345)
        quanta = weights().detach().numpy() / weights.quantum
        np.testing.assert_array_equal(quanta, np.rint(before / weights.quantum * 1.2345))


@pytest.mark.parametrize(("share", "n"), [("synapse", None), ("population", 4), ("region", 1)])
def test_weights_are_shared_as_declared(share, n):
    trained = Trainable.parse({"weight": {"[ei]->[ei]:*": share}})
    network = trainable("lif", trained)
    counts = [p.numel() for p in network.parameters() if p.requires_grad and p.numel()]
    among = sum(
        t.n_synapses
        - int(
            np.isin(
                np.repeat(np.arange(network.lowered.network.n_neurons), np.diff(t.row_start)),
                np.arange(network.input.start, network.input.stop),
            ).sum()
        )
        for t in network.lowered.network.tables
        if t.receptor != "delta"
    )
    assert counts == [n or among]


@pytest.mark.parametrize(("share", "n"), [("neuron", 20), ("population", 2), ("region", 1)])
def test_parameters_are_shared_as_declared(share, n):
    network = trainable("lif", Trainable.parse({"C_m": share}))
    (parameter,) = [p for p in network.parameters() if p.requires_grad and p.numel()]
    assert parameter.numel() == n


def test_trained_delays_begin_as_they_are_and_change_the_loss():
    network = trainable("lif", Trainable.parse({"delay": ["e->*"], "longest_delay": "5 ms"}))
    assert network.delays is not None
    network.delays.width = 1.0
    plain = trainable("lif")
    with torch.no_grad():
        assert torch.equal(network(some_inputs()).spikes, plain(some_inputs()).spikes)
        shares = network.delays.shares()
    torch.testing.assert_close(shares.sum(0), torch.ones(shares.shape[1], dtype=torch.float64))
    network.delays.width = 4.0
    network(some_inputs()).output.square().mean().backward()
    assert float(network.delays.change.grad.abs().sum()) > 0


@pytest.mark.parametrize("delay", ["30 ms", {"uniform": ["1 ms", "30 ms"]}])
def test_delays_to_be_trained_are_no_longer_than_they_may_become(delay):
    region = attach(recurrent(delays={("e", "e"): delay}), TASK, InputSpec(weight="150 pA"), ReadoutSpec())
    lowered = lower(region, dt=1.0, seed=3)

    def delays(**trained):
        network = TrainableNetwork(lowered, Trainable.parse({"weight": "synapse", **trained}), Surrogate())
        return network.whole_delays().max()

    for asked in ({}, {"longest_delay": "9 ms"}):
        with pytest.raises(LearnError, match=r'longest_delay: expected .* found .*; give longest_delay = "30 ms"'):
            delays(delay=["e->*"], **asked)
    assert delays(delay=["e->*"], longest_delay="30 ms") > 20
    assert delays(delay=["i->*"]) > 20


def test_trained_delays_that_would_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr("twinbrain.learn.network_checks._BYTES_OF_A_DELAY", 10**12)
    message = r"longest_delay: expected .* fit into the .* GB that are free, found \d+ of up to 2,000 steps that take"
    with pytest.raises(LearnError, match=message):
        trainable("lif", Trainable.parse({"delay": ["e->*"], "longest_delay": "1 s"}))


def test_inputs_of_another_size_are_refused():
    with pytest.raises(LearnError, match=r"\(step, trial, 12\).*found \(40, 4, 5\)"):
        trainable("lif")(torch.zeros(40, 4, 5))


def test_unknown_parameters_are_refused_with_what_there_is():
    with pytest.raises(LearnError, match=r"trainable.tau_x: .*found 'tau_x'; did you mean"):
        trainable("lif", Trainable.parse(["tau_x"]))


def test_a_pattern_that_fits_nothing_is_refused():
    with pytest.raises(LearnError, match=r"trainable\.weight: .* found 'x->y'; .*i->e:"):
        trainable("lif", Trainable.parse({"weight": {"x->y": "synapse"}}))


def test_a_trained_network_is_saved_and_loaded_by_pytorch(tmp_path):
    task = rates_task(n_trials=(12, 6, 6))
    trained = tb.train(tb.load_region("learning/leaky").scaled(0.2), task, epochs=1, batch_size=6)
    torch.save(trained.network, tmp_path / "network.pt")
    loaded = torch.load(tmp_path / "network.pt", weights_only=False)
    spikes = torch.as_tensor(task.test.spikes(np.arange(6), task.n_channels))
    with torch.no_grad():
        torch.testing.assert_close(loaded(spikes).output, trained.network(spikes).output, rtol=0, atol=0)
    torch.save(trained.network.state_dict(), tmp_path / "weights.pt")
    trained.network.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
