"""Trainings from the command line."""

import json
import signal

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.cli.small import REGION
from tests.roots import training_attributes
from tests.store.example import connectome
from twinbrain.functions import function_of
from twinbrain.learn.trained import Trained
from twinbrain.store import Location
from twinbrain.store.training import create_training

TRAINING = """
summary = "A pair learns a gate."
region = "pair.toml"

[run]
dt = "1 ms"
seed = 3

[train]
task = { name = "xor", duration = "40 ms" }
epochs = 2
batch_size = 64
learning_rate = 0.03
precision = "float64"
"""
TASK = """
import numpy as np
import twinbrain as tb
from twinbrain.learn.tasks.options import Count


def bits(n_trials: Count = 12) -> tb.Task:
    label = np.arange(n_trials) % 2
    spikes = np.zeros((n_trials, 20, 2), np.uint8)
    spikes[:, ::4] = np.eye(2, dtype=np.uint8)[label][:, None]
    trials = tb.trials_of(spikes, label)
    return tb.Task(name="bits", summary="", n_channels=2, n_outputs=2, kind="classification", dt=1.0,
                   train=trials, validation=trials, test=trials, chance=0.5)
"""


@pytest.fixture(autouse=True)
def _files(folder):
    (folder / "learn.toml").write_text(TRAINING)
    (folder / "pair.toml").write_text(REGION.split("[[drives]]")[0] + "[ports]" + REGION.split("[ports]")[1])


@pytest.fixture(autouse=True)
def _not_compiled(monkeypatch):
    """Replay without compiling, which takes seconds and gives the same; `tests/workflows/test_trained.py` compiles."""
    replay = Trained.replay
    monkeypatch.setattr(Trained, "replay", lambda self, engine, n_trials: replay(self, f"{engine}-numpy", n_trials))


def test_train_leaves_a_training_its_region_and_a_figure(twinbrain, folder):
    outcome = twinbrain("train", "learn.toml", "--replay", 2)
    assert (outcome.code, outcome.err) == (0, "")
    assert "2 held-out trials in brian2: 0 of" in outcome.out
    found = sorted(path.name for path in (folder / "runs").iterdir())
    assert found == ["learn.png", "learn.zarr", "learn_trained.npz", "learn_trained.toml"]
    trained = tb.open_training("runs/learn.zarr")
    assert tb.load_region("runs/learn_trained.toml") == trained.model
    info = json.loads(twinbrain("info", "runs/learn.zarr", "--json").out)
    assert {key: info[key] for key in ("workflow", "status", "task", "rule", "seed", "epochs")} == {
        "workflow": "learn",
        "status": "complete",
        "task": "xor",
        "rule": "bptt",
        "seed": 3,
        "epochs": "2 of 2",
    }
    assert info["score"] == trained.score
    assert "complete" in twinbrain("info", "runs/learn.zarr").out


def test_run_does_the_same_and_what_stands_there_is_kept(twinbrain, refused):
    options = ("--no-figure", "--json", "--seed", 5)
    ran = json.loads(twinbrain("run", "learn.toml", "--out", "one.zarr", *options).out)
    trained = json.loads(twinbrain("train", "learn.toml", "--out", "two.zarr", "--replay", 0, *options).out)
    assert ran["seed"] == trained["seed"] == 5
    assert ran["score"] == trained["score"]
    refused(("train", "learn.toml", "--out", "one.zarr"), "found a training: one.zarr", "(--overwrite)")
    again = twinbrain("train", "learn.toml", "--out", "one.zarr", "--overwrite", "--replay", 0, *options)
    assert again.err == ""
    assert json.loads(again.out)["score"] == ran["score"]


def test_the_workflow_beside_the_training_is_not_overwritten(twinbrain, folder):
    assert twinbrain("train", "learn.toml", "--out", "learn.zarr", "--no-figure", "--replay", 0).code == 0
    assert (folder / "learn.toml").read_text() == TRAINING


def test_plan_says_what_will_be_done(twinbrain, folder):
    plan = json.loads(twinbrain("plan", "learn.toml", "--json", "--set", "train.epochs=7").out)
    task = tb.task("xor", duration="40 ms")
    assert (plan["task"], plan["rule"], plan["epochs"]) == ("xor", "bptt", 7)
    assert (plan["n_steps"], plan["n_train"], plan["n_channels"]) == (40, len(task.train), task.n_channels)
    assert plan["n_neurons"] == 12 + task.n_channels + task.n_outputs
    assert plan["n_trained"] == plan["n_synapses"]
    assert "7 of" in twinbrain("plan", "learn.toml", "--set", "train.epochs=7").out
    assert not (folder / "runs").exists()


def test_validate_checks_the_task_and_how_it_is_learned(twinbrain, refused, edit):
    outcome = twinbrain("validate", "learn.toml")
    assert (outcome.code, outcome.out) == (0, "learn.toml: right\n")
    for before, after, text in (
        ('name = "xor"', 'name = "xr"', "expected the name of a task, found 'xr'; did you mean 'xor'"),
        ('name = "xr", duration', 'name = "xor", durations', "unknown key 'durations'; did you mean 'duration'"),
        ("durations", "duration", None),
        ("epochs = 2", "epoch = 2", "train.epoch: unknown key 'epoch'; did you mean 'epochs'"),
        ("epoch = 2", 'trainable = ["C_n"]', "trainable.C_n: expected 'weight' or a parameter"),
        ('trainable = ["C_n"]', 'rule = "bpt"', "unknown rule 'bpt'; did you mean 'bptt'"),
        ('rule = "bpt"', 'surrogate.name = "atn"', "unknown surrogate 'atn'"),
        ('surrogate.name = "atn"', 'input.populations = ["x"]', "unknown population 'x'"),
    ):
        edit("learn.toml", before, after)
        if text is not None:
            refused(("validate", "learn.toml"), text, "learn.toml")


def test_a_workflow_without_a_training_is_told_of(refused, folder):
    refused(("train", "small.toml"), "expected a table 'train' that names a task, found none", "twinbrain run")


def test_a_task_of_ones_own_is_given_by_who_trains(twinbrain, refused, folder):
    (folder / "my_tasks.py").write_text(TASK)
    (folder / "learn.toml").write_text(TRAINING.replace('{ name = "xor", duration = "40 ms" }', '"bits"'))
    own = ("--task-from", "my_tasks.py:bits")
    for command in ("validate", "plan"):
        assert twinbrain(command, "learn.toml", *own).code == 0
    outcome = twinbrain("train", "learn.toml", "--no-figure", "--replay", 0, "--out", "own.zarr", *own)
    assert (outcome.code, outcome.err) == (0, "")
    bits = function_of("my_tasks.py:bits", "")
    assert len(tb.open_training("own.zarr", task=bits).setup.task.train) == 12
    assert tb.resume_training("own.zarr", task=tb.task(bits)).score == tb.open_training("own.zarr", task=bits).score
    refused(("train", "learn.toml"), "expected the name of a task, found 'bits'", "--task-from FILE.py:FUNCTION")
    refused(("plan", "learn.toml", *own, "--set", "train.task=xor"), "--task-from", "found 'bits'", "under [train]")


def test_info_tells_what_was_changed_on_the_way(twinbrain):
    curves = xr.Dataset({"loss": ("epoch", np.full(4, np.nan))})
    kept = create_training(Location.of("kept.zarr"), training_attributes(), curves, connectome())
    assert "changed" not in json.loads(twinbrain("info", "kept.zarr", "--json").out)
    kept.mark(changed="clip, learning_rate")
    assert json.loads(twinbrain("info", "kept.zarr", "--json").out)["changed"] == "clip, learning_rate"
    assert "clip, learning_rate" in twinbrain("info", "kept.zarr").out


def test_ctrl_c_keeps_the_epochs_that_are_done_and_resume_goes_on(twinbrain, refused, monkeypatch):
    from twinbrain.learn.loop import Learner

    epoch, stop = Learner._epoch, {"at": 1, "signals": 1}

    def interrupted(self, *arguments):
        if self.course.epoch == stop["at"]:
            for _ in range(stop["signals"]):
                signal.raise_signal(signal.SIGINT)
        return epoch(self, *arguments)

    whole = twinbrain("train", "learn.toml", "--no-figure", "--replay", 0, "--out", "whole.zarr")
    assert whole.code == 0
    monkeypatch.setattr(Learner, "_epoch", interrupted)
    outcome = twinbrain("train", "learn.toml", "--no-figure", "--replay", 0)
    assert outcome.code == 130
    assert outcome.err == "stopped: 1 of 2 epochs are kept; go on with: twinbrain resume runs/learn.zarr\n"
    assert json.loads(twinbrain("info", "runs/learn.zarr", "--json").out)["status"] == "interrupted"
    stop["signals"] = 2
    outcome = twinbrain("resume", "runs/learn.zarr", "--no-figure")
    assert outcome.code == 130
    assert outcome.err == "stopped at once; 1 epochs are kept; go on with: twinbrain resume runs/learn.zarr\n"
    stop["at"] = None
    refused(("resume", "runs/learn.zarr", "--set", "train.epochs=9"), "expected learning_rate, clip, patience")
    refused(("resume", "runs/learn.zarr", "--shards", 2), "expected no --shards for a sweep or a training")
    assert twinbrain("resume", "runs/learn.zarr", "--no-figure").code == 0
    one, other = (tb.open_training(path) for path in ("runs/learn.zarr", "whole.zarr"))
    np.testing.assert_array_equal(one.curves["loss"], other.curves["loss"])
    assert one.model == other.model


def test_where_to_compute_is_refused_of_a_training_and_shell_lines_of_what_starts_no_jobs(refused, folder):
    message = "expected a workflow with a sweep, found one without; leave it out"
    refused(("run", "learn.toml", "--cluster", "tcp://127.0.0.1:9", "--profile", "none.toml"), "--cluster", message)
    refused(("run", "small.toml", "--shards", 1, "--cluster", "tcp://127.0.0.1:9"), "expected the number of shards")
    where = ("--shards", 2, "--cluster", "tls://127.0.0.1:9", "--profile", "lab.toml", "--setup", "setup.sh")
    refused(("run", "small.toml", *where), "--setup: expected --cluster slurm beside it")
    assert not list(folder.glob("runs/*"))
