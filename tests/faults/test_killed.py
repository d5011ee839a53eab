"""A run that is killed at any moment opens, and resumes to what an uninterrupted one gives.

With TWINBRAIN_KILLS=20 in the environment it is killed as often; see docs/reference/performance.md.
"""

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time

import pytest

import twinbrain as tb

N_KILLS = int(os.environ.get("TWINBRAIN_KILLS", "4"))


def attributes(path):
    root = path / "zarr.json"
    return json.loads(root.read_text())["attributes"] if root.exists() else {"status": "", "committed": -1.0}


# Imports and compiles once, then runs each command line that it is sent in a process of its own.
LAUNCHER = """
import json, os, sys
import twinbrain.analysis, twinbrain.run.simulate
from twinbrain.cli import main
from twinbrain.engines.base import get_engine
from twinbrain.run.prepare import build_network, prepare
from twinbrain.spec.load import load_workflow
get_engine("brian2")(build_network(prepare(load_workflow("small.toml")))).advance(100)
for line in sys.stdin:
    if not (process := os.fork()):
        sys.argv = ["twinbrain", *json.loads(line)]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        main()
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


@pytest.fixture
def kill_when(place):
    """Start a command line, and kill it ``delay`` s after something was reached; return how it ended."""
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER], cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as launcher:

        def call(arguments, reached, delay):
            launcher.stdin.write(json.dumps([*arguments, "--no-figure"]) + "\n")
            launcher.stdin.flush()
            process = int(launcher.stdout.readline())
            while not reached() and not select.select([launcher.stdout], [], [], 0.002)[0]:
                pass
            time.sleep(delay)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            return int(launcher.stdout.readline())

        yield call


@pytest.mark.slow
def test_a_killed_run_opens_each_time_and_resumes_to_the_same_values(place, kill_when, check, uninterrupted):
    draw = random.Random(11)
    path = place / "runs/small.zarr"
    n_early = max(1, N_KILLS // 5)
    n_killed, committed = 0, []
    for k in range(N_KILLS):
        before = attributes(path)
        resumable = before["status"] not in ("", "creating")
        if k < n_early:
            # While the run is created, or soon after.
            arguments = ("run", "small.toml", *(["--overwrite"] if resumable else []))
            reached, delay = (
                (lambda before=before: attributes(path) != before or (before["committed"] < 0 and path.exists())),
                draw.uniform(0.0, 0.2),
            )
        else:
            # After some more of the 40 windows, in the middle of one or of its commit.
            arguments = ("resume", "runs/small.zarr") if resumable else ("run", "small.toml")
            wanted = before["committed"] + 10.0 * draw.randint(1, max(1, 24 // (N_KILLS - n_early)))
            reached, delay = (lambda wanted=wanted: attributes(path)["committed"] >= wanted), draw.uniform(0.0, 0.04)
        n_killed += kill_when(arguments, reached, delay) == -signal.SIGKILL
        if attributes(path)["status"] in ("", "creating"):
            with pytest.raises(tb.StoreError, match="start the run anew"):
                tb.open_run(path)
        else:
            committed.append(check(path))
    assert n_killed == N_KILLS
    assert len(set(committed)) >= N_KILLS - n_early

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        resumed = tb.resume("runs/small.zarr")
    assert resumed.attrs["status"] == "complete"
    assert check(path) == 400.0
    assert len(resumed["spikes/neuron"]) == len(uninterrupted["spikes/neuron"]) > 300
