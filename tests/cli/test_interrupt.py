"""Ctrl-C ends a run at the end of a window, twice at once; nothing that was committed is lost."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import twinbrain as tb

COMMAND = (sys.executable, "-m", "twinbrain.cli", "run", "small.toml", "--no-figure")


@pytest.fixture
def start(folder):
    """Start a run, and wait until what it has committed is enough."""
    processes = []

    def call(options, enough=lambda attributes: attributes["committed"] > 0):
        process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        root = folder / "runs/small.zarr/zarr.json"
        while process.poll() is None and not (root.exists() and enough(json.loads(root.read_text())["attributes"])):
            time.sleep(0.01)
        assert process.poll() is None, process.stderr.read()
        return process

    yield call
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_ctrl_c_stops_at_the_end_of_a_window_and_the_run_goes_on_to_what_an_uninterrupted_one_gives(start, twinbrain):
    # So many windows that it cannot be over before the signal arrives.
    options = ("--set", "run.duration=250 ms", "--set", "run.window=10 ms")
    process = start(options)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert "stopping at the end of this window" in out
    assert "of 250 ms of model time; go on with: twinbrain resume runs/small.zarr" in err
    assert "Traceback" not in err
    stopped = tb.open_run("runs/small.zarr").attrs
    assert stopped["status"] == "interrupted"
    assert 0 < stopped["committed"] < 250
    assert stopped["committed"] % 10 == 0

    assert twinbrain("resume", "runs/small.zarr", "--no-figure").code == 0
    assert twinbrain("run", "small.toml", *options, "--no-figure", "--out", "whole.zarr").code == 0
    resumed, whole = (tb.open_run(path) for path in ("runs/small.zarr", "whole.zarr"))
    assert resumed.attrs["status"] == "complete"
    for name in ("spikes/time_step", "spikes/neuron", "rate/rate", "state/0_v_lif_current/v"):
        np.testing.assert_array_equal(resumed[name], whole[name])


def test_a_second_ctrl_c_stops_at_once_and_the_store_opens(start):
    # A window so long that nobody would wait for its end.
    options = ("--set", "run.duration=1000 s", "--set", "run.window=1000 s")
    process = start(options, enough=lambda attributes: attributes["status"] == "running")
    time.sleep(2)  # into the window: before its first step, one signal is enough to stop
    process.send_signal(signal.SIGINT)
    while "stopping at the end of this window" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "stopped at once; go on from 0 ms with: twinbrain resume runs/small.zarr" in err
    assert "Traceback" not in err
    assert tb.open_run("runs/small.zarr").attrs["committed"] == 0.0


def test_the_way_on_can_be_pasted_into_a_shell(twinbrain, monkeypatch):
    def stop(*arguments, **options):
        raise tb.RunInterrupted("stopped at 20 ms of 40 ms of model time")

    monkeypatch.setattr("twinbrain.run.simulate.run_prepared", stop)
    outcome = twinbrain("run", "small.toml", "--out", "my runs/one.zarr")
    assert outcome.code == 130
    assert outcome.err == ("stopped at 20 ms of 40 ms of model time; go on with: twinbrain resume 'my runs/one.zarr'\n")
