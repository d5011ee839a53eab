"""What checksums and durability cost: time of a commit and of reading, and bytes of a store.

``python tests/benchmarks/stores.py`` prints a table; each case takes turns with the others, and the
quickest of all turns is printed, which other work on the machine disturbs least.
"""

import json
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import xarray as xr
from zarr.codecs import ZstdCodec

import twinbrain as tb
from twinbrain.store import Location, StateData, WindowData, checkpoint, create, create_run, open_run
from twinbrain.store import arrays as codecs

N_NEURONS, N_POPULATIONS, N_VARIABLES, N_WINDOWS, STEPS, SPIKES = 10_000, 100, 4, 12, 10_000, 50_000
TEXT = np.dtypes.StringDType()


def network():
    names = ("label", "region", "family", "name", "transmitter", "model")
    found = {name: ("population", np.array([f"{name} {i}" for i in range(N_POPULATIONS)], TEXT)) for name in names}
    size = np.full(N_POPULATIONS, N_NEURONS // N_POPULATIONS)
    found |= {"start": ("population", np.cumsum(size) - size), "size": ("population", size)}
    found |= {"receptor": ("table", np.array(["ampa"], TEXT)), "n_synapses": ("table", np.array([1]))}
    return xr.Dataset(found, attrs={"n_neurons": N_NEURONS, "n_synapses": 1})


def attributes():
    found = {"twinbrain_version": "0", "workflow": "stores", "engine": "none", "digest": "0", "spec": "{}"}
    return found | {"versions": json.dumps({}), "seed": 0, "duration": 1e6, "window": 1e3}


def measure(path):
    """Write a run; return seconds of its creation and of a commit, seconds to load it, and its bytes."""
    random = np.random.default_rng(0)
    connectome = xr.Dataset({"weight": (("target", "source"), random.random((20, 20)))})
    began = time.perf_counter()
    writer = create_run(
        path,
        attrs=attributes(),
        network=network(),
        connectome=connectome,
        spikes=True,
        rate_bin_steps=10,
        dt=0.1,
    )
    created, commits = time.perf_counter() - began, []
    for k in range(N_WINDOWS):
        first = k * STEPS
        steps = np.sort(random.integers(first, first + STEPS, SPIKES)).astype(np.int32)
        neuron = random.integers(0, N_NEURONS, SPIKES).astype(np.int32)
        rates = random.poisson(3, (STEPS // 10, N_POPULATIONS)).astype(np.float32)
        variables = {f"block/{i}": random.normal(size=N_NEURONS) for i in range(N_VARIABLES)}
        window = WindowData(first, first + STEPS, steps, neuron, rates)
        state = StateData(first + STEPS, variables, steps[-100:], neuron[-100:])
        began = time.perf_counter()
        writer.commit(window, state)
        commits.append(time.perf_counter() - began)
    began = time.perf_counter()
    with xr.open_datatree(path, engine="zarr", chunks={}) if isinstance(path, Path) else open_run(path) as tree:
        tree.load()
    loaded = time.perf_counter() - began
    folder = path if isinstance(path, Path) else path.path
    n_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return created, min(commits[2:]), loaded, n_bytes


def without_checksums(path):
    plain = ZstdCodec(level=0)
    with (
        mock.patch.object(codecs, "CHECKED", ()),
        mock.patch.object(checkpoint, "CHECKED", None),
        mock.patch.object(create, "COMPRESSED", (plain,)),
    ):
        return measure(path)


CASES = {
    "without checksums, plain xarray": without_checksums,
    "with checksums, plain xarray": measure,
    "with checksums, tb.open_run": lambda path: measure(Location.of(path)),
    "durable, tb.open_run": lambda path: measure(tb.durable(path)),
}


def main():
    found = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for turn in range(5):
            for name, case in CASES.items():
                found[name].append(case(Path(folder) / f"{turn} {name}.zarr"))
    print("| | creation (s) | a commit (s) | loading all (s) | bytes |")
    print("| --- " * 5 + "|")
    for name, turns in found.items():
        created, commit, loaded, n_bytes = (min(values) for values in zip(*turns, strict=True))
        print(f"| {name} | {created:.3f} | {commit:.4f} | {loaded:.3f} | {n_bytes:,} |")


if __name__ == "__main__":
    main()
