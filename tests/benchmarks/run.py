"""Measure every bar, and print them as a table: ``make bench``, or ``python -m tests.benchmarks.run NAME …``."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import (
    against_brian2,
    against_cpp,
    against_nest,
    drives,
    every_model,
    learning,
    lowering,
    microcircuit,
    plasticity,
    regions,
    sharded,
    sweeps,
    training,
    training_gpu,
    training_step,
    whole_runs,
)


def _kills(file: str, n: int) -> Callable[[], str]:
    """Return a measurement: the test of that file, with so many kills."""

    def measure() -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"tests/faults/{file}", "-k", "kill"]
        environment = os.environ | {"TWINBRAIN_KILLS": str(n)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return f"{n} kills: {done.stdout.strip().splitlines()[-1]}"

    return measure


BENCHMARKS: dict[str, tuple[str, str, Callable[[], str]]] = {
    "demo": ("`make demo` after install, empty caches", "≤ 60 s", whole_runs.measure_demo),
    "objects": ("Brian2 objects and compiled units, 2 regions and 96", "equal", lowering.measure_objects),
    "lowering": ("lowering", "≥ 5 million synapses/s", lowering.measure_speed),
    "memory": ("memory of static synapses", "≤ 16 bytes", lowering.measure_memory),
    "duration": ("peak memory, 20 s run against 2 s", "≤ 1.2 ×", whole_runs.measure_peak_memory),
    "brian2": ("10,000 LIF, 5 million synapses, against plain Brian2", "≥ 2.5 ×", against_brian2.measure),
    "cpp": ("three networks against Brian2's C++ standalone mode", "stated", against_cpp.measure),
    "nest": (
        "10,000 LIF, 10 million synapses, against NEST",
        "≥ 3 ×, ≤ half the memory",
        against_nest.measure,
    ),
    "diversity": (
        "10,000 LIF, per-neuron time constants against shared",
        "≤ 1.25 ×",
        against_brian2.measure_heterogeneity,
    ),
    "poisson": (
        "Poisson input, drawn and added, a neuron and step; 10,000 neurons",
        "≤ 4 ns",
        drives.measure_poisson,
    ),
    "plasticity": ("an event of a plastic synapse, over a static one's; memory a synapse", "—", plasticity.measure),
    "regions": (
        "CV of intervals in each region alone, 5 seeds, as its README states",
        "as stated",
        regions.measure_all,
    ),
    "models": (
        "every model in brian2, neurons that differ against alike",
        "≤ 1.25 ×",
        every_model.diversity_of("brian2"),
    ),
    "models-torch": ("the same in torch on a CPU", "≤ 1.25 ×", every_model.diversity_of("torch")),
    "torch": ("torch on a CPU against brian2, 10,000 LIF", "stated", every_model.measure_torch),
    "precision": ("float32: spikes that float64 has not, or the other way", "stated", every_model.measure_precision),
    "microcircuit": ("77,169 neurons, 300 million synapses on one core", "stated", microcircuit.measure_on_a_core),
    "gpu": ("the same on a GPU", "stated", microcircuit.measure_on_a_gpu),
    "shards": (
        "96 regions of at least 200 neurons, 2 processes against 1",
        "≥ 1.6 ×, same store",
        sharded.measure_speed,
    ),
    "weak-scaling": ("weak scaling to 8 shards on 2 cores", "stated", sharded.measure_weak_scaling),
    "sweep": (
        "1,000 points of a 200-neuron region, 1 s each, two workers, against half the serial simulation time",
        "≤ 1.15 ×",
        sweeps.measure_sweep,
    ),
    "sweep-plain": ("the same against a loop over plain Brian2", "≥ 5 ×", sweeps.measure_against_plain),
    "sweep-many": ("10,000 short points", "flat memory, < 2 s, < 1 s", sweeps.measure_many),
    "intervals": (
        "intervals, one tuned time constant against many",
        "a gap",
        learning.measure_intervals,
    ),
    "vowels": ("JapaneseVowels, a spiking region beside simple models", "≥ 95 %", learning.measure_vowels),
    "digits": ("handwritten digits, a spiking region beside simple models", "stated", learning.measure_digits),
    "kills": (
        "SIGKILL at random moments, then resume",
        "store opens, spikes equal",
        _kills("test_killed.py", 20),
    ),
    "kills-sweep": (
        "SIGKILL of everything at random moments of a sweep, then resume",
        "every point once, results equal",
        _kills("test_sweep_killed.py", 10),
    ),
    "kills-shards": (
        "SIGKILL of a worker at random moments of a sharded run",
        "finishes by itself, store equal",
        _kills("test_shards_killed.py", 10),
    ),
    "training": (
        "a training step of 256 recurrent LIF, batch 64, 500 steps, against plain snnTorch",
        "≥ 3 ×",
        training.measure,
    ),
    "training-step": (
        "what `tb.train` does with a batch, against snnTorch, a loop, and a compiled loop",
        "stated",
        training_step.measure,
    ),
    "training-gpu": (
        "linear + LIF, batch 16, 500 steps, 16k neurons, on a GPU, against other libraries",
        "ahead of all, equal gradients",
        training_gpu.measure,
    ),
    "import": ("`import twinbrain`", "≤ 0.3 s", whole_runs.measure_import),
}


def main(names: list[str]) -> None:
    """Measure the named benchmarks, or all."""
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| what | bar | measured | name |\n| --- | --- | --- | --- |")
    for name in names or BENCHMARKS:
        what, bar, measure = BENCHMARKS[name]
        print(f"| {what} | {bar} | {measure()} | `{name}` |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
