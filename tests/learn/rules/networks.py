"""Small networks that learn, and gradients to compare."""

from itertools import pairwise

import numpy as np
import torch

import twinbrain as tb
from twinbrain.learn.attach import attach
from twinbrain.learn.batch import Objective, batch_of
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import trials_of
from twinbrain.spec.training import InputSpec, ReadoutSpec, Trainable

MODELS = {
    "relay": {
        "summary": "Stands for spikes that are given.",
        "equations": "dv/dt = -v/tau : volt\ntau : second\nV_th : volt",
        "threshold": "v > V_th",
        "reset": "v = 0*mV",
        "method": "exact",
        "parameters": {"tau": "1 ms", "V_th": "0.5 mV"},
        "initial": {"v": "0 mV"},
    },
    "leaky_integrator": {
        "summary": "Never spikes.",
        "equations": (
            "dv/dt = (g_L*(E_L - v) + I_syn)/C_m : volt\ng_L : siemens\nE_L : volt\nC_m : farad\nV_th : volt"
        ),
        "threshold": "v > V_th",
        "reset": "v = 0*mV",
        "method": "exact",
        "parameters": {"C_m": "100 pF", "g_L": "5 nS", "E_L": "0 mV", "V_th": "1e6 mV"},
        "initial": {"v": "0 mV"},
    },
}
# What a presynaptic spike adds, by receptor: enough for some spikes of the small networks here.
SIZE = {"delta": "2.5 mV", "exponential_current": "120 pA", "ampa": "6 nS", "gaba_a": "4 nS"}


def arc_tangent(distance):
    """Return something whose gradient is snnTorch's atan, which would round it to float32."""
    return torch.atan(torch.pi * distance) / torch.pi


def random_task(n_steps=40, n_trials=6, n_channels=8, n_outputs=3, rate=0.15, kind="classification", seed=0):
    """Return a task with nothing to learn."""
    rng = np.random.default_rng(seed)
    spikes = (rng.random((n_trials, n_steps, n_channels)) < rate).astype(np.uint8)
    if kind == "classification":
        target = rng.integers(0, n_outputs, n_trials)
    else:
        target = rng.normal(size=(n_trials, n_steps, n_outputs)).astype(np.float32)
    trials = trials_of(spikes, target)
    return Task("random", "Nothing to learn.", n_channels, n_outputs, kind, 1.0, trials, trials, trials, 1 / n_outputs)


def region(cells, sizes, projections, **ports):
    """Return a region of named cells; ``projections`` are (source, target, receptor, weight, delay)."""
    return tb.Region.parse(
        {
            "name": "test/learning",
            "models": MODELS,
            "cells": cells,
            "populations": {
                name: {"cell": cell, "size": size, "transmitter": "gaba" if name == "i" else "glutamate"}
                for name, (cell, size) in sizes.items()
            },
            "projections": [
                {
                    "source": source,
                    "target": target,
                    "receptor": receptor,
                    "connect": {"probability": 0.6},
                    "weight": weight,
                    "delay": delay,
                }
                for source, target, receptor, weight, delay in projections
            ],
        }
    )


def recurrent(model="lif_current", receptor="exponential_current", inhibition=None, **parameters):
    """Return a region of ten excitatory and four inhibitory neurons with recurrent synapses of several delays."""
    inhibition = inhibition or receptor
    sign = "-" if SIZE[inhibition].endswith(("mV", "pA")) else ""
    cell = {"model": model, "receptors": sorted({receptor, inhibition}), "parameters": parameters}
    return region(
        {"e": cell, "i": {"model": "lif_current", "receptors": ["exponential_current"]}},
        {"e": ("e", 10), "i": ("i", 4)},
        [
            ("e", "e", receptor, SIZE[receptor], {"uniform": ["1 ms", "4 ms"]}),
            ("e", "i", "exponential_current", "150 pA", "2 ms"),
            ("i", "e", inhibition, f"{sign}{SIZE[inhibition]}", "1 ms"),
        ],
    )


def chain(n=2, model="lif_current", receptor="exponential_current", **parameters):
    """Return a region of populations that follow each other: a, b, …, without recurrent synapses."""
    names = "abcd"[:n]
    cells = {
        name: {"model": model, "receptors": [receptor], "parameters": {"C_m": f"{190 + i} pF"} | parameters}
        for i, name in enumerate(names)
    }
    weight = {"normal": [SIZE[receptor], SIZE[receptor]]}
    return region(
        cells,
        {name: (name, 8) for name in names},
        [(a, b, receptor, weight, "2 ms") for a, b in pairwise(names)],
    )


def make(
    region,
    task,
    trainable=("weight",),
    *,
    read=(),
    into=(),
    precision="float64",
    seed=3,
    size=None,
    time_constant="20 ms",
):
    """Return a network with the task attached; what is read and reached may be named."""
    input_ = InputSpec(weight=size, populations=into)
    readout = ReadoutSpec(populations=read, time_constant=time_constant)
    lowered = lower(attach(region, task, input_, readout), dt=1.0, seed=seed)
    chosen = Trainable.parse(trainable if isinstance(trainable, dict) else list(trainable))
    return TrainableNetwork(lowered, chosen, arc_tangent, precision)


def whole(task):
    """Return all trials of a task as one batch."""
    return batch_of(task, task.train, np.arange(len(task.train)))


def objective(task, **penalty):
    """Return what is made small."""
    return Objective(task.kind, task.dt, **penalty)


def gradients(network, learn):
    """Return the gradients that a function leaves, by parameter."""
    network.zero_grad(set_to_none=True)
    learn()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in network.named_parameters()
        if p.numel()
    }


def by_rule(rule, network, task, seed=1, **penalty):
    """Return the gradients of a rule."""
    goal = objective(task, **penalty)
    rule.prepare(network, goal, seed)
    return gradients(network, lambda: rule.learn(network, whole(task), goal))


def by_autodiff(network, task, feedback=None, **penalty):
    """Return the gradients of the loss, with weights of the way back."""
    batch = whole(task)

    def learn():
        objective(task, **penalty)(network(batch.inputs, batch.background, feedback), batch).backward()

    return gradients(network, learn)


def assert_same(found, expected, rtol=1e-12):
    """Compare gradients, each against the largest of its parameter."""
    assert found.keys() == expected.keys()
    for name in expected:
        scale = float(expected[name].abs().max())
        assert scale > 0, name
        difference = float((found[name] - expected[name]).abs().max())
        assert difference <= rtol * scale, (name, difference / scale)
