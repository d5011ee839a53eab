"""Files of data sets that lead elsewhere, claim more than they have, or are none: each is refused by one message."""

import os
import re
import tracemalloc

import h5py
import numpy as np
import pytest

import twinbrain as tb
from tests.learn.tasks import test_heidelberg, test_nmnist

LABELS = list(range(20))


@pytest.fixture
def shd(tmp_path):
    """Return what is said of a test file that a function has changed."""
    for part in ("train", "test"):
        test_heidelberg.write(tmp_path / f"shd_{part}.h5", LABELS * 3)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["labels"] = np.array(LABELS * 3)
    (tmp_path / "other.raw").write_bytes(np.array(LABELS * 3, "<i8").tobytes())

    def said(change):
        with h5py.File(tmp_path / "shd_test.h5", "r+") as file:
            change(file, tmp_path)
        with pytest.raises(tb.LearnError) as error:
            tb.task("shd", folder=str(tmp_path))
        assert "shd_test.h5" in str(error.value)
        return str(error.value)

    return said


def in_place_of(key):
    def decorate(make):
        def change(file, folder):
            del file[key]
            make(file, folder)

        return change

    return decorate


@in_place_of("labels")
def link(file, folder):
    file["labels"] = h5py.ExternalLink("other.h5", "/labels")


@in_place_of("labels")
def virtual(file, folder):
    layout = h5py.VirtualLayout((60,), "i8")
    layout[:] = h5py.VirtualSource("other.h5", "labels", (60,))
    file.create_virtual_dataset("labels", layout)


@in_place_of("labels")
def raw(file, folder):
    file.create_dataset("labels", (60,), "<i8", external=[("other.raw", 0, 480)])


@pytest.mark.parametrize("change", [link, virtual, raw])
def test_nothing_is_read_of_another_file(shd, change):
    assert "/labels: expected data within the file, found" in shd(change)


def many(n):
    def change(file, folder):
        for key, kind in (("spikes/times", h5py.vlen_dtype("f4")), ("spikes/units", h5py.vlen_dtype("u2"))):
            del file[key]
            file.create_dataset(key, (n,), kind, chunks=(1024,))
        del file["labels"]
        file.create_dataset("labels", (n,), "u1", chunks=(2**16,), compression="gzip")

    return change


@pytest.mark.parametrize(
    ("n", "message"), [(10**9, "unpacked datasets up to .* of at most 256 MB"), (2_000_000, "found 2,000,000 trials")]
)
def test_rows_that_are_only_claimed_take_no_memory(shd, n, message):
    tracemalloc.start()
    try:
        found = shd(many(n))
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert re.search(message, found)


def test_spikes_of_many_trials_are_counted_before_they_are_put_together(tmp_path, monkeypatch):
    for part in ("train", "test"):
        test_heidelberg.write(tmp_path / f"shd_{part}.h5", LABELS * 3)
    monkeypatch.setattr("twinbrain.learn.tasks.room._BYTES_OF_A_READ_SPIKE", 10**12)
    with pytest.raises(tb.LearnError, match=r"task shd: expected trials that fit into .* with .* spikes that take"):
        tb.task("shd", folder=str(tmp_path))


@pytest.fixture
def nmnist(tmp_path):
    """A folder of the data set, and a file in it."""
    for part in ("Train", "Test"):
        for digit in range(10):
            for i in range(2):
                test_nmnist.write(tmp_path / part / str(digit) / f"{i}.bin", test_nmnist.EVENTS)
    return tmp_path, tmp_path / "Train" / "3" / "9.bin"


def sparse(path):
    path.touch()
    os.truncate(path, 400_000_000)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (os.mkfifo, "expected a regular file, found a pipe"),
        (os.mkdir, "expected a regular file, found a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "expected a regular file, found a device"),
        (sparse, "expected a file of at most 4 MB, found 400 MB"),
    ],
)
def test_recordings_that_are_no_files_or_too_large_are_refused(nmnist, make, found):
    folder, path = nmnist
    make(path)
    with pytest.raises(tb.LearnError, match=found) as error:
        tb.task("nmnist", folder=str(folder), validation=0.2)
    assert str(path) in str(error.value)
