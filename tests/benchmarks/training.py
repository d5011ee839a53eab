"""One training step of a recurrent network, against plain snnTorch code of the same network."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache

import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

from twinbrain.learn.fused.events import spike_product
from twinbrain.learn.fused.recurrent import Recurrence, advance_recurrent
from twinbrain.models.step import StepProgram
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

N_TRIALS, N_NEURONS, N_STEPS, N_CHANNELS, N_CLASSES = 64, 256, 500, 100, 10
REPEATS, STEPS_IN_A_ROW = 3, 5
# Time constant of 20 steps.
BETA = 0.951229424500714


class Weights(nn.Module):
    """What both train.

    Parameters
    ----------
    device : str
        Where.
    """

    def __init__(self, n: int = N_NEURONS, device: str = "cpu") -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)

        def drawn(rows: int, columns: int, size: float) -> nn.Parameter:
            return nn.Parameter((torch.randn(rows, columns, generator=generator) * size).to(device))

        self.input = drawn(N_CHANNELS, n, 0.3)
        self.recurrent = drawn(n, n, 0.6 / n**0.5)
        self.output = drawn(n, N_CLASSES, 0.1)


@cache
def leaky_program() -> tuple[StepProgram, dict[str, Tensor], dict[str, Tensor]]:
    """Return the program of snnTorch's ``Leaky`` with reset to zero, its state and constants of one neuron."""
    cell = {
        "model": "lif_current",
        "receptors": ["delta"],
        "parameters": {
            **{"C_m": "200 pF", "g_L": "10 nS", "E_L": "0 mV", "V_th": "1 mV", "V_reset": "0 mV", "I_e": "0 pA"},
            "t_ref": "0 ms",
        },
        "initial": {"v": "0 mV"},
    }
    region = Region.parse(
        {"name": "benchmark/leaky", "cells": {"leaky": cell}, "populations": {"all": {"cell": "leaky", "size": 1}}}
    )
    brain = single_region_brain(region)
    (block,) = build(brain, lay_out(brain, brain.connectome), dt=1.0, seed=1).blocks

    def tensors(values: object) -> dict[str, Tensor]:
        return {name: torch.as_tensor(value).float()[0] for name, value in values.items()}  # type: ignore[attr-defined]

    return block.program, tensors(block.initial), tensors(block.constants)


def ours(weights: Weights, inputs: Tensor) -> Tensor:
    """Return the number of spikes of each neuron, (trial, neuron)."""
    program, state, constants = leaky_program()
    arrived = spike_product(inputs, weights.input)[:, :, None]
    state = {name: value.to(inputs.device) for name, value in state.items()}
    constants = {name: value.to(inputs.device) for name, value in constants.items()}
    recurrences = (Recurrence("delta", 1, weights.recurrent),)
    return advance_recurrent(program, "atan", 2.0, state, constants, arrived, recurrences).spikes.sum(0)


def plain(weights: Weights, inputs: Tensor) -> Tensor:
    """Return the same by snnTorch in a loop over time."""
    cell = snntorch.Leaky(BETA, reset_mechanism="zero", spike_grad=surrogate.atan())
    membrane = torch.zeros(inputs.shape[1], weights.input.shape[1], device=inputs.device)
    last = before = torch.zeros_like(membrane)
    total = torch.zeros_like(membrane)
    for given in inputs:
        # A delay of one step: spikes arrive a step after those that snnTorch's RLeaky would send back.
        spikes, membrane = cell(given @ weights.input + before @ weights.recurrent, membrane)
        last, before = spikes, last
        total = total + spikes
    return total


def plain_recurrent(weights: Weights, inputs: Tensor) -> Tensor:
    """Return the spikes of snnTorch's own recurrent cell, whose spikes come back a step earlier."""
    n = weights.input.shape[1]
    cell = snntorch.RLeaky(BETA, linear_features=n, reset_mechanism="zero", spike_grad=surrogate.atan()).to(
        inputs.device
    )
    with torch.no_grad():
        cell.recurrent.weight.copy_(weights.recurrent.t())
        cell.recurrent.bias.zero_()
    spikes, membrane = cell.init_rleaky()
    total = torch.zeros(inputs.shape[1], n, device=inputs.device)
    for given in inputs:
        spikes, membrane = cell(given @ weights.input, spikes, membrane)
        total = total + spikes
    return total


def example(device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Return input spikes (step, trial, channel) and labels."""
    generator = torch.Generator().manual_seed(2)
    inputs = (torch.rand(N_STEPS, N_TRIALS, N_CHANNELS, generator=generator) < 0.02).float()
    return inputs.to(device), torch.randint(N_CLASSES, (N_TRIALS,), generator=generator).to(device)


def train_step(run: Callable[[Weights, Tensor], Tensor], weights: Weights, inputs: Tensor, labels: Tensor) -> float:
    """Compute loss and gradients."""
    weights.zero_grad()
    loss = nn.functional.cross_entropy(run(weights, inputs) @ weights.output / 10.0, labels)
    loss.backward()
    return loss.item()


def measure() -> str:
    """Return how many times faster a training step is, and how far gradients are apart."""
    weights, (inputs, labels) = Weights(), example()
    runs = {"ours": ours, "Leaky + Linear": plain, "RLeaky": plain_recurrent}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    found = {}
    for name, run in runs.items():
        train_step(run, weights, inputs, labels)
        found[name] = [parameter.grad.clone() for parameter in weights.parameters() if parameter.grad is not None]
    for _ in range(REPEATS):
        for name, run in runs.items():
            train_step(run, weights, inputs, labels)  # the first takes memory that the others left
            for _ in range(STEPS_IN_A_ROW):
                start = time.perf_counter()
                train_step(run, weights, inputs, labels)
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    pairs = list(zip(found["ours"], found["Leaky + Linear"], strict=True))
    error = max(float((one - other).norm() / other.norm()) for one, other in pairs)
    rate = ours(weights, inputs).mean().item() / N_STEPS
    against = ", ".join(f"{medians[name] / medians['ours']:.1f} × {name}" for name in runs if name != "ours")
    return f"{medians['ours']:.3f} s: {against}; gradients within {error:.0e}; {rate:.3f} spikes a neuron and step"
