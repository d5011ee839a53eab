import errno
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from zarr.storage import LocalStore

from twinbrain.errors import StoreError
from twinbrain.store import resume_run


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MB that can be filled, and remounted as read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path):
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_on_a_full_disk_all_that_was_committed_stays_and_the_window_can_be_committed_again(
    example, disk, seen, uninterrupted
):
    writer = example.commit(example.create(disk / "run.zarr"), range(3))
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    for attempt in (lambda: example.commit(writer, [3]), lambda: writer.set_status("interrupted")):
        with pytest.raises(
            StoreError, match=r"No space left on device.*stays readable, up to 210 ms; make room.*resume"
        ):
            attempt()
        assert seen(disk / "run.zarr") == uninterrupted(3)
    filler.unlink()
    example.commit(writer, range(3, 5))
    example.commit(resume_run(disk / "run.zarr")[0], range(5, 7))
    assert seen(disk / "run.zarr") == uninterrupted(7)


def test_on_a_disk_without_room_for_a_run_the_creation_says_so(example, disk):
    (disk / "filler").write_bytes(bytes(4 * 2**20 - 4096))
    with pytest.raises(StoreError, match=r"No space left on device.*nothing was recorded; name a place"):
        example.create(disk / "run.zarr")


def test_on_a_read_only_disk_a_run_can_be_read_but_neither_written_nor_resumed(example, disk, seen, uninterrupted):
    writer = example.commit(example.create(disk / "run.zarr"), range(2))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert seen(disk / "run.zarr") == uninterrupted(2)
    with pytest.raises(StoreError, match=r"Read-only file system.*up to 140 ms"):
        example.commit(writer, [2])
    with pytest.raises(StoreError, match="Read-only file system"):
        example.commit(resume_run(disk / "run.zarr")[0], [2])
    with pytest.raises(StoreError, match=r"Read-only file system.*name a place that can be written to"):
        example.create(disk / "new.zarr")


def test_a_path_below_a_file_cannot_be_created(example, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"cannot write the run .*name a place that can be written to"):
        example.create(tmp_path / "file" / "run.zarr")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_limit_on_the_size_of_files_ends_with_the_last_window_that_fitted(path, example, seen, uninterrupted):
    script = f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import example, numpy as np
        from dataclasses import replace
        writer = example.commit(example.create({str(path)!r}), range(2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        large = np.random.default_rng(0).integers(0, 2**31, 100_000).astype(np.int32)
        steps = np.full(len(large), 1400, np.int32)
        writer.commit(replace(example.window(2), time_step=steps, neuron=large), example.state(2))
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "StoreError" in found.stderr
    assert "File too large; all that was committed stays readable, up to 140 ms" in found.stderr
    assert seen(path) == uninterrupted(2)
    example.commit(resume_run(path)[0], range(2, 4))
    assert seen(path) == uninterrupted(4)


def test_whichever_write_of_a_commit_fails_nothing_of_the_window_is_seen_and_it_can_be_repeated(
    example, path, seen, uninterrupted, monkeypatch
):
    writer = example.commit(example.create(path), range(2))
    put, n_left, root_fails = LocalStore._set, 0, True

    async def failing(self, key, *args, **options):
        nonlocal n_left
        n_left -= 1
        if n_left < 0 or (root_fails and key == "zarr.json"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        await put(self, key, *args, **options)

    monkeypatch.setattr(LocalStore, "_set", failing)
    # In turn with other spikes: what is repeated need not be the same.
    other = replace(example.window(2), time_step=np.full(999, 1400, np.int32), neuron=np.zeros(999, np.int32))
    for n_writes in (*range(6), 10, 15, 20, 1000):
        n_left = n_writes
        with pytest.raises(StoreError, match="Input/output error; all that was committed stays readable, up to 140 ms"):
            writer.commit(other if n_writes % 2 else example.window(2), example.state(2))
        assert seen(path) == uninterrupted(2)
    n_left, root_fails = 1000, False
    example.commit(writer, [2])
    assert seen(path) == uninterrupted(3)
