"""What is lost, or stopped, while workers start is told in one message."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

import twinbrain as tb
from tests.cli.small import write_files
from twinbrain.run.cluster.connect import connected

SWEEP = "\n[sweep]\nreduce = ['mean_rates']\nbatch = 1\nparameters.coupling = [0.5, 0.6, 0.7, 0.8]\n"


def starting_workers(process):
    """Return the processes below one that are, or are about to be, workers."""
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_workers_that_are_killed_while_they_start_are_told_of():
    over = threading.Event()

    def kill():
        while not over.wait(0.05):
            for worker in starting_workers(psutil.Process()):
                with contextlib.suppress(psutil.Error):
                    worker.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        with pytest.raises(tb.ClusterError, match=r"expected .*workers?.*, found .*see what they print"):
            connected(workers=1).__enter__()
    finally:
        over.set()
        thread.join()


def test_a_program_on_standard_input_is_told_that_workers_cannot_import_it():
    code = (
        "from twinbrain.run.cluster.connect import connected\n"
        'if __name__ == "__main__":\n    with connected(workers=1):\n        pass\n'
    )
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "found one on standard input" in done.stderr.splitlines()[-1]
    assert done.stderr.count("Traceback") == 1
    assert "__name__" not in done.stderr.splitlines()[-1]


@pytest.fixture
def sweep(tmp_path):
    """The command that runs a sweep of four points."""
    write_files(tmp_path)
    with (tmp_path / "small.toml").open("a") as file:
        file.write(SWEEP)
    return [sys.executable, "-m", "twinbrain.cli", "run", "small.toml"]


def has_come_up(worker):
    """Return whether a worker has done most of what it imports, and runs the loop that heeds Ctrl-C by itself."""
    with contextlib.suppress(psutil.Error):
        return sum(worker.cpu_times()[:2]) > 0.8
    return False


def test_ctrl_c_while_workers_start_says_that_it_was_stopped(sweep, tmp_path):
    with subprocess.Popen(
        [*sweep, "--workers", "1"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not any(map(has_come_up, starting_workers(psutil.Process(process.pid)))):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
        error = process.communicate()[1]
    assert process.returncode == 130, error
    assert "__main__" not in error
    assert "Traceback" not in error
    assert "of 4 points" in error
    assert "go on with: twinbrain resume runs/small.zarr" in error


@pytest.mark.slow
def test_a_stop_at_once_says_how_many_points_are_done(sweep, tmp_path):
    (tmp_path / "own.py").write_text(
        "seen = []\n\ndef last(run):\n    seen.append(run)\n    if len(seen) > 8:\n        raise KeyboardInterrupt\n"
        "    return 1.0\n"
    )
    options = ("--workers", "0", "--reduce-from", "own.py:last")
    done = subprocess.run([*sweep, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "of 4 points are done; go on with: twinbrain resume runs/small.zarr" in done.stderr
    assert "nothing was recorded" not in done.stderr
