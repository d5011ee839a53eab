"""Speed and memory against the same network in NEST: 10,000 LIF neurons, 10 million synapses, about 10 Hz.

Each measurement has a process of its own, in which nothing else was built. NEST draws its own synapses and Poisson
trains by its own rules, so the rates agree closely, not exactly. Its ``t_ref`` is a step shorter: of n steps it clamps
n, twinbrain n - 1. Beside the wall time stands the processor's: other work on the machine disturbs it less, and
disturbs NEST's threads, which wait for each other, most. Building is all from the declaration to the first step, NEST's
``Prepare`` included; compiled code is in memory before it starts.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from tests.benchmarks import lif_network as network
from twinbrain.network.heap import return_freed_memory

INPUTS = network.Inputs(excitatory=800, inhibitory=200, weight=15.0, rate="25 kHz")
WARM_UP, DURATION = 100.0, 1000.0  # ms
N_NEURONS = network.N_EXCITATORY + network.N_INHIBITORY


def ours() -> dict[str, float]:
    """Measure the brian2 engine on one core."""
    from twinbrain.engines.brian2.simulation import prepare

    small = prepare(network.lif_network(network.Inputs(excitatory=8, inhibitory=2)))
    small.advance(10)
    small.close()
    before = _resident()
    start = time.perf_counter()
    net = network.lif_network(INPUTS)
    simulation = prepare(net)
    built, resident = time.perf_counter(), _resident()
    simulation.advance(round(WARM_UP / net.dt))
    simulation.collect()
    warm, cpu = time.perf_counter(), time.process_time()
    simulation.advance(round(DURATION / net.dt))
    done, cpu = time.perf_counter(), time.process_time() - cpu
    n = net.n_synapses
    return {
        "build": built - start,
        "run": done - warm,
        "cpu": cpu,
        "rate": len(simulation.collect().spikes) / N_NEURONS / DURATION * 1e3,
        "bytes": (resident - before) / n,
        "peak": (_peak() - before) / n,
        "arrays": sum(table.nbytes for table in net.tables) / n,
    }


def nest(
    threads: int, synapse: str = "static_synapse", duration: float = DURATION, n_recorded: int = N_NEURONS
) -> dict[str, float]:
    """Measure NEST; its memory includes a recorder of the spikes of so many neurons."""
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=0.1, local_num_threads=threads, print_time=False, rng_seed=1, keep_source_table=False)
    before = _resident()
    start = time.perf_counter()
    cells = nest.Create(
        "iaf_psc_exp",
        N_NEURONS,
        {
            **{"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 1.9},
            **{"tau_syn_ex": 0.5, "tau_syn_in": 0.5},
        },
    )
    cells.V_m = nest.random.normal(-58.0, 5.0)
    for sources, degree, weight, delay in (
        (cells[: network.N_EXCITATORY], INPUTS.excitatory, INPUTS.weight, 1.5),
        (cells[network.N_EXCITATORY :], INPUTS.inhibitory, -network.G * INPUTS.weight, 0.8),
    ):
        nest.Connect(
            sources,
            cells,
            {"rule": "fixed_indegree", "indegree": degree, "allow_autapses": False},
            {
                "synapse_model": synapse,
                "weight": nest.random.normal(weight, 3.0),
                "delay": nest.math.redraw(nest.random.normal(delay, 0.75), min=0.1, max=100.0),
            },
        )
    drive = nest.Create("poisson_generator", params={"rate": 1e3 * float(INPUTS.rate.removesuffix(" kHz"))})
    nest.Connect(drive, cells, "all_to_all", {"weight": network.WEIGHT, "delay": 0.1})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells[:n_recorded], recorder)
    nest.Prepare()
    built, resident = time.perf_counter(), _resident()
    nest.Run(WARM_UP)
    n_spikes = recorder.n_events
    warm, cpu = time.perf_counter(), time.process_time()
    nest.Run(duration)
    done, cpu = time.perf_counter(), time.process_time() - cpu
    n_spikes = recorder.n_events - n_spikes
    nest.Cleanup()
    n = N_NEURONS * (INPUTS.excitatory + INPUTS.inhibitory)
    return {
        "build": built - start,
        "run": done - warm,
        "cpu": cpu,
        "rate": n_spikes / n_recorded / duration * 1e3,
        "bytes": (resident - before) / n,
        "peak": (_peak() - before) / n,
    }


def measure(repetitions: int = 3) -> str:
    """Return the row: the median ratio of pairs taken in turn, NEST's better number of threads in each."""
    if importlib.util.find_spec("nest") is None:
        return "not measured: NEST is not installed (pip install 'twinbrain[nest]')"
    own, theirs, threads, less = [], [], [], []
    for _ in range(repetitions):
        own.append(_apart("ours()"))
        runs = {n: _apart(f"nest({n})") for n in (1, 2)}
        threads.append(min(runs, key=lambda n: runs[n]["run"]))
        theirs.append(runs[threads[-1]])
        less.append(runs[1]["cpu"] / own[-1]["cpu"])
    bare, slim = (_apart(f"nest(1, {synapse!r}, 10.0, 1)") for synapse in ("static_synapse", "static_synapse_hpc"))
    faster = [b["run"] / a["run"] for a, b in zip(own, theirs, strict=True)]
    a, b = (
        {key: float(np.median([run[key] for run in runs])) for key in runs[0]}  # of each figure by itself
        for runs in (own, theirs)
    )
    return (
        f"{np.median(faster):.1f} × faster (of {repetitions}: {min(faster):.1f}–{max(faster):.1f}): "
        f"{a['run']:.2f} s at {a['rate']:.2f} Hz against {b['run']:.1f} s at {b['rate']:.2f} Hz "
        f"(threads: {', '.join(map(str, threads))}); {np.median(less):.1f} × less processor time than its one thread "
        f"({min(less):.1f}–{max(less):.1f}); built in {a['build']:.1f} against {b['build']:.1f} s; "
        f"{a['bytes']:.1f} bytes a synapse ({a['arrays']:.1f} in arrays; {a['peak']:.0f} at the peak of the build) "
        f"against {b['bytes']:.0f} with all neurons recorded (peak {b['peak']:.0f}), {bare['bytes']:.0f} with one "
        f"(static_synapse_hpc {slim['bytes']:.0f}): {a['bytes'] / bare['bytes']:.2f} × the memory by synapses alone"
    )


def _resident() -> int:
    """Return the memory of this process after what it freed was given back."""
    return_freed_memory()
    return int(psutil.Process().memory_info().rss)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _apart(call: str) -> dict[str, float]:
    """Return the result of a function of this module, called in a fresh process."""
    code = f"import json; from tests.benchmarks.against_nest import *; print(json.dumps({call}))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
