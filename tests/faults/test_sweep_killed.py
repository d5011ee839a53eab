"""A sweep whose every process is killed at any moment goes on, to what an undisturbed one gives.

With TWINBRAIN_KILLS=10 in the environment it is killed as often; see docs/reference/performance.md.
"""

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

import twinbrain as tb
from tests.faults.sweeps import N_POINTS, assert_same, kill_all, n_done, start, wait_until, write_sweep

N_KILLS = int(os.environ.get("TWINBRAIN_KILLS", "1"))
N_WORKERS = 1 if N_KILLS == 1 else 2  # each takes seconds to start


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_sweep(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What a sweep gives that nothing befalls."""
    folder = tmp_path_factory.mktemp("expected")
    write_sweep(folder)
    with contextlib.chdir(folder):
        return tb.sweep("many.toml", out="expected.zarr", workers=0).load()


@pytest.mark.slow
def test_a_sweep_that_is_killed_as_a_whole_goes_on_each_time_to_the_same_results(folder, expected):
    draw = random.Random(3)
    path = folder / "runs/many.zarr"
    done = []
    for k in range(N_KILLS):
        before = n_done(path)
        arguments = ("run", "many.toml") if before < 0 or k % 2 else ("resume", path)
        process = start(folder, *arguments, "--workers", N_WORKERS)
        wanted = max(before, 0) + draw.randint(0, max(1, (N_POINTS - max(before, 0)) // (N_KILLS - k + 1)))
        wait_until(process, lambda wanted=wanted: n_done(path) >= wanted)
        time.sleep(draw.uniform(0.0, 0.3))
        kill_all(process)
        done.append(n_done(path))
    assert process.returncode == -signal.SIGKILL
    assert done == sorted(done)
    assert done[-1] < N_POINTS
    tb.resume_sweep(path, workers=0)
    assert_same(path, expected)


@pytest.mark.slow
def test_on_a_full_disk_a_sweep_ends_with_a_message_and_goes_on_once_there_is_room(folder, expected, disk):
    subprocess.run(["mount", "-o", "remount,size=512k", disk], check=True)
    path = disk / "sweep.zarr"
    with pytest.raises(tb.StoreError, match=r"No space left on device.*stays readable.*then resume it"):
        tb.sweep("many.toml", out=path, batch=1, workers=0)
    before = n_done(path)
    assert 0 < before < N_POINTS
    subprocess.run(["mount", "-o", "remount,size=32m", disk], check=True)
    told = []
    tb.resume_sweep(path, workers=0, progress=told.append)
    assert told[0].done == before
    assert told[-1].now == N_POINTS - before
    assert_same(path, expected)
