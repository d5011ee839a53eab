"""A run in miniature, any window of which can be drawn at any time. As a script, it writes until it is killed."""

import json
import os
import sys

import numpy as np
import xarray as xr

from twinbrain.errors import StoreError
from twinbrain.store import ProbeLayout, StateData, WindowData, create_run, resume_run

DT, N_NEURONS, N_POPULATIONS = 0.1, 50, 3
WINDOW_STEPS, BIN_STEPS, EVERY = 700, 70, 30
PROBED = np.array([3, 7, 49], np.int32)
# Attributes that two runs of the same contents do not share, and what those who open them with xarray are not told.
OWN = ("checksum", "created", "n_spikes")
TEXT = np.dtypes.StringDType()


def network():
    names = ("label", "region", "family", "name", "transmitter", "model")
    variables = {name: ("population", np.array([f"{name} {i}" for i in range(N_POPULATIONS)], TEXT)) for name in names}
    variables |= {"start": ("population", np.array([0, 20, 40])), "size": ("population", np.array([20, 20, 10]))}
    tables = {name: ("table", np.array(["ampa", "gaba_a"], TEXT)) for name in ("receptor", "origin")}
    tables |= {"n_synapses": ("table", np.array([70, 30]))}
    return xr.Dataset(variables | tables, attrs={"n_neurons": N_NEURONS, "n_synapses": 100})


def connectome():
    labels = np.array(["left", "right"], TEXT)
    weight = xr.DataArray([[0.0, 1.0], [0.5, 0.0]], {"target": labels, "source": labels}, ("target", "source"))
    return xr.Dataset({"weight": weight, "length": 100 * weight}, attrs={"name": "two"})


def attributes():
    texts = {"twinbrain_version": "0.1.0", "workflow": "example", "engine": "reference", "digest": "abc"}
    texts |= {"spec": '{"name": "example"}', "versions": json.dumps({"numpy": np.__version__})}
    return texts | {"seed": 7, "duration": 7000.0, "window": WINDOW_STEPS * DT}


def create(path, **options):
    probes = [ProbeLayout("v_adex", "v", "mV", PROBED, EVERY), ProbeLayout("w", "w", "pA", PROBED[:1], 350, "float32")]
    given = {"spikes": True, "rate_bin_steps": BIN_STEPS, "dt": DT, "probes": probes}
    given |= {"attrs": attributes(), "network": network(), "connectome": connectome()}
    return create_run(path, **(given | options))


def window(k):
    """Window k; some have no spikes, the first among them."""
    random, first = np.random.default_rng([1, k]), k * WINDOW_STEPS
    n_spikes = int(random.integers(0, 400)) * (k % 3 > 0)
    steps = np.sort(random.integers(first, first + WINDOW_STEPS, n_spikes)).astype(np.int32)
    samples = {}
    for name, every, n in (("v_adex", EVERY, 3), ("w", 350, 1)):
        n_samples = (first + WINDOW_STEPS) // every - first // every
        samples[name] = random.normal(size=(n_samples, n))
    samples["v_adex"][0] = -0.0
    rates = random.poisson(3, (WINDOW_STEPS // BIN_STEPS, N_POPULATIONS)).astype(np.float32)
    neuron = random.integers(0, N_NEURONS, n_spikes).astype(np.int32)
    return WindowData(first, first + WINDOW_STEPS, steps, neuron, rates, samples)


def state(k):
    """The state at the end of window k."""
    random = np.random.default_rng([2, k])
    variables = {"adex/v": random.normal(size=40), "adex/w": np.full(40, -0.0), "lif/v": random.normal(size=10)}
    n = int(random.integers(0, 20))
    step = (k + 1) * WINDOW_STEPS
    return StateData(step, variables, np.full(n, step - 1, np.int32), np.arange(n, dtype=np.int32))


def commit(writer, windows, **options):
    for k in windows:
        writer.commit(window(k), state(k), **options)
    return writer


def contents(tree):
    """Return everything that readers see, as plain values; not what only whoever opens it by `open_run` is told."""
    return {
        f"{node.path}/{name}": (variable.dims, str(variable.dtype), variable.values.tolist(), variable.attrs)
        for node in tree.subtree
        for name, variable in node.to_dataset(inherit=False).variables.items()
        if (node.path, name) != ("/rate", "start")
    } | {
        f"{node.path} attributes": {name: value for name, value in node.attrs.items() if name not in OWN}
        for node in tree.subtree
    }


def write_for_ever(path):
    """Commit windows, going on where the last process was killed."""
    try:
        writer, _, _ = resume_run(path)
    except StoreError:  # killed before it was created
        writer = create(path)
    while True:
        commit(writer, [writer.step // WINDOW_STEPS])


def main(path):
    """For each line of input, start a process that writes, name it, and wait until it is killed."""
    for _ in sys.stdin:
        if not (process := os.fork()):
            write_for_ever(path)
        print(process, flush=True)
        os.waitpid(process, 0)
        print("killed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
