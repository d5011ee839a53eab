"""Made-up results of training, whose tuning, time scales and differences are known."""

import numpy as np
import xarray as xr

CELLS = ("pyr", "pv", "sst")


def make_responses(
    gains=(8.0, 2.0, 0.0),
    n_neurons=6,
    n_classes=4,
    n_trials=40,
    n_bins=30,
    width=10.0,
    base=4.0,
    seed=0,
    region="cortex",
):
    """Return responses: every neuron prefers one class, in which it fires ``gain`` spikes a trial more than ``base``.

    Each cell class has its gain and ``n_neurons`` neurons, which prefer the classes in turn; trials come class by class
    in turn. The rate is that of Poisson counts in bins, with a hump in the middle of the trial for the preferred class.
    """
    rng = np.random.default_rng(seed)
    cell = np.repeat(CELLS[: len(gains)], n_neurons)
    gain = np.repeat(gains, n_neurons)
    preferred = np.arange(len(cell)) % n_classes
    label = np.arange(n_trials * n_classes) % n_classes
    hump = np.exp(-(((np.arange(n_bins) + 0.5) / n_bins - 0.5) ** 2) / 0.02)
    mean = np.full((len(label), n_bins, len(cell)), base / n_bins)
    mean += (label[:, None] == preferred)[:, None, :] * gain * (hump / hump.sum())[None, :, None]
    count = rng.poisson(mean)
    decision = np.where(rng.random(len(label)) < 0.8, label, (label + 1) % n_classes)
    return xr.Dataset(
        {
            "count": (("trial", "neuron"), count.sum(axis=1), {"units": "spikes/trial", "n_bins": n_bins}),
            "rate": (("trial", "bin", "neuron"), count / width * 1000, {"units": "Hz"}),
            "label": ("trial", label),
            "decision": ("trial", decision),
            "output": (("trial", "output"), np.eye(n_classes)[decision]),
        },
        {
            "time": ("bin", width * np.arange(n_bins), {"units": "ms"}),
            "region": ("neuron", np.full(len(cell), region)),
            "population": ("neuron", cell),
            "cell": ("neuron", cell),
        },
    )


def make_wandering(time_scales=(30.0, 150.0), n_neurons=10, n_trials=150, n_bins=60, width=10.0, seed=0):
    """Return responses whose rates are Ornstein-Uhlenbeck processes, one time scale (ms) a cell class."""
    rng = np.random.default_rng(seed)
    tau = np.repeat(time_scales, n_neurons)
    kept = np.exp(-width / tau)
    state = rng.standard_normal((n_trials, len(tau)))
    rate = np.empty((n_trials, n_bins, len(tau)))
    for i in range(n_bins):
        rate[:, i] = 20 + 5 * state
        state = kept * state + np.sqrt(1 - kept**2) * rng.standard_normal(state.shape)
    names = np.repeat(CELLS[: len(time_scales)], n_neurons)
    return xr.Dataset(
        {"rate": (("trial", "bin", "neuron"), rate, {"units": "Hz"}), "label": ("trial", np.arange(n_trials) % 2)},
        {"time": ("bin", width * np.arange(n_bins)), "population": ("neuron", names), "cell": ("neuron", names)},
    )


def make_curves(n_epochs=30, seed=0):
    """Return learning curves."""
    rng = np.random.default_rng(seed)
    epoch = np.arange(1, n_epochs + 1)
    fall = np.exp(-epoch / 8)
    loss = np.stack([2.2 * fall + 0.08, 2.1 * fall + 0.3 + 0.004 * epoch]) * rng.lognormal(0, 0.04, (2, n_epochs))
    accuracy = np.clip(1 - np.stack([0.9 * fall + 0.02, 0.88 * fall + 0.08]) + rng.normal(0, 0.01, (2, n_epochs)), 0, 1)
    rate = np.array([[12.0], [24.0], [8.0]]) * (1 + 0.5 * fall) + rng.normal(0, 0.3, (3, n_epochs))
    gradient = np.array([[1e-2], [3e-1], [2.0]]) * (fall + 0.1) * rng.lognormal(0, 0.2, (3, n_epochs))
    return xr.Dataset(
        {
            "loss": (("split", "epoch"), loss),
            "accuracy": (("split", "epoch"), accuracy),
            "rate": (("population", "epoch"), rate, {"units": "Hz"}),
            "gradient_norm": (("parameter", "epoch"), gradient),
            "seconds": ("epoch", np.full(n_epochs, 2.5), {"units": "s"}),
        },
        {
            "split": ["train", "validation"],
            "epoch": epoch,
            "population": list(CELLS),
            "parameter": ["input weight", "weight", "readout weight"],
        },
        {"name": "column", "task": "digits", "rule": "bptt", "chance": 0.1},
    )


def make_gradients(factors=(0.9, 1.0, 1.1), n_steps=101):
    """Return norms that change by a factor a step backwards, one a layer."""
    back = n_steps - 1 - np.arange(n_steps)
    norm = 1e-2 * np.power(np.array(factors)[:, None], back)
    names = ["input", "pyr", "readout", *map(str, range(len(factors)))][: len(factors)]
    return xr.Dataset({"norm": (("layer", "step"), norm)}, {"layer": names, "step": np.arange(n_steps)})


CONDITIONS = {
    "homogeneous, tuned": 0.66,
    "heterogeneous, fixed": 0.72,
    "homogeneous, trained": 0.74,
    "heterogeneous, trained": 0.79,
    "mixed cell classes": 0.785,
    "LSTM": 0.83,
}


def make_comparison(conditions=CONDITIONS, n_seeds=6, chance=0.25, seed=0):
    """Return a study: an accuracy about the given one, with a spread of 0.02 over seeds."""
    rng = np.random.default_rng(seed)
    mean = np.array(list(conditions.values()))
    n = len(mean)
    accuracy = np.clip(mean[:, None] + rng.normal(0, 0.02, (n, n_seeds)), 0, 1)
    level = np.array([0.0, 0.1, 0.2, 0.4])
    fall = np.exp(-level[None, :] * np.array([2.0, 4.0, 1.0])[:, None])
    disturbed = chance + (accuracy - chance)[:, None, None, :] * fall[None, :, :, None]
    operations = np.geomspace(2e5, 3e6, n)[:, None] * rng.lognormal(0, 0.05, (n, n_seeds))
    study = ("condition", "seed")
    return xr.Dataset(
        {
            "accuracy": (study, accuracy, {"units": "1"}),
            "disturbed": (("condition", "disturbance", "level", "seed"), disturbed),
            "synaptic_operations": (study, operations, {"long_name": "synaptic operations a trial", "units": "1"}),
            "energy": (study, operations * 0.9e-3, {"long_name": "energy a trial", "units": "nJ"}),
            "seconds": (study, rng.lognormal(4, 0.3, (n, n_seeds)), {"units": "s"}),
            "n_parameters": (study, np.full((n, n_seeds), 12_400)),
        },
        {
            "condition": list(conditions),
            "disturbance": ["noise", "lesion", "time warping"],
            "level": level,
            "seed": np.arange(n_seeds),
        },
        {
            "chance": chance,
            "caveat": "Energy counts arithmetic alone (45 nm, Horowitz 2014); memory and neuron state are not in it, "
            "and usually cost more.",
        },
    )
