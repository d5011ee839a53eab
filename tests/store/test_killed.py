import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr

from twinbrain.store import resume_run


def test_a_run_killed_at_any_moment_holds_whole_windows_and_resumes_to_the_same_values(
    example, path, seen, uninterrupted
):
    draw = random.Random(5)
    command = [sys.executable, "-W", "error", Path(__file__).with_name("example.py"), path]
    n_committed = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        for n_kills in range(10):
            writers.stdin.write("\n")
            writers.stdin.flush()
            process = int(writers.stdout.readline())
            if n_kills < 4:  # most likely while it creates the run
                time.sleep(draw.uniform(0.0, 0.3))
            else:
                wait_for_windows(path)
                time.sleep(draw.uniform(0.0, 0.1))
            os.kill(process, signal.SIGKILL)
            assert writers.stdout.readline() == "killed\n"
            n_committed.append(check(example, path))
    assert n_committed == sorted(n_committed)
    assert len(set(n_committed)) > 5

    writer, _, _ = resume_run(path)
    n_windows = n_committed[-1] + 3
    example.commit(writer, range(n_committed[-1], n_windows))
    assert seen(path) == uninterrupted(n_windows)


def wait_for_windows(path):
    """Wait until a process has committed at least one more."""
    root = path / "zarr.json"
    before = committed = json.loads(root.read_text())["attributes"]["committed"] if root.exists() else 0.0
    while committed == before:
        time.sleep(0.01)
        committed = json.loads(root.read_text())["attributes"]["committed"] if root.exists() else 0.0


def check(example, path):
    """Check that a run holds the windows that it says, and return their number."""
    if not (path / "zarr.json").exists():  # killed before the first write
        return 0
    with xr.open_datatree(path, engine="zarr") as tree:
        if tree.attrs["status"] == "creating":
            assert not tree.children
            return 0
        tree.load()
    n_windows = round(tree.attrs["committed"] / (example.WINDOW_STEPS * example.DT))
    windows = [example.window(k) for k in range(n_windows)]
    expected = {
        "spikes/time_step": [window.time_step for window in windows],
        "spikes/neuron": [window.neuron for window in windows],
        "rate/rate": [window.rates for window in windows],
        "state/v_adex/v": [window.samples["v_adex"] for window in windows],
    }
    for name, parts in expected.items():
        np.testing.assert_array_equal(tree[name], np.concatenate([tree[name].values[:0], *parts]))
    if n_windows:
        slot = tree[f"checkpoint/{tree.attrs['checkpoint']}"]
        state = example.state(n_windows - 1)
        assert slot.attrs["step"] == state.step
        np.testing.assert_array_equal(slot["adex%2Fv"], state.variables["adex/v"])
        np.testing.assert_array_equal(slot["under_way_neuron"], state.under_way_neuron)
    return n_windows
