"""Small trainable networks, and tasks, for the tests of rules."""

import numpy as np
import snntorch.surrogate
import torch

import twinbrain as tb
from twinbrain.learn.attach import attach
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import trials_of
from twinbrain.spec.model import NeuronModel
from twinbrain.spec.training import InputSpec, ReadoutSpec, Trainable

MODELS = {
    "relay": NeuronModel(
        summary="Spikes with whatever arrives.",
        equations="dv/dt = -v/tau : volt\ntau : second\nV_th : volt",
        threshold="v > V_th",
        reset="v = 0*mV",
        method="exact",
        parameters={"tau": "1 ms", "V_th": "0.5 mV"},
        initial={"v": "0 mV"},
    ),
    "leaky_integrator": NeuronModel(
        summary="Never spikes.",
        equations="dv/dt = (g_L*(E_L - v) + I_syn)/C_m : volt\ng_L : siemens\nE_L : volt\nC_m : farad\nV_th : volt",
        threshold="v > V_th",
        reset="v = 0*mV",
        method="exact",
        parameters={"C_m": "100 pF", "g_L": "5 nS", "E_L": "0 mV", "V_th": "1e6 mV"},
        initial={"v": "0 mV"},
    ),
}
torch.set_num_threads(1)
CURRENT = "exponential_current"


def region(sizes, projections=(), **cell):
    """Return a region of populations of LIF neurons; projections as (source, target, weight in pA, delay in ms)."""
    cell = {"model": "lif_current", "receptors": (CURRENT,), **cell}
    return tb.Region(
        name="test/rule",
        models=MODELS,
        cells={"lif": tb.Cell(**cell)},
        populations={
            name: tb.Population(cell="lif", size=size, transmitter="gaba" if name.startswith("i") else "glutamate")
            for name, size in sizes.items()
        },
        projections=[
            tb.Projection(
                source=source,
                target=target,
                receptor={cell["receptors"][0]: 1.0},
                connect=tb.Connect(probability=1.0),
                weight={"normal": [f"{weight} pA", f"{0.3 * abs(weight)} pA"]},
                delay=f"{delay} ms",
            )
            for source, target, weight, delay in projections
        ],
    )


def trainable(model, task, trained=("weight",), *, seed=3, precision="float64", input_=None, readout=None):
    """Return a model with the task attached, as a trainable network."""
    spec = input_ or InputSpec(weight={"normal": ["150 pA", "100 pA"]})
    lowered = lower(attach(model, task, spec, readout or ReadoutSpec()), dt=task.dt, seed=seed)
    return TrainableNetwork(lowered, Trainable.parse(list(trained)), snntorch.surrogate.atan(), precision)


def task_of(spikes, target, n_outputs=2, dt=1.0, scored=None, validation=None):
    """Return a classification task of dense spikes (trial, step, channel)."""
    trials = trials_of(spikes, target, scored)
    n = spikes.shape[2]
    return Task("test", "Test.", n, n_outputs, "classification", dt, trials, validation or trials, trials, 1 / n_outputs)


def patterns(seed, n_classes=2, n_channels=20, n_steps=60, n_trials=64, low=0.01, high=0.08):
    """Return a task whose classes differ in which channels are active."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, n_classes, 2 * n_trials)
    active = np.arange(n_channels) % n_classes
    rate = np.where(active == label[:, None], high, low)
    spikes = (rng.random((2 * n_trials, n_steps, n_channels)) < rate[:, None]).astype(np.uint8)
    return task_of(
        spikes[:n_trials], label[:n_trials], n_classes, validation=trials_of(spikes[n_trials:], label[n_trials:])
    )
