"""Sweeps: 1,000 points on two workers against one process, against plain Brian2; 10,000 short points."""

from __future__ import annotations

import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.plain_column import plain_point
from twinbrain.interrupt import Interrupt
from twinbrain.run.cluster.connect import connected
from twinbrain.run.prepare import prepare
from twinbrain.run.sweep.create import open_or_create, prepare_sweep
from twinbrain.run.sweep.drive import SweepState, drive
from twinbrain.run.sweep.open import open_sweep
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.sharing import Shared
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.load import load_region
from twinbrain.spec.workflow import Run, Workflow
from twinbrain.store import Location

N_NEURONS = 200
RATES = {"linear": ["1500 Hz", "1900 Hz"], "n": 20}
N_SEEDS = 50
_RATE_KEY = "regions.*.drives.pyr.rate"


def column(duration: str = "1 s") -> Workflow:
    """Return a cortical column of 200 neurons."""
    region = load_region("cortex/column")
    region = region.scaled(N_NEURONS / sum(p.size for p in region.populations.values()))
    return Workflow(name="column", run=Run.parse({"duration": duration}), brain=single_region_brain(region))


def serial(workflow: Workflow, points: list[dict[str, Any]]) -> float:
    """Return the seconds a point that one process takes to simulate, one after another: steps alone."""
    shared, seconds = Shared(), []
    for values in points:
        prepared = prepare(point_workflow(workflow, values))
        network, _ = shared.network(prepared, values)
        simulation = shared.simulation(prepared, network)
        start = time.perf_counter()
        simulation.advance(prepared.grid.n_steps)
        seconds.append(time.perf_counter() - start)
    shared.close()
    return float(np.mean(seconds[1:]))


def measure_sweep(n_sample: int = 60) -> str:
    """Return the row: wall time against half of the serial simulation time."""
    workflow, _ = declared_sweep(column(), {_RATE_KEY: RATES, "drive_seed": range(N_SEEDS)})
    n = 20 * N_SEEDS
    sample = [{_RATE_KEY: f"{1500 + 400 * i / n_sample:.6g} Hz", "drive_seed": i} for i in range(n_sample)]
    with tempfile.TemporaryDirectory() as folder, connected("local", workers=2) as client:
        before = serial(workflow, sample)
        start = time.perf_counter()
        prepared = prepare_sweep(workflow, {})
        store = open_or_create(prepared, Location(Path(folder) / "sweep.zarr"), overwrite=False)
        with Interrupt() as interrupt:
            state = drive(store, {}, client, _ignore, interrupt)
        wall = time.perf_counter() - start
        after = serial(workflow, sample)
        spread = open_sweep(str(store.location)).mean_rates.values
    assert (state.done, state.failed) == (n, 0)
    one = (before + after) / 2
    return (
        f"{wall / (n * one / 2):.2f} ×: {wall:.1f} s for {n:,} points, {1e3 * one:.0f} ms of simulation each (before "
        f"{1e3 * before:.0f}, after {1e3 * after:.0f}); overhead a point {1e3 * (2 * wall / n - one):.0f} ms, all of "
        f"preparing, compiling, reducing and storing in it; mean rates {spread.min():.1f}–{spread.max():.1f} Hz"
    )


def measure_against_plain(n_sample: int = 6) -> str:
    """Return the row: seconds a point against a loop over plain Brian2."""
    workflow, _ = declared_sweep(column(), {_RATE_KEY: RATES, "drive_seed": range(2)})
    with tempfile.TemporaryDirectory() as folder, connected("local", workers=2) as client:
        prepared = prepare_sweep(workflow, {})
        store = open_or_create(prepared, Location(Path(folder) / "sweep.zarr"), overwrite=False)
        with Interrupt() as interrupt:
            start = time.perf_counter()
            drive(store, {}, client, _ignore, interrupt)
            ours = (time.perf_counter() - start) / prepared.n_points
        our_rate = float(open_sweep(str(store.location)).mean_rates.isel(rate=0).mean())
    point = prepare(point_workflow(workflow, {}))
    network, _ = Shared().network(point, {})
    plain_point(point, network, 1500.0, 0, 0.01)  # compiles
    found = [plain_point(point, network, 1500.0, seed, 1.0) for seed in range(n_sample)]
    plain = float(np.median([seconds for seconds, _ in found]))
    rate = float(np.mean([n_spikes for _, n_spikes in found])) / network.n_neurons
    return (
        f"{plain / ours:.0f} ×: {1e3 * ours:.0f} ms a point on two workers, start-up in it, against {plain:.2f} s in "
        f"one process of plain Brian2, code compiled before; {our_rate:.1f} against {rate:.1f} Hz"
    )


def measure_many(n: int = 10_000) -> str:
    """Return the row: memory, time to the first task, and time to open, of 10,000 short points."""
    workflow, _ = declared_sweep(column("10 ms"), {"drive_seed": range(n)}, reduce=["mean_rates"])
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder, connected("local", workers=2) as client:
        prepare_sweep(workflow, {})  # equations and imports, once a process
        first = threading.Event()
        start = time.perf_counter()
        prepared = prepare_sweep(workflow, {})
        store = open_or_create(prepared, Location(Path(folder) / "sweep.zarr"), overwrite=False)

        def watch() -> None:
            while not client.processing() or not any(client.processing().values()):
                time.sleep(0.01)
            waits.append(time.perf_counter() - start)
            first.set()

        waits: list[float] = []
        watcher = threading.Thread(target=watch)
        watcher.start()
        with Interrupt() as interrupt:
            state = drive(store, {}, client, lambda state: memory.append(_resident()), interrupt)
        wall = time.perf_counter() - start
        watcher.join()
        start = time.perf_counter()
        found = open_sweep(str(store.location))
        opened = time.perf_counter() - start
        assert found.sizes["drive_seed"] == n
    assert state.done == n
    quarter = len(memory) // 4
    return (
        f"first task after {waits[0]:.2f} s; the driver takes {memory[0]:.0f} MiB at the start, {memory[quarter]:.0f} "
        f"after a quarter, {memory[-1]:.0f} at the end; open_sweep {opened:.2f} s; {wall:.0f} s in all, "
        f"{1e3 * wall / n:.1f} ms a point"
    )


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _ignore(state: SweepState) -> None:
    pass
