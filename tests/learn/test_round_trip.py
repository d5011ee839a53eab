"""What was trained is a region, and does the same in every engine, by the way that users go."""

import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.learn.export import export_region
from twinbrain.learn.setup import set_up
from twinbrain.spec.training import Training

TASK = which_channels(n_trials=32)
DRIVE = tb.Drive(population="e", receptor="exponential_current", rate="1 kHz", weight="30 pA")
SETTINGS = {"epochs": 2, "batch_size": 16, "learning_rate": 0.05, "precision": "float64"}
CASES = {
    "weights": (recurrent(), ["weight"]),
    "time constants": (recurrent(), {"C_m": "neuron", "tau_exponential_current": "population"}),
    "thresholds": (recurrent(), {"weight": "population", "threshold": "neuron"}),
    "delays": (recurrent(), {"delay": ["*->e:*"], "longest_delay": "6 ms"}),
    "a background": (recurrent(drives=[DRIVE]), ["weight", "C_m"]),
    "adaptation": (recurrent("alif", "lif_current"), {"weight": "synapse", "tau_a": "neuron", "beta": "neuron"}),
}
# Gradients of thresholds are compiled anew, for seconds.
EACH = [pytest.param(case, marks=[pytest.mark.slow] * (case == "thresholds")) for case in CASES]


@pytest.fixture(scope="module")
def trained():
    found = {}

    def call(case):
        if case not in found:
            region, what = CASES[case]
            found[case] = tb.train(region, TASK, trainable=what, seed=4, **SETTINGS)
        return found[case]

    return call


@pytest.mark.parametrize("case", EACH)
def test_spikes_and_score_are_the_same_in_the_reference_engine(trained, case):
    found = trained(case).replay("reference", 6)
    assert (found.n_trials, found.mismatched) == (6, 0)
    assert found.n_spikes > 100
    assert found.score == found.score_trained


@pytest.mark.parametrize("engine", ["brian2-numpy", "torch"])
@pytest.mark.parametrize("case", ["weights", "adaptation"])
def test_and_in_the_others(trained, engine, case):
    found = trained(case).replay(engine, 3)
    assert found.mismatched == 0
    assert found.n_spikes > 50
    assert found.score == found.score_trained


@pytest.mark.parametrize("case", EACH)
def test_a_region_that_was_written_and_read_is_the_one_that_was_trained(trained, case, tmp_path):
    region = trained(case).model
    assert isinstance(region, tb.Region)
    tb.write_region(region, tmp_path / "trained.toml")
    assert tb.load_region(tmp_path / "trained.toml") == region


def test_it_runs_by_the_way_that_users_go_to_the_same_spikes(trained, tmp_path):
    found = trained("weights")
    tb.write_region(found.model, tmp_path / "trained.toml")
    index = np.arange(2)
    expected, _ = found.activity(TASK.test, index)
    for trial in index:
        given = TASK.test.spikes(index[trial : trial + 1], TASK.n_channels)[:, 0]
        times = [(given[:, channel].nonzero()[0] * TASK.dt).tolist() for channel in range(TASK.n_channels)]
        stimulus = tb.Stimulus(
            name="trial",
            population="input",
            receptor="delta",
            spikes={"times": times, "unit": "ms", "weight": "1 mV"},
            start="0 ms",
            duration="40 ms",
        )
        run = tb.simulate(
            tb.load_region(tmp_path / "trained.toml"),
            stimuli=[stimulus],
            engine="reference",
            duration="40 ms",
            dt="1 ms",
            out=tmp_path / f"{trial}.zarr",
        )
        spikes = np.zeros(expected.shape[::2], np.uint8)
        spikes[run["spikes/time_step"].values, run["spikes/neuron"].values] = 1
        np.testing.assert_array_equal(spikes, expected[:, trial])


def test_a_trained_region_can_be_trained_on(trained):
    before = trained("weights")
    again = tb.train(before.model, TASK, seed=9, **SETTINGS | {"epochs": 1, "learning_rate": 1e-9})
    # Nothing is drawn or calibrated anew.
    np.testing.assert_allclose(
        again.responses()["output"].values, before.responses()["output"].values, rtol=1e-4, atol=1e-4
    )
    other = which_channels(n_trials=16, n_channels=6)
    with pytest.raises(tb.LearnError, match=r"populations.input: expected 6 neurons, as many as the task has channels"):
        tb.train(before.model, other)


def test_weights_that_were_trained_to_zero_keep_their_sign():
    region = recurrent()
    projection = tb.Projection(
        source="i",
        target="e",
        receptor="exponential_current",
        connect=tb.Connect(pairs=tb.Pairs(source=[0, 1, 2], target=[0, 1, 2])),
        weight=tb.Explicit([-80.0, 0.0, -40.0], "pA"),
        delay="1 ms",
    )
    others = [p for p in region.projections if p.source != "i"]
    region = region.model_copy(update={"projections": (*others, projection)})
    training = Training(task="unused", trainable={"weight": {"i->e:*": "synapse"}})
    network = set_up(region, training, tb.Run(dt="1 ms"), TASK, calibrated=False).network
    for change, expected in ((2.0, [0.0, 0.0, 0.0]), (-2.0, [-80.0, -80.0, -80.0])):
        with torch.no_grad():
            for weights in network.tables():
                weights.relative += change
        network.keep_signs()
        (found,) = [p.weight.values for p in export_region(network).projections if (p.source, p.target) == ("i", "e")]
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_a_replay_says_what_it_needs(trained):
    found = trained("weights")
    with pytest.raises(tb.SpecError, match=r"n_trials: expected a whole number of at least 1, found 0"):
        found.replay("reference", 0)
    with pytest.raises(tb.EngineError, match=r"brian3"):
        found.replay("brian3", 1)
