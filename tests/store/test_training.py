"""The store of a training goes on from what it committed, and from nothing else."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.roots import training_attributes
from twinbrain.errors import StoreError
from twinbrain.store import Location
from twinbrain.store import training as module
from twinbrain.store.claim import claimed
from twinbrain.store.claim_file import claim_name, claim_numbers
from twinbrain.store.training import create_training, open_training_store


@pytest.fixture
def training(tmp_path, example):
    """A training of three epochs, whose valid slot is the one of the first."""
    curves = xr.Dataset({"loss": ("epoch", np.full(4, np.nan))})
    location = Location.of(tmp_path / "a.zarr")
    kept = create_training(location, training_attributes(), curves, example.connectome())
    for epoch in range(3):
        kept.commit({"loss": np.array(1.0 / (1 + epoch))}, {"w": np.full(5, 1.0 + epoch), "n": np.array(epoch)})
        shutil.copytree(location.path, tmp_path / str(epoch))
    return location


def test_the_state_is_the_last_that_was_committed(training):
    state = open_training_store(training).state()
    assert {name: values.tolist() for name, values in state.items()} == {"n": 2, "w": [3.0] * 5}


@pytest.mark.parametrize(
    ("key", "copy"), [("checkpoint/even/w/c/0", "0"), ("checkpoint/odd/w/c/0", "1"), ("zarr.json", "0")]
)
def test_a_state_of_another_epoch_is_refused(training, key, copy):
    shutil.copy(training.path.parent / copy / key, training.path / key.replace("odd", "even"))
    with pytest.raises(
        StoreError, match=r"checkpoint/\w+: expected the state .*, found another: the training is damaged"
    ):
        open_training_store(training).state()


def test_what_another_process_has_done_meanwhile_is_not_taken_back(training):
    """It may hold a claim of the sweep that keeps the training, rather than of the training."""
    late, other = open_training_store(training), open_training_store(training)
    other.commit({"loss": np.array(0.1)}, {"w": np.zeros(5), "n": np.array(3)})
    for write in (
        lambda: late.commit({"loss": np.array(9.0)}, {"w": np.ones(5), "n": np.array(9)}),
        lambda: late.mark(status="stopped"),
        lambda: late.finish({}, {"w": np.ones(5)}),
    ):
        with pytest.raises(StoreError, match="expected the training as it was left, up to epoch 3, found it changed"):
            write()
    found = open_training_store(training)
    assert (found.epochs_done, found.attributes["status"]) == (4, "running")
    assert found.state()["n"] == 3
    assert found.curves()["loss"].values[3] == 0.1


def taking_over(location):
    """Take over from this process, as another does once its lease has run out, and commit two epochs there."""

    def other():
        for number in claim_numbers(location):
            location.delete(claim_name(number))
        with claimed(location, "training"):
            kept = open_training_store(location)
            for epoch in range(kept.epochs_done, 4):
                kept.commit({"loss": np.array(0.1 * epoch)}, {"w": np.full(5, -1.0), "n": np.array(epoch)})
            kept.finish({}, {"w": np.full(5, -2.0)})

    with ThreadPoolExecutor() as pool:  # where no claim of this one is held
        pool.submit(other).result()


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize(
    "write",
    [
        lambda kept: kept.commit({"loss": np.array(9.0)}, {"w": np.ones(5), "n": np.array(9)}),
        lambda kept: kept.finish({}, {"w": np.ones(5)}),
    ],
)
def test_who_wakes_within_a_commit_and_is_taken_over_changes_nothing(training, monkeypatch, write, staged):
    """It is suspended before, or after, it has written beside what counts, and wakes when the other is done."""
    with claimed(training, "training"):
        late = open_training_store(training)
        place, name = (module.TrainingStore, "_replace") if staged else (module, "_compose")
        real = getattr(place, name)

        def woken(*arguments, **attributes):
            found = None if staged else real(*arguments)
            monkeypatch.undo()
            taking_over(training)
            return real(*arguments, **attributes) if staged else found

        monkeypatch.setattr(place, name, woken)
        with pytest.raises(StoreError, match="expected to be alone in writing the training"):
            write(late)
    found = open_training_store(training)
    assert (found.attributes["status"], found.epochs_done) == ("complete", 4)
    assert found.state()["w"].tolist() == [-1.0] * 5
    assert found.trained()["w"].tolist() == [-2.0] * 5
    assert found.curves()["loss"].values.tolist() == pytest.approx([1.0, 0.5, 1 / 3, 0.3])
    assert not tb.check_store(training.path).damaged


def test_what_one_that_was_suspended_writes_at_last_is_written_over(training):
    """It can be suspended within a single write of a curve, which no question about its claim comes after."""
    key = "curves/loss/c/0"
    before = training.read(key)
    kept = open_training_store(training)
    kept.commit({"loss": np.array(0.1)}, {"w": np.zeros(5), "n": np.array(3)})
    training.write(key, before)
    kept.finish({}, {"w": np.ones(5)})
    assert open_training_store(training).curves()["loss"].values[3] == 0.1
