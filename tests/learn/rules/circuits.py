"""Small trainable networks, and tasks, for the tests of rules."""

import numpy as np
import torch

import twinbrain as tb
from twinbrain.learn.attach import attach
from twinbrain.learn.batch import Objective, batch_of
from twinbrain.learn.lower import lower
from twinbrain.learn.metrics.score import accuracy
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import trials_of
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

torch.set_num_threads(1)
CURRENT = "exponential_current"


def region(sizes, projections=(), **cell):
    """Return a region of populations of LIF neurons; projections as (source, target, weight in pA, delay in ms)."""
    cell = {"model": "lif_current", "receptors": (CURRENT,), **cell}
    return tb.Region(
        name="test/rule",
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
    return TrainableNetwork(lowered, Trainable.parse(trained), Surrogate(), precision)


def task_of(spikes, target, n_outputs=2, dt=1.0, scored=None, validation=None):
    """Return a classification task of dense spikes (trial, step, channel)."""
    trials = trials_of(spikes, target, scored)
    n = spikes.shape[2]
    return Task(
        "test", "Test.", n, n_outputs, "classification", dt, trials, validation or trials, trials, 1 / n_outputs
    )


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


def train(rule, net, task, *, rate, epochs=10, size=16, seed=0):
    """Train in the way of `tb.train`, and return the accuracy on validation trials before and after."""
    objective = Objective(task.kind, task.dt)
    rule.prepare(net, objective, seed)
    optimiser = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[rule.optimiser]
    own = optimiser([p for p in net.parameters() if p.requires_grad and p.numel()], lr=rate)
    rng = np.random.default_rng(seed)
    found = [validate(net, task)]
    for _ in range(epochs):
        for index in np.array_split(rng.permutation(len(task.train)), len(task.train) // size):
            own.zero_grad()
            rule.learn(net, batch_of(task, task.train, index), objective)
            own.step()
            net.keep_signs()
            rule.constrain(net)
    return found[0], validate(net, task)


@torch.no_grad()
def validate(net, task):
    batch = batch_of(task, task.validation, np.arange(len(task.validation)))
    return accuracy(net(batch.inputs).output, batch.target, batch.scored)


def chance_of(n_trials, n_deviations, n_classes=2):
    """Return an accuracy so many standard deviations above guessing."""
    chance = 1 / n_classes
    return chance + n_deviations * (chance * (1 - chance) / n_trials) ** 0.5
