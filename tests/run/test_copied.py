"""A copy that is made while a store is written may hold objects of two commits, which is told."""

import re
import shutil

import pytest

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from tests.run.conftest import lively

RUN = {"duration": "30 ms", "window": "10 ms", "engine": "reference", "seed": 3}


def copied_on_the_way(write, path, at):
    """Write a store, and return a copy of what it was after some windows or epochs; each is in order meanwhile."""
    earlier = path.with_name("earlier.zarr")

    def copy(what, done, total):
        if what in ("simulate", "train") and done >= at and not earlier.exists():
            assert tb.check_store(path).damaged == ()
            shutil.copytree(path, earlier)
            assert tb.check_store(earlier).damaged == ()

    write(path, copy)
    return earlier


def put_back(earlier, path, group):
    """Put the objects of a group back to what they were."""
    for file in (earlier / group).rglob("*"):
        if file.is_file() and file.name != "zarr.json":
            shutil.copy(file, path / file.relative_to(earlier))


@pytest.mark.parametrize("group", ["rate", "spikes"])
def test_rows_of_another_commit_are_told_by_the_check_and_by_who_takes_the_run(tmp_path, group):
    path = tmp_path / "run.zarr"
    earlier = copied_on_the_way(
        lambda path, progress: tb.simulate(lively(), out=path, progress=progress, **RUN), path, at=200
    )
    assert 0 < tb.open_run(earlier).attrs["committed"] < 30
    tb.resume(path)
    put_back(earlier, path, group)
    (damage, *_) = tb.check_store(path).damaged
    assert re.search(rf"run\.zarr/{group}/\w+: expected ", damage.message)
    for take in (lambda: tb.resume(path), lambda: tb.simulate(lively(), out=path, **RUN)):
        with pytest.raises(tb.StoreError, match=rf"{group}/\w+: expected "):
            take()


def test_curves_of_another_commit_are_told_by_whoever_opens_them(tmp_path):
    path, task = tmp_path / "training.zarr", which_channels(n_trials=32)

    def train(path, progress):
        tb.train(recurrent(), task, out=path, epochs=3, batch_size=16, precision="float64", progress=progress)

    earlier = copied_on_the_way(train, path, at=2)
    assert tb.open_training(path, task=task).curves.sizes["epoch"] == 3
    put_back(earlier, path, "curves")
    assert "curves: expected the curves that were committed" in tb.check_store(path).damaged[0].message
    with pytest.raises(
        tb.StoreError, match="curves: expected the curves that were committed with the rest, found othe"
    ):
        tb.open_training(path, task=task)
    with pytest.raises(tb.StoreError, match="curves: expected"):
        tb.resume_training(path, task=task)
    assert tb.resume_training(earlier, task=task).curves.sizes["epoch"] == 3
