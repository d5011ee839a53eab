"""Learning curves: what is kept of every epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.setup import Setup

SPLITS = ("train", "validation")


def empty_curves(setup: Setup) -> xr.Dataset:
    """Return the curves of a training that has not begun, all NaN."""
    network = setup.network
    n = setup.training.epochs
    populations = population_names(network)
    parameters = list(gradient_norms(network))

    def blank(dim: str | None, names: list[str] | tuple[str, ...], **attributes: str) -> xr.Variable:
        shape = (n,) if dim is None else (len(names), n)
        return xr.Variable(("epoch",) if dim is None else (dim, "epoch"), np.full(shape, np.nan), attributes)

    return xr.Dataset(
        {
            "loss": blank("split", SPLITS),
            measure(setup.task.kind): blank("split", SPLITS),
            "rate": blank("population", populations, units="Hz"),
            "gradient_norm": blank("parameter", parameters),
            "seconds": blank(None, (), units="s"),
        },
        {"split": list(SPLITS), "population": populations, "parameter": parameters, "epoch": np.arange(1, n + 1)},
        {
            "name": setup.network.lowered.brain.name,
            "task": setup.task.name,
            "rule": setup.training.rule.name,
            "chance": setup.task.chance,
            "kind": setup.task.kind,
        },
    )


def with_best(curves: xr.Dataset) -> xr.Dataset:
    """Return all curves of a training with its best epoch told, which a part of them would not show."""
    watched = curves["loss"].sel(split="validation").dropna("epoch")
    if not watched.size:
        return curves
    best = watched.isel(epoch=int(watched.values.argmin()))
    return curves.assign_attrs(best_epoch=int(best["epoch"]), best_loss=float(best))


def measure(kind: str) -> str:
    """Return what a score is called."""
    return "accuracy" if kind == "classification" else "error"


def population_names(network: TrainableNetwork) -> list[str]:
    """Return the names of all populations; in a brain with the labels of their regions."""
    populations = network.lowered.network.populations
    alone = len({p.label for p in populations}) == 1
    return [p.population if alone else f"{p.label}.{p.population}" for p in populations]


def population_rates(network: TrainableNetwork, spikes: Tensor) -> NDArray[np.float64]:
    """Return the mean rate (Hz) of each population in spikes of shape (step, trial, neuron)."""
    n_steps, n_trials, _ = spikes.shape
    # Sums of so many spikes are exact in single precision, and need no copy in double.
    dtype = torch.float32 if n_steps * n_trials < 1 << 24 else torch.float64
    counts = spikes.sum(dim=(0, 1), dtype=dtype).cpu().numpy().astype(np.float64)
    mean = counts / (n_steps * n_trials) * 1e3 / network.lowered.network.dt
    return np.array([mean[p.start : p.stop].mean() for p in network.lowered.network.populations])


@torch.no_grad()
def gradient_norms(network: TrainableNetwork) -> dict[str, float]:
    """Return the norm of the gradient of each group of weights, each parameter and the delays, as far as trained."""
    found: dict[str, float] = {}
    for weights in network.tables():
        for kind, parameter in (("relative", weights.relative), ("gain", weights.gain)):
            if not parameter.numel():
                continue
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            group = weights.group[weights.per_synapse] if kind == "relative" else None
            for number, own in enumerate(weights.groups):
                if kind == "relative" and own.trained == "synapse":
                    found[own.name] = float(gradient[group == number].norm())
                elif kind == "gain" and own.trained in ("population", "region"):
                    found[own.name] = float(gradient[weights.factor_of[number]].abs())
    for block, cell in zip(network.lowered.network.blocks, network.blocks(), strict=True):
        for name, trained in cell.trained_parameters().items():
            own_gradient = trained.change.grad
            found[f"{block.name}.{name}"] = 0.0 if own_gradient is None else float(own_gradient.norm())
    if network.delays is not None:
        own_gradient = network.delays.change.grad
        found["delay"] = 0.0 if own_gradient is None else float(own_gradient.norm())
    return found


def epoch_curves(
    kind: str,
    losses: tuple[float, float],
    scores: tuple[float, float],
    rates: NDArray[np.float64],
    norms: dict[str, float],
    seconds: float,
) -> dict[str, NDArray[Any]]:
    """Return what is kept of an epoch, by the names of the curves."""
    return {
        "loss": np.array(losses),
        measure(kind): np.array(scores),
        "rate": rates,
        "gradient_norm": np.array(list(norms.values())),
        "seconds": np.array(seconds),
    }


def with_epoch(curves: xr.Dataset, epoch: int, values: dict[str, NDArray[Any]]) -> xr.Dataset:
    """Return the curves with the values of an epoch."""
    for name, value in values.items():
        curves[name].values[..., epoch] = value
    return curves
