"""Whole commands, each in a process of its own: the demo, memory against duration, the import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_PEAK = (
    "import resource, sys; from twinbrain.cli import main; sys.argv[0] = 'twinbrain'\n"
    "try: main()\n"
    "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def measure_demo() -> str:
    """Return the row: the demo with an empty cache of compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TWINBRAIN_CACHE_DIR": f"{folder}/cache", "NUMBA_CACHE_DIR": f"{folder}/numba"}
        command = [sys.executable, "-m", "twinbrain.cli", "run", "resting_state", "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        run = json.loads(done.stdout)["run"]
        plan, info = (_json(*arguments, folder=folder) for arguments in (("plan", "resting_state"), ("info", run)))
    return (
        f"{seconds:.0f} s, everything compiled; {plan['n_regions']} regions, {info['n_neurons']:,} neurons, "
        f"{info['n_synapses']:,} synapses, {info['committed'] / 1e3:g} s of model time"
    )


def _json(*arguments: str, folder: str) -> dict[str, object]:
    command = [sys.executable, "-m", "twinbrain.cli", *arguments, "--json"]
    data: dict[str, object] = json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout)
    return data


def measure_peak_memory() -> str:
    """Return the row: peak memory of the whole brain for 20 s against 2 s."""
    peaks = {}
    for duration in ("2 s", "20 s"):
        with tempfile.TemporaryDirectory() as folder:
            arguments = ["run", "resting_state", "--no-figure", "--set", f"run.duration={duration}", "--json"]
            done = subprocess.run(
                [sys.executable, "-c", _PEAK, *arguments], cwd=folder, check=True, capture_output=True, text=True
            )
            peaks[duration] = int(done.stderr.strip().splitlines()[-1]) / 1024
    return f"{peaks['20 s'] / peaks['2 s']:.2f} × ({peaks['20 s']:.0f} against {peaks['2 s']:.0f} MiB)"


def measure_import(repetitions: int = 15) -> str:
    """Return the row: importing twinbrain, the interpreter's own start taken off."""

    def median(code: str) -> float:
        times = []
        for _ in range(repetitions):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(tempfile.gettempdir()))
            times.append(time.perf_counter() - start)
        return float(np.median(times))

    return f"{max(0.0, median('import twinbrain') - median('pass')):.3f} s"
