"""A sweep for tests that kill: forty short points of a small region, as a file."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np

import twinbrain as tb
from tests.cli.small import REGION

N_POINTS = 40
SWEEP = """
region = "pair.toml"

[run]
duration = "40 ms"
engine = "reference"

[sweep]
reduce = ["mean_rates", "cv_isi"]
batch = 2

[sweep.parameters]
seed = { range = 4 }
drive_seed = { range = 10 }
"""


def write_sweep(folder):
    (folder / "pair.toml").write_text(REGION)
    (folder / "many.toml").write_text(SWEEP)


def start(folder, *arguments):
    """Start a command line in a process group of its own; what it prints goes to ``log.txt``."""
    command = [sys.executable, "-m", "twinbrain.cli", *map(str, arguments)]
    with open(folder / "log.txt", "w") as log:
        return subprocess.Popen(command, cwd=folder, start_new_session=True, stdout=log, stderr=log)


def kill_all(process):
    """Kill a process and its workers at once, with nothing said to anyone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def n_done(path):
    try:
        return int((tb.open_sweep(path).status.values == 1).sum())
    except tb.StoreError:
        return -1


def wait_until(process, reached):
    """Wait until something is reached, or the process has ended."""
    while process.poll() is None and not reached():
        time.sleep(0.1)  # to look is to open a store


def assert_same(path, expected):
    found = tb.open_sweep(path).load()
    assert (found.status == 1).all()
    for name in ("mean_rates", "cv_isi"):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
