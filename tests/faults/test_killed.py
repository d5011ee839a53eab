"""A run that is killed at any moment opens, and resumes to what an uninterrupted one gives.

With TWINBRAIN_KILLS=20 in the environment it is killed as often; see docs/reference/performance.md.
"""

import json
import os
import random
import subprocess
import sys
import time

import pytest

import twinbrain as tb

N_KILLS = int(os.environ.get("TWINBRAIN_KILLS", "4"))


def attributes(path):
    root = path / "zarr.json"
    return json.loads(root.read_text())["attributes"] if root.exists() else {"status": "", "committed": -1.0}


def kill_when(place, arguments, reached, delay):
    """Start a command, and kill it ``delay`` s after something was reached; return whether it was still running."""
    command = [sys.executable, "-m", "twinbrain.cli", *arguments, "--no-figure"]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not reached():
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        error = process.stderr.read()
    assert "rror" not in error
    return process.returncode == -9


def test_a_killed_run_opens_each_time_and_resumes_to_the_same_values(place, check, uninterrupted):
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
        n_killed += kill_when(place, arguments, reached, delay)
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
