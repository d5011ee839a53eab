"""A training step as users get it from ``tb.train``, against the forms that a good user of PyTorch would write.

Two networks of leaky neurons: recurrent, and three layers without recurrence. Each form has the same sizes, the same
input spikes, and about the same rates; in all of them what the input adds is one product before the loop over time.
``tb.train`` is measured whole, with its readout and its loss; beside it the kernel alone, for the recurrent network.
Forms take turns, and the median of a form's steps counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

import twinbrain as tb
from tests.benchmarks.training import BETA
from twinbrain.learn.setup import set_up
from twinbrain.spec.region import Region
from twinbrain.spec.training import Training
from twinbrain.spec.workflow import Run

N_CHANNELS, N_CLASSES, GRAPH = 100, 10, 20
SHAPES = {
    "recurrent 256, batch 64, 500 steps": ((256,), 64, 500),
    "3 × 512, batch 128, 100 steps": ((512,) * 3, 128, 100),
}
REPETITIONS = 7


class Layers(nn.Module):
    """Layers of leaky neurons, the one of a single layer recurrent.

    Parameters
    ----------
    sizes : sequence of int
        Neurons of each layer.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)

        def drawn(rows: int, columns: int, size: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, columns, generator=generator) * size)

        before = (N_CHANNELS, *sizes[:-1])
        self.forward_weights = nn.ParameterList(
            drawn(n, m, 0.3 if n == N_CHANNELS else 4.0 / n**0.5) for n, m in zip(before, sizes, strict=True)
        )
        self.recurrent = drawn(sizes[0], sizes[0], 0.6 / sizes[0] ** 0.5) if len(sizes) == 1 else None
        self.output = drawn(sizes[-1], N_CLASSES, 0.1)


class _Spike(torch.autograd.Function):
    """A step, with the derivative of an arc tangent."""

    @staticmethod
    def forward(context: Any, membrane: Tensor) -> Tensor:
        context.save_for_backward(membrane)
        return (membrane > 0).to(membrane.dtype)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (membrane,) = context.saved_tensors
        return gradients[0] / (1 + (torch.pi * membrane).square())


State = tuple[Tensor, ...]
Advance = Callable[[Tensor, State, Tensor | None], tuple[Tensor, State]]


def _steps(given: Tensor, state: State, recurrent: Tensor | None) -> tuple[Tensor, State]:
    """Advance a layer, written out; ``given`` has shape (step, trial, neuron)."""
    membrane, last = state
    spikes = []
    for arrived in given.unbind(0):
        arrived = arrived if recurrent is None else arrived + last @ recurrent
        membrane = BETA * membrane + arrived
        last = _Spike.apply(membrane - 1.0)
        membrane = membrane * (1.0 - last)
        spikes.append(last)
    return torch.stack(spikes), (membrane, last)


def _by_snntorch(given: Tensor, state: State, recurrent: Tensor | None) -> tuple[Tensor, State]:
    membrane, last = state
    cell = snntorch.Leaky(BETA, reset_mechanism="zero", spike_grad=surrogate.atan())
    spikes = []
    for arrived in given:
        last, membrane = cell(arrived if recurrent is None else arrived + last @ recurrent, membrane)
        spikes.append(last)
    return torch.stack(spikes), (membrane, last)


_compiled = torch.compile(_steps, dynamic=False)


def _in_graphs(given: Tensor, state: State, recurrent: Tensor | None) -> tuple[Tensor, State]:
    """Advance by graphs of some steps each, compiled."""
    spikes = []
    for part in given.split(GRAPH):
        found, state = _compiled(part, state, recurrent)
        spikes.append(found)
    return torch.cat(spikes), state


FORMS: dict[str, Advance] = {
    "snnTorch": _by_snntorch,
    "a loop": _steps,
    f"torch.compile, {GRAPH} steps a graph": _in_graphs,
}


def plain_step(advance: Advance, layers: Layers, inputs: Tensor, labels: Tensor) -> float:
    """Compute loss and gradients; return the share of neurons that spike in a step."""
    layers.zero_grad()
    spikes = inputs
    for weight in layers.forward_weights:
        rest = torch.zeros(inputs.shape[1], weight.shape[1])
        spikes, _ = advance(spikes @ weight, (rest, rest), layers.recurrent)
    nn.functional.cross_entropy(spikes.sum(0) @ layers.output / 10.0, labels).backward()
    return float(spikes.detach().mean())


def trained_step(sizes: Sequence[int], inputs: Tensor, labels: Tensor) -> Callable[[], float]:
    """Return what ``tb.train`` does with a batch: loss and gradients, returning the share that spikes."""
    names = [f"layer{i}" for i in range(len(sizes))]
    cell = {
        "model": "lif_current",
        "receptors": ["delta"],
        "parameters": {
            "C_m": "200 pF",
            "g_L": "10 nS",
            "E_L": "0 mV",
            "V_th": "1 mV",
            "V_reset": "0 mV",
            "t_ref": "0 ms",
        },
        "initial": {"v": "0 mV"},
    }
    pairs = [(names[0], names[0], 0.6)] if len(sizes) == 1 else [(*pair, 4.0) for pair in pairwise(names)]
    region = Region.parse(
        {
            "name": "benchmark/layers",
            "cells": {"leaky": cell},
            "populations": {name: {"cell": "leaky", "size": n} for name, n in zip(names, sizes, strict=True)},
            "projections": [
                {
                    **{"source": source, "target": target, "receptor": "delta", "delay": "1 ms"},
                    **{"connect": {"probability": 1.0}, "weight": {"normal": ["0 mV", f"{size / sizes[0] ** 0.5} mV"]}},
                }
                for source, target, size in pairs
            ],
        }
    )
    trials = tb.trials_of(inputs.numpy().astype(np.uint8).swapaxes(0, 1), labels.numpy())
    task = tb.Task(
        "benchmark", "random spikes", N_CHANNELS, N_CLASSES, "classification", 1.0, trials, trials, trials, 0.1
    )
    training = Training.parse(
        {
            "task": "benchmark",
            "trainable": {"weight": "synapse", "dale": False},
            "input": {"populations": [names[0]], "weight": {"normal": ["0 mV", "0.3 mV"]}},
            "readout": {"populations": [names[-1]]},
        }
    )
    setup = set_up(region, training, Run.parse({"dt": "1 ms", "seed": 1}), task)
    last = setup.network.lowered.population(names[-1])
    index = np.arange(len(trials))

    def step() -> float:
        setup.network.zero_grad()
        outcome = setup.rule.learn(setup.network, setup.batch(task.train, index, "benchmark"), setup.objective)
        return float(outcome.spikes[:, :, last.start : last.stop].mean())

    return step


def measure() -> str:
    """Return the row: seconds of a step of each form, of each network."""
    return "; ".join(f"{name}: {_forms(*shape)}" for name, shape in SHAPES.items())


def _forms(sizes: Sequence[int], n_trials: int, n_steps: int) -> str:
    generator = torch.Generator().manual_seed(2)
    inputs = (torch.rand(n_steps, n_trials, N_CHANNELS, generator=generator) < 0.02).float()
    labels = torch.randint(N_CLASSES, (n_trials,), generator=generator)
    layers = Layers(sizes)
    steps: dict[str, Callable[[], float]] = {"tb.train": trained_step(sizes, inputs, labels)}
    for form, advance in FORMS.items():
        steps[form] = lambda advance=advance: plain_step(advance, layers, inputs, labels)  # type: ignore[misc]
    rates = {form: step() for form, step in steps.items()}  # compiles
    seconds: dict[str, list[float]] = {form: [] for form in steps}
    for _ in range(REPETITIONS):
        for form, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[form].append(time.perf_counter() - start)
    medians = {form: statistics.median(times) for form, times in seconds.items()}
    own = medians.pop("tb.train")
    others = ", ".join(f"{form} {s:.3f} s ({s / own:.2f} ×, {rates[form]:.3f})" for form, s in medians.items())
    return f"tb.train {own:.3f} s ({rates['tb.train']:.3f} spikes a neuron and step); {others}"
