"""A disk that is full ends a training with a message; the epochs before stay, and it goes on once there is room."""

import os
import re
import resource
import subprocess

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels

TASK = which_channels(n_trials=32)
SETTINGS = {"epochs": 5, "batch_size": 16, "precision": "float64"}


@pytest.fixture(scope="module")
def whole():
    return tb.train(recurrent(), TASK, **SETTINGS)


def safe(error):
    """Return the epochs that a message says are safe."""
    text = str(error.value)
    assert "cannot write the training" in text
    assert "stays readable; make room or mend the disk, then resume it" in text
    return int(re.search(r"all that was committed, up to epoch (\d+), stays readable", text)[1])


def check(path, n, whole):
    with xr.open_datatree(path, engine="zarr") as tree:
        assert tree.attrs["epochs_done"] == n
        np.testing.assert_array_equal(tree["curves/loss"][:, :n], whole.curves["loss"][:, :n])


@pytest.mark.slow  # runs and stores on a full disk are tried each time
def test_on_a_full_disk_it_ends_readable_and_goes_on_once_there_is_room(disk, whole):
    path = disk / "training.zarr"

    def fill(what, done, total):
        if what == "train" and done == 2:
            room = os.statvfs(disk)
            (disk / "other").write_bytes(b"0" * (room.f_bavail * room.f_bsize))

    with pytest.raises(tb.StoreError, match="No space left on device") as error:
        tb.train(recurrent(), TASK, out=path, progress=fill, **SETTINGS)
    assert safe(error) == 2
    check(path, 2, whole)
    subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
    assert tb.resume_training(path, task=TASK).model == whole.model


def test_beyond_a_limit_on_the_size_of_files_likewise(tmp_path, whole):
    path = tmp_path / "training.zarr"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(what, done, total):
        if what == "train" and done == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))

    try:
        with pytest.raises(tb.StoreError, match="File too large") as error:
            tb.train(recurrent(), TASK, out=path, progress=limit, **SETTINGS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    check(path, safe(error), whole)
    assert tb.resume_training(path, task=TASK).model == whole.model


def test_where_nothing_can_be_written_nothing_is_trained(tmp_path):
    def never(*_):
        raise AssertionError

    for place in ("/proc/training.zarr", tmp_path / "file" / "training.zarr"):
        (tmp_path / "file").write_text("")
        with pytest.raises(tb.StoreError, match="training"):
            tb.train(recurrent(), TASK, out=place, progress=never, **SETTINGS)
