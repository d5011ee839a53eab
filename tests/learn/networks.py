"""Small regions and a small task for tests of learning."""

import numpy as np

import twinbrain as tb
from twinbrain.learn.tasks.trials import trials_of

CURRENT, CONDUCTANCE = ("exponential_current",), ("ampa", "gaba_a")
# For pairs of populations the size of a weight, in pA or, divided by 20, in nS.
_WEIGHTS = {("e", "e"): 20.0, ("e", "i"): 40.0, ("i", "e"): -80.0, ("i", "i"): -50.0}


def recurrent(model="lif_current", inhibitory=None, receptors=CURRENT, sizes=(16, 4), delays=None, drives=()):
    """Return a region of excitatory and inhibitory neurons, each different."""
    spread = {"C_m": {"lognormal": ["250 pF", 0.3]}} if model.startswith("lif") else {}
    cells = {
        "e": tb.Cell(model=model, receptors=receptors, parameters=spread),
        "i": tb.Cell(model=inhibitory or model, receptors=receptors),
    }
    projections = []
    for (source, target), weight in _WEIGHTS.items():
        if receptors == CURRENT:
            receptor, amount = receptors[0], f"{weight} pA"
        else:
            receptor, amount = receptors[weight < 0], f"{abs(weight) / 20} nS"
        delay = (delays or {}).get((source, target), "1 ms")
        connect = tb.Connect(probability=0.4)
        projections.append(
            tb.Projection(source=source, target=target, receptor=receptor, connect=connect, weight=amount, delay=delay)
        )
    return tb.Region(
        name="test/recurrent",
        cells=cells,
        populations={
            "e": tb.Population(cell="e", size=sizes[0]),
            "i": tb.Population(cell="i", size=sizes[1], transmitter="gaba"),
        },
        projections=projections,
        drives=drives,
    )


def which_channels(n_trials=96, n_steps=40, n_channels=12, n_classes=3, dt=1.0, seed=0, noise=0.02):
    """Return a task in which each class has channels of its own that spike more."""
    random = np.random.default_rng(seed)

    def split(n):
        target = np.arange(n) % n_classes
        own = np.arange(n_channels) % n_classes
        rate = np.where(own[None, :] == target[:, None], 0.12, noise)
        spikes = random.random((n, n_steps, n_channels)) < rate[:, None, :]
        return trials_of(spikes.astype(np.uint8), target.astype(np.int64))

    return tb.Task(
        name="which channels",
        summary="Which channels spike more.",
        n_channels=n_channels,
        n_outputs=n_classes,
        kind="classification",
        dt=dt,
        train=split(n_trials),
        validation=split(30),
        test=split(30),
        chance=1 / n_classes,
    )
