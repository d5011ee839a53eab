"""Speed against Brian2's C++ standalone mode, the fastest form its users have, on one thread and on two.

Three networks, each written for both: leaky neurons with spread delays and Poisson input, the conductance-based network
of Vogels and Abbott (10.1523/JNEUROSCI.3508-05.2005), and pair STDP onto leaky neurons. What is timed is the loop over
steps alone, by the standalone program's own clock and by ours; it is compiled with Brian2's default flags, which allow
fast mathematics. Ours runs on one core, and records all spikes, as theirs does.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import lif_network
from tests.benchmarks.against_brian2 import plain_lif
from twinbrain.engines.base import get_engine
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.network import Network
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

WARM_UP, DURATION = 100.0, 1000.0  # ms
ROOT = Path(__file__).parents[2]


def coba() -> Network:
    """Return the network of 4,000 neurons with conductances, 2 % connected."""
    receptors = {"ampa": ("exc", "6 nS"), "gaba_a": ("inh", "67 nS")}
    cell = {
        **{"C_m": "200 pF", "g_L": "10 nS", "E_L": "-60 mV", "V_th": "-50 mV", "V_reset": "-60 mV", "t_ref": "5 ms"},
        **{"I_e": "200 pA", "tau_ampa": "5 ms", "tau_gaba_a": "10 ms", "E_gaba_a": "-80 mV"},
    }
    return _built(
        {
            "cells": {
                "lif": {
                    "model": "lif_conductance",
                    "receptors": list(receptors),
                    "parameters": cell,
                    "initial": {"v": {"uniform": ["-60 mV", "-50 mV"]}},
                }
            },
            "populations": {
                "exc": {"cell": "lif", "size": 3200},
                "inh": {"cell": "lif", "size": 800, "transmitter": "gaba"},
            },
            "projections": [
                {
                    **{"source": source, "target": target, "receptor": receptor, "weight": weight},
                    **{"connect": {"probability": 0.02}, "delay": "0.8 ms"},
                }
                for receptor, (source, weight) in receptors.items()
                for target in ("exc", "inh")
            ],
        }
    )


def plain_coba() -> Any:
    """Return the spike monitor of the same in Brian2, and what it records."""
    import brian2 as b

    group = b.NeuronGroup(
        4000,
        """
        dv/dt = (g_L*(E_L - v) + ge*(0*mV - v) + gi*(-80*mV - v) + 200*pA)/(200*pF) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : siemens
        dgi/dt = -gi/(10*ms) : siemens
        """,
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * b.ms,
        method="exponential_euler",
        namespace={"g_L": 10 * b.nS, "E_L": -60 * b.mV},
    )
    group.v = np.random.default_rng(1).uniform(-60, -50, 4000) * b.mV
    excitatory = b.Synapses(group[:3200], group, on_pre="ge += 6*nS", delay=0.8 * b.ms)
    inhibitory = b.Synapses(group[3200:], group, on_pre="gi += 67*nS", delay=0.8 * b.ms)
    for synapses in (excitatory, inhibitory):
        synapses.connect(p=0.02)
    spikes = b.SpikeMonitor(group)
    return spikes, [group, excitatory, inhibitory, spikes]


def stdp() -> Network:
    """Return 1,000 Poisson trains of 15 Hz on 1,000 leaky neurons, a million plastic synapses."""
    return _built(
        {
            "cells": {
                "train": {"model": "relay", "receptors": ["delta"]},
                "lif": {
                    "model": "lif_current",
                    "receptors": ["exponential_current"],
                    "parameters": {"C_m": "100 pF", "g_L": "10 nS", "I_e": "100 pA", "tau_exponential_current": "5 ms"},
                },
            },
            "populations": {"pre": {"cell": "train", "size": 1000}, "post": {"cell": "lif", "size": 1000}},
            "projections": [
                {
                    **{"source": "pre", "target": "post", "receptor": "exponential_current"},
                    **{"connect": {"probability": 1.0}, "weight": "1 pA", "delay": "1 ms"},
                    "plasticity": {"model": "pair_stdp", "parameters": {"w_max": "2 pA"}},
                }
            ],
            "drives": [{"population": "pre", "receptor": "delta", "rate": "15 Hz", "weight": "1 mV"}],
        }
    )


def plain_stdp() -> Any:
    """Return the spike monitor of the same in Brian2, and what it records."""
    import brian2 as b

    trains = b.PoissonGroup(1000, 15 * b.Hz)
    group = b.NeuronGroup(
        1000,
        """
        dv/dt = (10*nS*(-70*mV - v) + 100*pA + I)/(100*pF) : volt (unless refractory)
        dI/dt = -I/(5*ms) : amp
        """,
        threshold="v > -55*mV",
        reset="v = -70*mV",
        refractory=2 * b.ms,
        method="exact",
    )
    group.v = -70 * b.mV
    synapses = b.Synapses(
        trains,
        group,
        """
        w : amp
        dapre/dt = -apre/(20*ms) : 1 (event-driven)
        dapost/dt = -apost/(20*ms) : 1 (event-driven)
        """,
        on_pre="I_post += w; apre += 0.005; w = clip(w + apost*2*pA, 0*pA, 2*pA)",
        on_post="apost -= 0.00525; w = clip(w + apre*2*pA, 0*pA, 2*pA)",
        delay=1 * b.ms,
    )
    synapses.connect()
    synapses.w = 1 * b.pA
    spikes = b.SpikeMonitor(group)
    return spikes, [trains, group, synapses, spikes]


NETWORKS: dict[str, tuple[Callable[[], Network], Callable[[], Any], int]] = {
    "10,000 LIF, 5 million synapses with spread delays, Poisson input": (lif_network.lif_network, plain_lif, 10_000),
    "4,000 LIF with conductances, 320,000 synapses of one delay": (coba, plain_coba, 4000),
    "pair STDP, 1 million synapses": (stdp, plain_stdp, 1000),
}
"""What each network is called: ours, Brian2's, and how many neurons are counted for its rate."""


def measure(repetitions: int = 5) -> str:
    """Return the row: of each network the medians, and of paired ratios, whichever is ahead."""
    return "; ".join(f"{name}: {_against(name, repetitions)}" for name in NETWORKS)


def _against(name: str, repetitions: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        programs = {threads: Path(folder) / str(threads) for threads in (1, 2)}
        rates = {n: _apart(f"build_standalone({name!r}, {str(path)!r}, {n})") for n, path in programs.items()}
        own: list[dict[str, float]] = []
        theirs: dict[int, list[dict[str, float]]] = {n: [] for n in programs}
        for _ in range(repetitions):
            own.append(_apart(f"ours({name!r})"))
            for n, path in programs.items():
                theirs[n].append(run_standalone(path))
    return (
        f"{_median(own, 'wall'):.2f} s ({_median(own, 'cpu'):.2f} s of processor time) at {own[-1]['rate']:.1f} Hz; "
        f"C++ {_median(theirs[1], 'wall'):.2f} s ({_median(theirs[1], 'cpu'):.2f}) at {rates[1]['rate']:.1f} Hz, "
        f"{_ratio(own, theirs[1], 'wall')} × (processor time {_ratio(own, theirs[1], 'cpu')} ×); "
        f"on two threads {_median(theirs[2], 'wall'):.2f} s, {_ratio(own, theirs[2], 'wall')} ×"
    )


def _median(runs: list[dict[str, float]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _ratio(own: list[dict[str, float]], theirs: list[dict[str, float]], key: str) -> str:
    return f"{statistics.median(b[key] / a[key] for a, b in zip(own, theirs, strict=True)):.2f}"


def ours(name: str) -> dict[str, float]:
    """Return what the loop takes after warming up, wall and processor time in seconds, and the rate."""
    network, _, n_counted = NETWORKS[name]
    net = network()
    simulation = get_engine("brian2")(net)
    simulation.advance(round(WARM_UP / net.dt))
    simulation.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    simulation.advance(round(DURATION / net.dt))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    counted = simulation.collect().spikes.neuron >= net.n_neurons - n_counted
    return {"wall": wall, "cpu": cpu, "rate": int(counted.sum()) / n_counted / DURATION * 1e3}


def build_standalone(name: str, folder: str, n_threads: int) -> dict[str, float]:
    """Compile and run Brian2's program in a folder; return the rate."""
    import brian2 as b

    b.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b.prefs.devices.cpp_standalone.openmp_threads = 0 if n_threads == 1 else n_threads
    b.seed(1)
    _, plain, n_counted = NETWORKS[name]
    spikes, objects = plain()
    net = b.Network(objects)
    for slot in ("before_network_run", "after_network_run"):
        b.device.insert_code(slot, 'std::cout << "clock " << std::clock() / double(CLOCKS_PER_SEC) << std::endl;')
    net.run(WARM_UP * b.ms)
    net.run(DURATION * b.ms)
    b.device.build(directory=folder, run=True, with_output=False)
    counted = int((spikes.t / b.ms >= WARM_UP).sum())
    return {"rate": counted / n_counted / DURATION * 1e3}


def run_standalone(folder: Path) -> dict[str, float]:
    """Run a compiled program again; return what its last loop took, by its own clocks."""
    done = subprocess.run(["./main"], cwd=folder, check=True, capture_output=True, text=True)
    clocks = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("clock ")]
    wall = float((folder / "results" / "last_run_info.txt").read_text().split()[0])
    return {"wall": wall, "cpu": clocks[-1] - clocks[-2]}


def _built(region: dict[str, Any]) -> Network:
    brain = single_region_brain(Region.parse({"name": "benchmark/network"} | region))
    return build(brain, lay_out(brain, brain.connectome), dt=0.1, seed=1)


def _apart(call: str) -> dict[str, float]:
    """Return the result of a function of this module, called in a fresh process."""
    code = f"import json; from tests.benchmarks.against_cpp import *; print(json.dumps({call}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
