"""A training that was stopped anywhere goes on to the bits of one that was not."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import LocalStore

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from tests.roots import edit_root

TASK = which_channels(n_trials=48)
SETTINGS = {
    "epochs": 4,
    "batch_size": 16,
    "learning_rate": 0.03,
    "precision": "float64",
    "trainable": {"weight": "synapse", "C_m": "neuron"},
}
REGION = recurrent(drives=[tb.Drive(population="e", receptor="exponential_current", rate="1 kHz", weight="20 pA")])


class Killed(Exception):
    """Stands for a process that is gone."""


def train(path, progress=None, **settings):
    return tb.train(REGION, TASK, seed=2, out=path, progress=progress, **SETTINGS | settings)


def at(epoch, act, batch=None):
    """Return a progress function that acts once so many epochs are done (and so many batches of the next)."""
    course = {"epochs": 0}

    def tell(what, done, total):
        if what == "train":
            course["epochs"] = done
        wanted = ("train", epoch) if batch is None else ("epoch", batch)
        if (what, done) == wanted and course["epochs"] == epoch:
            act()

    return tell


def kill():
    raise Killed


def interrupt():
    signal.raise_signal(signal.SIGINT)


def attributes(path):
    return zarr.open_group(path, mode="r").attrs


def stored(path):
    """Return all numbers of a training, but for how long it took."""
    found = {}
    for name, array in zarr.open_group(path, mode="r", use_consolidated=True).members(max_depth=None):
        if isinstance(array, zarr.Array) and not name.endswith("seconds"):
            found[name] = array[...].tolist()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("training") / "whole.zarr"
    return path, train(path)


def test_what_is_kept_is_what_is_returned_and_opens_with_xarray_alone(whole):
    path, trained = whole
    with xr.open_datatree(path, engine="zarr") as tree:
        np.testing.assert_array_equal(tree["curves/loss"], trained.curves["loss"])
        assert tree["curves"].sizes["epoch"] == 4
        assert list(tree["curves/population"].values) == ["e", "i", "input", "readout"]
        assert float(tree["responses/score"].mean()) == trained.score == tree.attrs["score"]
        assert (tree.attrs["status"], tree.attrs["epochs_done"]) == ("complete", 4)
    opened = tb.open_training(path, task=TASK)
    assert opened.model == trained.model
    assert opened.score == trained.score
    xr.testing.assert_identical(opened.curves, trained.curves)
    assert all(opened.curves.attrs[name] == tree.attrs[name] for name in ("best_epoch", "best_loss"))


def test_without_a_store_it_comes_to_the_same(whole):
    in_memory = tb.train(REGION, TASK, seed=2, **SETTINGS)
    assert in_memory.model == whole[1].model
    xr.testing.assert_equal(in_memory.curves.drop_vars("seconds"), whole[1].curves.drop_vars("seconds"))


@pytest.mark.parametrize(
    ("epoch", "batch"),
    [
        (0, 1),
        (1, 2),
        (4, None),
        *(pytest.param(*at, marks=pytest.mark.slow) for at in ((1, None), (3, 1))),
    ],
    ids=str,
)
def test_killed_and_resumed_it_ends_in_the_same_bits(whole, tmp_path, epoch, batch):
    path = tmp_path / "killed.zarr"
    with pytest.raises(Killed):
        train(path, at(epoch, kill, batch))
    assert (attributes(path)["status"], attributes(path)["epochs_done"]) == ("running", epoch)
    with pytest.raises(tb.StoreError, match=r"expected a complete training, found one that is not.*resume it first"):
        tb.open_training(path, task=TASK)
    tb.resume_training(path, task=TASK)
    assert stored(path) == stored(whole[0])


def test_interrupted_it_stops_within_a_batch_and_goes_on(whole, tmp_path):
    path = tmp_path / "interrupted.zarr"
    with pytest.raises(tb.RunInterrupted, match=r"stopped: 2 of 4 epochs are kept"):
        train(path, at(2, interrupt, batch=1))
    assert attributes(path)["status"] == "interrupted"
    with xr.open_datatree(path, engine="zarr") as tree:
        losses = tree["curves/loss"].values
    np.testing.assert_array_equal(losses[:, :2], whole[1].curves["loss"][:, :2])
    assert np.isnan(losses[:, 2:]).all()
    with pytest.raises(tb.RunInterrupted, match=r"stopped: 3 of 4 epochs are kept"):
        tb.resume_training(path, task=TASK, progress=at(3, interrupt))
    resumed = tb.resume_training(path, task=TASK)
    assert stored(path) == stored(whole[0])
    assert resumed.model == whole[1].model
    with pytest.raises(tb.RunInterrupted, match=r"stopped: nothing was kept"):
        tb.train(REGION, TASK, progress=at(1, interrupt), **SETTINGS)


def test_what_is_complete_is_returned_and_not_changed(whole):
    path, trained = whole
    before = (path / "zarr.json").read_bytes()
    again = tb.resume_training(path, task=TASK, progress=lambda *_: kill())
    assert again.model == trained.model
    assert (path / "zarr.json").read_bytes() == before


def test_a_training_stays_where_it_began_though_the_working_folder_changes(whole, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    trained = train("a.zarr", progress=at(1, lambda: os.chdir("elsewhere")))
    assert trained.model == whole[1].model
    assert [*(tmp_path / "elsewhere").iterdir()] == []
    assert attributes(tmp_path / "a.zarr")["status"] == "complete"


def test_what_is_complete_takes_no_changes(whole):
    path, trained = whole
    for change in ({"epochs": 20}, {"nonsense": 3}):
        with pytest.raises(tb.SpecError, match=r"expected learning_rate, clip, patience to change"):
            tb.resume_training(path, task=TASK, **change)
    with pytest.raises(tb.SpecError, match=r"learning_rate"):
        tb.resume_training(path, task=TASK, learning_rate=-5)
    with pytest.raises(tb.SpecError, match=r"not complete, to go on with another patience, found one of 4 epochs"):
        tb.resume_training(path, task=TASK, patience=10)
    assert tb.resume_training(path, task=TASK, learning_rate=0.03).model == trained.model  # what it has


def test_the_task_must_be_the_one_it_began_with(whole):
    path, _ = whole
    for task, text in (
        (None, "expected the task 'which channels' with which training began, found none; give it"),
        (tb.task("xor"), "found 'xor'; give it"),
        (which_channels(n_trials=48, seed=1), "expected the trials with which training began, found others"),
    ):
        for verb in (tb.resume_training, tb.open_training):
            with pytest.raises(tb.LearnError) as caught:
                verb(path, task=task)
            assert text in str(caught.value)


def test_the_task_can_come_by_its_name(tmp_path):
    path = tmp_path / "xor.zarr"
    settings = SETTINGS | {"epochs": 2, "batch_size": 64}
    with pytest.raises(Killed):
        tb.train(REGION, {"name": "xor", "duration": "50 ms"}, out=path, progress=at(1, kill), **settings)
    resumed = tb.resume_training(path)
    assert resumed.setup.task.train.n_steps == 50
    assert len(resumed.curves["epoch"]) == 2


def test_a_training_that_was_killed_while_it_was_created_does_not_block_its_path(whole, tmp_path):
    path = tmp_path / "killed.zarr"
    for n_writes in (0, 1, 4, 12):
        put, left = LocalStore._set, [n_writes]

        async def killed(self, *args, put=put, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            await put(self, *args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LocalStore, "_set", killed)
            with pytest.raises(Killed):
                train(path)
        for verb in (tb.resume_training, tb.open_training):
            with pytest.raises(tb.StoreError, match=r"creation was interrupted|found nothing|an empty folder"):
                verb(path, task=TASK)
    assert train(path, epochs=1).score >= 0.0


def test_other_versions_are_refused(whole, tmp_path):
    path = tmp_path / "old.zarr"
    with pytest.raises(Killed):
        train(path, at(1, kill))
    versions = json.loads(json.loads((path / "zarr.json").read_text())["attributes"]["versions"])
    edit_root(path, versions=json.dumps(versions | {"torch": "1.0"}))
    with pytest.raises(tb.StoreError, match=r"begun with: torch 1\.0, found .*; go on with those, or train anew"):
        tb.resume_training(path, task=TASK)


def test_a_training_goes_on_with_the_files_of_its_drives_from_any_folder_and_with_no_others(tmp_path, monkeypatch):
    def write(every):
        time = np.arange(1.0, 40.0, every)
        np.savez(tmp_path / "r.npz", time=time, neuron=np.zeros(len(time)))

    def begun(path=None, progress=None):
        return tb.train(region, task, out=path, progress=progress, epochs=2, batch_size=6)

    monkeypatch.chdir(tmp_path)
    write(3.0)
    spikes = {"file": "r.npz", "unit": "ms", "weight": "400 pA"}
    drive = tb.Drive(population="e", receptor="exponential_current", spikes=spikes)
    region, task = recurrent(sizes=(4, 2), drives=[drive]), which_channels(n_trials=12)
    with pytest.raises(Killed):
        begun("killed.zarr", at(1, kill))
    shutil.copytree("killed.zarr", "changed.zarr")
    monkeypatch.chdir("/")
    trained = tb.resume_training(tmp_path / "killed.zarr", task=task)
    assert trained.model == begun().model
    opened = tb.open_training(tmp_path / "killed.zarr", task=task)
    write(1.0)
    for use in (
        lambda: tb.resume_training(tmp_path / "changed.zarr", task=task),
        lambda: tb.open_training(tmp_path / "killed.zarr", task=task),
        opened.replay,
        trained.replay,
    ):
        with pytest.raises(tb.SpecError, match=r"drives\[0\]: spikes\.file: .*/r\.npz: .*the file has changed"):
            use()
    with pytest.raises(tb.StoreError, match=r"of another workflow \(.*sha256 of .*/r\.npz: '.* before, '.* now"):
        begun(tmp_path / "killed.zarr")


def test_a_path_that_is_taken_is_left_as_it_is_unless_it_may_be_replaced(whole, tmp_path):
    path = tmp_path / "taken.zarr"
    first = train(path, epochs=1)
    before = (path / "zarr.json").read_bytes()
    with pytest.raises(tb.StoreError, match=r"found a training: .*overwrite=True.*resuming, or name another path"):
        train(path, epochs=2)
    with pytest.raises(tb.LearnError, match=r"unknown rule"):  # of what is wrong nothing begins, and nothing is removed
        train(path, rule="bpt", overwrite=True)
    assert (path / "zarr.json").read_bytes() == before
    (path / "notes.txt").write_text("mine")
    assert train(path, epochs=1, overwrite=True).model == first.model
    assert (path / "notes.txt").read_text() == "mine"
    run = tmp_path / "run.zarr"
    run.mkdir()
    (run / "precious").write_text("data")
    with pytest.raises(tb.StoreError, match=r"found something else: .*remove it yourself"):
        train(run, overwrite=True)
    with pytest.raises(tb.StoreError, match=r"expected a free path for a training, found a file"):
        train(run / "precious", overwrite=True)
    with pytest.raises(tb.StoreError, match=r"expected a training's root document, found a folder without one"):
        tb.resume_training(run)


def test_a_loss_that_is_no_number_ends_it_and_another_learning_rate_lets_it_go_on(tmp_path):
    path = tmp_path / "failed.zarr"
    spoil = {"on": True}

    def poison(what, done, total):
        # As an optimiser does that overflows.
        if spoil["on"] and what == "epoch" and done == 1 and spoil.get("epochs") == 2:
            for parameter in spoil["network"].parameters():
                parameter.data.fill_(np.nan)
        if what == "train":
            spoil["epochs"] = done

    with pytest.MonkeyPatch.context() as patch:
        from twinbrain.learn import train as module

        learner_of = module.learner_of

        def spied(*arguments, **options):
            learner = learner_of(*arguments, **options)
            spoil["network"] = learner.setup.network
            return learner

        patch.setattr(module, "learner_of", spied)
        with pytest.raises(tb.LearnError) as caught:
            train(path, poison)
    message = str(caught.value)
    for text in (
        "epoch 3: expected finite numbers, found v = nan",
        "no number is left in the parameter ",
        "2 epochs is kept",
        "another learning_rate",
    ):
        assert text in message
    assert attributes(path)["status"] == "failed"
    assert attributes(path)["error"] in message
    assert attributes(path)["epochs_done"] == 2
    with pytest.raises(tb.SpecError, match=r"expected learning_rate, clip, patience to change.*found 'epochs'"):
        tb.resume_training(path, task=TASK, epochs=9)
    resumed = tb.resume_training(path, task=TASK, learning_rate=0.001)
    assert resumed.setup.training.learning_rate == 0.001
    assert attributes(path)["status"] == "complete"
    assert tb.open_training(path, task=TASK).setup.training.learning_rate == 0.001
    assert np.isfinite(resumed.curves["loss"]).all()
    with pytest.raises(tb.StoreError, match=r"found a training: .*overwrite=True"):
        train(path, learning_rate=0.001)  # whose first epochs would be others
