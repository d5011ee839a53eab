"""Training learns, comes to the same bits again, and says what is wrong."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.errors import SpecError
from twinbrain.learn.loop import evaluate
from twinbrain.learn.setup import set_up
from twinbrain.learn.tasks.trials import trials_of
from twinbrain.learn.train import training_workflow
from twinbrain.learn.trained import Trained
from twinbrain.spec.training import Training

TASK = which_channels(n_trials=48)
SETTINGS = {"epochs": 3, "batch_size": 16, "learning_rate": 0.03, "precision": "float64"}
DRIVE = tb.Drive(population="e", receptor="exponential_current", rate="1 kHz", weight="30 pA")


def train(region=None, task=TASK, **settings):
    return tb.train(region or recurrent(), task, **SETTINGS | settings)


def curve(trained, name="loss"):
    return trained.curves[name].values


def test_it_learns_which_channels_are_busy():
    task = which_channels(n_trials=96)
    accuracies = np.array([train(task=task, seed=seed, epochs=8).score for seed in range(3)])
    # Of the worst of three seeds; chance is a third.
    assert accuracies.min() > 2 * task.chance
    assert (accuracies.mean() - task.chance) / max(accuracies.std(ddof=1), 0.02) > 5


@pytest.mark.parametrize("drives", [(), (DRIVE,)], ids=["alone", "with a background"])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(drives):
    one, again, other = (train(recurrent(drives=drives), seed=seed, epochs=2) for seed in (0, 0, 1))
    for name in ("loss", "accuracy", "rate", "gradient_norm"):
        np.testing.assert_array_equal(curve(one, name), curve(again, name))
    assert one.model == again.model
    assert not np.array_equal(curve(one), curve(other))


def test_what_is_kept_of_a_training_names_the_folder_of_its_data_by_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    declared = training_workflow(recurrent(), {"name": "nmnist", "folder": "data"})
    assert declared.train.task.options["folder"] == str(tmp_path / "data")


def test_trials_of_each_split_are_used_for_what_they_are_for():
    held_out = TASK.test.take(np.arange(0))
    noise = np.random.default_rng(1).random((30, 40, 12)) < 0.05
    other = trials_of(noise.astype(np.uint8), np.arange(30) % 3)
    one, tested, validated = (train(task=t) for t in (TASK, replace(TASK, test=other), replace(TASK, validation=other)))
    np.testing.assert_array_equal(curve(one), curve(tested))
    np.testing.assert_array_equal(curve(one)[0], curve(validated)[0])
    assert not np.array_equal(curve(one)[1], curve(validated)[1])
    with pytest.raises(tb.LearnError, match=r"found none in test; put some trials aside"):
        train(task=replace(TASK, test=held_out))


def test_the_best_epoch_is_kept_and_not_the_last():
    # So high a rate that it overshoots.
    trained = train(learning_rate=1.0, epochs=5)
    losses = curve(trained)[1]
    best = int(losses.argmin())
    assert best < len(losses) - 1
    loss, accuracy = evaluate(trained.setup, TASK.validation, "validation")
    assert loss == losses[best]
    assert accuracy == curve(trained, "accuracy")[1, best]


def test_it_stops_when_nothing_has_become_better_for_as_long_as_is_waited_for():
    trained = train(learning_rate=1.0, epochs=12, patience=2)
    losses = curve(trained)[1]
    assert len(losses) < 12
    assert losses.argmin() == len(losses) - 3
    np.testing.assert_array_equal(trained.curves["epoch"], np.arange(1, len(losses) + 1))


def test_a_penalty_of_rates_lowers_them():
    free, held = (train(epochs=6, rate_range=("0 Hz", "5 Hz"), rate_penalty=penalty) for penalty in (0.0, 10.0))
    rates = [float(trained.curves["rate"].sel(population="e")[-1]) for trained in (free, held)]
    assert rates[1] < 0.7 * rates[0]


def test_a_penalty_of_rates_is_that_of_the_neurons_of_the_model():
    training = Training(task="unused", input={"weight": "150 pA"}, rate_range=("1 Hz", "3 Hz"), rate_penalty=2.0)
    setup = set_up(recurrent(sizes=(16, 4)), training, tb.Run(dt="1 ms"), TASK)
    for e, i, expected in ((2.0, 2.0, 0.0), (4.0, 2.0, 2.0 * 16 / 20 * (1.0 / 2.0) ** 2)):
        spikes = torch.full((5, 3, setup.network.lowered.network.n_neurons), 1.0)
        spikes[:, :, :16], spikes[:, :, 16:20] = e / 1e3, i / 1e3
        assert float(setup.objective.penalty(spikes)) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_clipping_bounds_a_step():
    # Plain gradient descent would go by the gradient's size; Adam's first step is that of its sign alone.
    one, clipped = (train(clip=clip) for clip in (None, 1e-9))
    assert curve(one)[0, -1] < curve(clipped)[0, -1]


def test_what_is_trained_and_nothing_else_changes():
    trained = train(trainable={"C_m": "population", "weight": {"input->e:*": "synapse"}})
    before, after = recurrent(), trained.model
    values = after.cells["i"].parameters["C_m"].values
    assert len(set(values.tolist())) == 1
    assert values[0] != 250.0
    assert "V_th" not in after.cells["e"].parameters
    expected = {(p.source, p.target): p.weight for p in before.projections}
    for projection in after.projections:
        if (pair := (projection.source, projection.target)) in expected:
            size = abs(float(str(expected[pair]).split()[0]))
            np.testing.assert_allclose(np.abs(projection.weight.values), size, rtol=1e-4)


def test_half_precision_learns():
    trained = train(task=which_channels(n_trials=96), precision="mixed", epochs=5)
    assert curve(trained)[1, -1] < 0.8 * curve(trained)[1, 0]


@pytest.mark.parametrize("rule", ["feedback_alignment", "reward_stdp"])
def test_rules_that_multiply_by_themselves_do_so_in_half_precision_too(rule):
    trained = train(task=which_channels(n_trials=12), precision="mixed", epochs=1, rule=rule)
    assert np.isfinite(curve(trained)).all()


def test_delays_are_judged_as_they_are_exported():
    trained = train(
        trainable={"weight": "synapse", "delay": ["e->*"], "longest_delay": "5 ms"}, epochs=4, learning_rate=0.1
    )
    assert trained.replay("reference", 6).mismatched == 0
    delays = [p.delay for p in trained.model.projections if p.source == "e"]
    assert any(isinstance(delay, tb.Explicit) and len(set(delay.values.tolist())) > 1 for delay in delays)
    loss, _ = evaluate(trained.setup, TASK.validation, "validation")
    assert loss == curve(trained)[1].min()


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"trainable": ["t_ref"]}, tb.LearnError, "counts in whole steps; leave it out"),
        ({"rule": "bpt"}, tb.LearnError, "unknown rule 'bpt'; did you mean 'bptt'"),
        ({"surrogate": {"name": "atn"}}, tb.LearnError, "unknown surrogate 'atn'; did you mean 'atan'"),
        ({"surrogate": {"name": "heaviside", "slope": 2.0}}, tb.LearnError, "expected none for 'heaviside'"),
        ({"epoch": 3}, tb.SpecError, "unknown key 'epoch'; did you mean 'epochs'"),
        ({"rate_range": ("9 Hz", "2 Hz")}, tb.SpecError, "expected a low and a higher rate, found 9 Hz and 2 Hz"),
        ({"dt": "0.5 ms"}, tb.LearnError, 'give run.dt = "1 ms", or the task dt = "0.5 ms"'),
        ({"device": "cuda:99"}, tb.EngineError, "cuda"),
    ],
)
def test_what_cannot_be_right_is_said_before_training(settings, error, text):
    with pytest.raises(error) as caught:
        train(**settings)
    assert text in str(caught.value)


def test_a_workflow_with_stimuli_is_refused():
    stimulus = tb.Stimulus(
        name="s",
        population="e",
        receptor="exponential_current",
        current="1 pA",
        start="0 ms",
        duration="1 ms",
    )
    workflow = tb.Workflow(
        name="w", brain=tb.Brain(connectome="unused", regions={"*": recurrent()}), stimuli=[stimulus]
    )
    with pytest.raises(
        tb.SpecError, match=r"expected none in a workflow that trains, whose task is the input, found 1"
    ):
        tb.train(workflow, TASK)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_region_is_trained_in_the_steps_of_its_task_whatever_type_they_are_of(kind):
    task = replace(TASK, dt=kind(0.1))
    assert training_workflow(recurrent(), task.name, dt_of_task=task).run.dt == 0.1


def test_without_a_task_it_says_how_to_give_one():
    with pytest.raises(tb.SpecError, match=r"expected a task to train on, found none; name one"):
        tb.train(recurrent())


@pytest.mark.parametrize("n_trials", [0, -1, 2.5, True])
def test_numbers_of_trials_that_are_none_are_refused(n_trials):
    setup = SimpleNamespace(task=TASK)
    for call in (lambda trained: trained.gradients(n_trials), lambda trained: trained.replay("reference", n_trials)):
        with pytest.raises(SpecError, match="n_trials: expected a whole number of at least 1"):
            call(Trained(setup, None))
