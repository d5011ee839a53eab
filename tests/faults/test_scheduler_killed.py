"""A scheduler that is killed ends a sweep with a message; under a new one it goes on, and without one."""

import contextlib
import signal
import subprocess
import sys
import threading
import time

import pytest
from distributed import Client

import twinbrain as tb
from tests.faults.sweeps import N_POINTS, assert_same, n_done, write_sweep


@contextlib.contextmanager
def running(*arguments):
    """Run a command of Dask in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def cluster(folder, name):
    """Run a scheduler and a worker; give the scheduler's process and its address."""
    file = folder / f"{name}.json"
    with running(
        "scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", file
    ) as scheduler:
        while not file.exists():
            assert scheduler.poll() is None
            time.sleep(0.05)
        with (
            running("worker", "--scheduler-file", file, "--nthreads", 1, "--no-dashboard", "--local-directory", folder),
            Client(scheduler_file=str(file), set_as_default=False) as client,
        ):
            client.wait_for_workers(1, timeout=120)
            yield scheduler, client


@pytest.mark.slow
@pytest.mark.parametrize("under", ["none", "another"])
def test_a_sweep_whose_scheduler_is_killed_says_so_and_goes_on_under_another_and_without(tmp_path, monkeypatch, under):
    write_sweep(tmp_path)
    monkeypatch.chdir(tmp_path)
    expected = tb.sweep("many.toml", out="expected.zarr", workers=0).load()
    path = tmp_path / "sweep.zarr"

    def kill(scheduler):
        while n_done(path) < 4:
            time.sleep(0.02)
        scheduler.send_signal(signal.SIGKILL)

    with cluster(tmp_path, "first") as (scheduler, client):
        thread = threading.Thread(target=kill, args=[scheduler])
        thread.start()
        with pytest.raises(tb.ClusterError, match=r"scheduler.*points done; they are kept: resume"):
            tb.sweep("many.toml", out=path, client=client)
        thread.join()
    assert 4 <= n_done(path) < N_POINTS
    if under == "none":
        tb.resume_sweep(path, workers=0)
    else:
        with cluster(tmp_path, "second") as (_, client):
            tb.resume_sweep(path, client=client)
    assert_same(path, expected)
