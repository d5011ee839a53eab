"""Verbs that write stores, raced against each other in processes of their own.

As a script, it imports all that verbs need, then runs each race that it is sent in two forks, and tells how it ended.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import twinbrain as tb
from tests.learn.networks import recurrent
from twinbrain.store import claim, claim_file, process

DRIVE = tb.Drive(population="e", receptor="exponential_current", rate="1 kHz", weight="60 pA")
REGION = recurrent(drives=[DRIVE])
RECORD = tb.Record(state=[tb.StateRecord(variable="v", neurons=4, interval="1 ms")])
TASK = {"name": "xor", "duration": "50 ms", "n_train": 64, "n_validation": 16, "n_test": 16}


def run(path, seed=1, **options):
    window = {"duration": "600 ms", "window": "10 ms", "engine": "reference", "record": RECORD}
    tb.simulate(REGION, out=path, seed=seed, **window, **options)


def resume(path):
    tb.resume(path)


def train(path, seed=1, **options):
    tb.train(REGION, TASK, out=path, seed=seed, epochs=12, batch_size=16, precision="float64", **options)


def resume_training(path):
    tb.resume_training(path)


def sweep(path, seed=1, **options):
    swept = {"coupling": [1.0], "drive_seed": [seed * 100 + i for i in range(24)], "reduce": ["mean_rates"]}
    fixed = {"duration": "60 ms", "dt": "0.1 ms", "engine": "reference"}
    tb.sweep(REGION, out=path, workers=0, batch=1, **swept, **fixed, **options)


def resume_sweep(path):
    tb.resume_sweep(path, workers=0)


VERBS = {verb.__name__: verb for verb in (run, resume, train, resume_training, sweep, resume_sweep)}


class _Stop(Exception):
    """Stands for a process that is gone."""


def begin(verb, path):
    """Let a verb begin a store, and fail in the midst of it."""

    def stop(*told):
        done = told[0].done >= 8 if len(told) == 1 else told[:1] == ("train",) and told[1] >= 4
        if done or (told[0] == "simulate" and told[1] >= 4000):
            raise _Stop

    try:
        VERBS[verb](path, progress=stop)
    except _Stop:
        return
    raise AssertionError("came to its end")


def contents(path):
    """Return what a store holds of results, whatever it is."""
    root = json.loads((Path(path) / "zarr.json").read_text())["attributes"]
    if "twinbrain_sweep" in root:
        found = tb.open_sweep(path).load()
        return {"status": found["status"].values, "mean_rates": found["mean_rates"].values}
    if "twinbrain_training" in root:
        trained = tb.open_training(path)
        return {"loss": trained.curves["loss"].values, "model": np.array(trained.model.digest)}
    tree = tb.open_run(path).load()
    names = ("spikes/time_step", "spikes/neuron", "rate/rate", "state/0_v_lif_current/v", "network/label")
    return {"status": np.array(tree.attrs["status"])} | {name: tree[name].values for name in names}


class Races:
    """A process that runs races."""

    def __enter__(self):
        command = [sys.executable, "-W", "ignore", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def race(self, path, verbs, delay=0.0):
        """Run calls, ``(verb, options)`` each, ``delay`` s apart; return what each said, and when it held its claim."""
        return self._tell("race", str(path), verbs, delay)

    def suspend(self, path, verbs, at, until):
        """Run the first of two calls, as if on another machine, and suspend it ``at`` s after it began.

        Once its claim counts as dead, run the other, and ``until`` s later let the first go on.
        """
        return self._tell("suspend", str(path), verbs, at, until)

    def _tell(self, *told):
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _attempt(path, verb, options, told):
    acquire, release, held, error = claim._acquire, claim._release, [], ""

    def noting_acquire(*arguments):
        found = acquire(*arguments)
        held.append(time.time())
        return found

    def noting_release(*arguments):
        held.append(time.time())
        release(*arguments)

    claim._acquire, claim._release = noting_acquire, noting_release
    try:
        VERBS[verb](path, **options)
    except tb.TwinbrainError as refusal:
        error = f"{type(refusal).__name__}: {refusal}"
    except BaseException:
        error = traceback.format_exc()
    Path(told).write_text(json.dumps([error, held]))
    os._exit(0)


def _serve():
    import twinbrain.learn.train
    import twinbrain.run.simulate
    import twinbrain.run.sweep.sweep  # noqa: F401

    for line in sys.stdin:
        what, path, *told = json.loads(line)
        KINDS[what](path, *told)
        print(json.dumps([json.loads(Path(f"{path}.{n}.json").read_text()) for n in range(len(told[0]))]), flush=True)


def _race(path, verbs, delay):
    processes = []
    for number, call in enumerate(verbs):
        if number:
            time.sleep(delay)
        processes.append(_begin(path, number, *call))
    _wait_for(processes)


def _suspend(path, verbs, at, until):
    claim_file.LEASE, claim_file.RENEWAL = LEASE, LEASE / 6
    claim.LEASE, claim.RENEWAL = claim_file.LEASE, claim_file.RENEWAL
    here, process._machine = process._machine, lambda: "elsewhere"
    first = _begin(path, 0, *verbs[0])
    process._machine = here
    time.sleep(at)
    os.kill(first, signal.SIGSTOP)
    time.sleep(LEASE + 1.0)
    other = _begin(path, 1, *verbs[1])
    time.sleep(until)
    os.kill(first, signal.SIGCONT)
    _wait_for([first, other])


def _begin(path, number, verb, options):
    if not (process := os.fork()):
        _attempt(path, verb, options, f"{path}.{number}.json")
    return process


def _wait_for(processes):
    for number in processes:
        os.waitpid(number, 0)


KINDS = {"race": _race, "suspend": _suspend}
LEASE = 3.0
"""Seconds without a sign of life after which one that is suspended counts as dead, in place of minutes."""


if __name__ == "__main__":
    _serve()
