"""Runs made up in memory, whose statistics are known, in the layout of the store."""

import json

import numpy as np
import xarray as xr

from twinbrain.spec.connectome import Connectome

TEXT = np.dtypes.StringDType()


def make_run(
    populations,
    trains,
    *,
    duration,
    dt=0.1,
    rate_bin=1.0,
    window=100.0,
    connectome=None,
    stimuli=(),
    state=None,
    record_spikes=True,
):
    """Return a run.

    ``populations`` are tuples (label, module, name, transmitter, size), ``trains`` the steps of each neuron's spikes.
    """
    labels = list(dict.fromkeys(population[0] for population in populations))
    sizes = np.array([population[4] for population in populations])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    assert len(trains) == sizes.sum()
    neuron = np.repeat(np.arange(len(trains), dtype=np.int32), [len(train) for train in trains])
    steps = np.concatenate([np.asarray(train, dtype=np.int32) for train in trains])
    order = np.lexsort((neuron, steps))
    neuron, steps = neuron[order], steps[order]

    def texts(values):
        return ("population", np.array(list(values), dtype=TEXT))

    network = xr.Dataset(
        {
            "label": texts(p[0] for p in populations),
            "region": texts(p[1] for p in populations),
            "family": texts(p[1].split("/")[0] for p in populations),
            "name": texts(p[2] for p in populations),
            "transmitter": texts(p[3] for p in populations),
            "model": texts("lif" for _ in populations),
            "start": ("population", starts),
            "size": ("population", sizes),
            "receptor": ("table", np.array(["ampa"], dtype=TEXT)),
            "origin": ("table", np.array(["local"], dtype=TEXT)),
            "n_synapses": ("table", [1000]),
        },
        attrs={"n_neurons": int(sizes.sum()), "n_synapses": 1000},
    )
    n_bins, bin_steps = round(duration / rate_bin), round(rate_bin / dt)
    of_neuron = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.zeros((n_bins, len(sizes)))
    np.add.at(counts, (steps // bin_steps, of_neuron[neuron]), 1)
    rate = (counts / sizes / (rate_bin / 1000)).astype(np.float32)
    window_steps = round(window / dt)
    n_windows = -(-round(duration / dt) // window_steps)
    spikes = xr.Dataset(
        {
            "time_step": ("spike", steps),
            "neuron": ("spike", neuron),
            "window_start": ("window", np.searchsorted(steps, np.arange(n_windows) * window_steps)),
        },
        attrs={"window_steps": window_steps, "n_spikes": len(steps)},
    )
    if connectome is None:
        n = len(labels)
        connectome = Connectome(1.0 - np.eye(n), 10 * (1 - np.eye(n)), labels, name="all to all")
    attrs = {
        "twinbrain_format": 1,
        "workflow": "made_up",
        "status": "complete",
        "seed": 7,
        "dt": dt,
        "duration": duration,
        "committed": duration,
        "engine": "reference",
        "spec": json.dumps({"name": "made_up", "stimuli": list(stimuli)}),
    }
    groups = {
        "/": xr.Dataset(attrs=attrs),
        "/network": network,
        "/connectome": connectome.to_dataset(),
        "/rate": xr.Dataset(
            {"rate": (("time", "population"), rate)}, {"time": np.arange(n_bins) * rate_bin}, {"bin": rate_bin}
        ),
    }
    if record_spikes:
        groups["/spikes"] = spikes
    for name, dataset in (state or {}).items():
        groups[f"/state/{name}"] = dataset
    return xr.DataTree.from_dict(groups)


def poisson(rate, duration, rng, dt=0.1):
    """Return the steps of a Poisson process, at most one spike a step."""
    return np.flatnonzero(rng.random(round(duration / dt)) < rate * dt / 1000)


def regular(rate, duration, dt=0.1, phase=0):
    """Return the steps of a train with equal intervals."""
    return np.arange(phase, round(duration / dt), round(1000 / rate / dt))


def known_run(duration=20_000.0, **options):
    """Return a run of two regions: Poisson and regular populations, and one that fires as one neuron."""
    rng = np.random.default_rng(1)
    together = poisson(20, duration, rng)
    populations = [
        ("A", "cortex/column", "pyr", "glutamate", 40),
        ("A", "cortex/column", "pv", "gaba", 10),
        ("B", "thalamus/relay", "tc", "glutamate", 20),
        ("B", "thalamus/relay", "silent", "gaba", 5),
    ]
    trains = [
        *(poisson(10, duration, rng) for _ in range(40)),
        *(regular(25, duration, phase=40 * i) for i in range(10)),
        *([together] * 20),
        *([[]] * 5),
    ]
    return make_run(populations, trains, duration=duration, **options)


def brain_run(connectome, family_of, kinds, *, duration=2000.0, seed=0, stimuli=(), scale=1.0):
    """Return a run of a brain with rates that differ by family and wax and wane together.

    ``kinds`` gives for each module its populations as (name, transmitter, size, rate in Hz).
    """
    rng = np.random.default_rng(seed)
    time = np.arange(round(duration))
    populations, trains = [], []
    for number, label in enumerate(connectome.labels):
        module = family_of(label)
        family = module.split("/")[0]
        rhythm = {"cortex": 10, "thalamus": 12, "hippocampus": 6}.get(family, 20)
        slow = np.sin(2 * np.pi * 0.7 * time / 1000 + 6 * number / connectome.n_regions)
        envelope = np.clip(1 + 0.4 * slow + 0.7 * np.sin(2 * np.pi * rhythm * time / 1000 + 0.2 * number), 0, None)
        for s in stimuli:
            first, length = (round(float(s[key].split()[0])) for key in ("start", "duration"))
            if family == "thalamus":
                envelope[first : first + length] *= 2.5
        gain = rng.lognormal(0, 0.3)
        for name, transmitter, size, rate in kinds[module]:
            size = max(1, round(size * scale))
            populations.append((label, module, name, transmitter, size))
            fired = rng.random((size, len(time))) < rate * gain * envelope / 1000 * rng.lognormal(0, 0.6, (size, 1))
            trains += [np.flatnonzero(row) * 10 + int(rng.integers(10)) for row in fired]
    return make_run(populations, trains, duration=duration, connectome=connectome, stimuli=stimuli)
