"""What a trained model does in trials, as labelled arrays."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.analysis.responses import LEFT_OVER, N_BINS, TRIAL_DIGEST
from twinbrain.errors import LearnError
from twinbrain.learn.metrics.score import decide, mean_output, score
from twinbrain.learn.tasks.trials import Trials

if TYPE_CHECKING:
    from twinbrain.learn.trained import Trained

_BATCH = 64
_USUAL_BIN = 10.0


def responses_of(trained: Trained, trials: Trials, bin: str | None) -> xr.Dataset:
    """Return what a trained model does in trials; see `Trained.responses`.

    Raises
    ------
    LearnError
        If a bin is no whole number of steps, or no longer than a trial.
    """
    task = trained.setup.task
    every = _steps_of(bin, task.dt, trials.n_steps)
    n_bins = trials.n_steps // every
    of_counts: dict[str, float] = {N_BINS: n_bins}
    if n_left := trials.n_steps % every:
        of_counts[LEFT_OVER] = n_left * task.dt
    counts, rates, outputs, scores, decisions = [], [], [], [], []
    for index in np.array_split(np.arange(len(trials)), max(1, -(-len(trials) // _BATCH))):
        spikes, output = trained.activity(trials, index)
        target, scored = torch.as_tensor(trials.target[index]), torch.as_tensor(trials.scored[index])
        counts.append(spikes.sum(0, dtype=np.int32))
        binned = spikes[: n_bins * every].reshape(n_bins, every, *spikes.shape[1:]).sum(1, dtype=np.int32)
        rates.append(binned.transpose(1, 0, 2) * (1e3 / (every * task.dt)))
        outputs.append(mean_output(output, scored).numpy())
        scores.append(score(output, target, scored, task.kind).numpy())
        if task.kind == "classification":
            decisions.append(decide(output, scored).numpy())
    found = xr.Dataset(
        {
            "count": (("trial", "neuron"), np.concatenate(counts), of_counts),
            "rate": (("trial", "bin", "neuron"), np.concatenate(rates).astype(np.float32), {"units": "Hz"}),
            "output": (("trial", "output"), np.concatenate(outputs), {"units": "mV"}),
            "score": ("trial", np.concatenate(scores)),
        },
        {
            "time": ("bin", np.arange(n_bins) * every * task.dt, {"units": "ms"}),
            TRIAL_DIGEST: ("trial", _digests(trials)),
            **_neurons(trained),
        },
        {"task": task.name, "chance": task.chance},
    )
    if task.kind == "classification":
        found["label"] = ("trial", trials.target)
        found["decision"] = ("trial", np.concatenate(decisions))
    return found


def _digests(trials: Trials) -> NDArray[np.int64]:
    """Return by what each trial is known, wherever it stands: a digest of its input spikes."""
    found = np.empty(len(trials), np.int64)
    for i, (start, stop) in enumerate(zip(trials.start[:-1].tolist(), trials.start[1:].tolist(), strict=True)):
        digest = hashlib.blake2b(trials.step[start:stop].tobytes(), digest_size=8)
        digest.update(trials.channel[start:stop].tobytes())
        found[i] = int.from_bytes(digest.digest(), "little", signed=True)
    return found


def _steps_of(bin: str | None, dt: float, n_steps: int) -> int:
    if bin is None:
        return min(max(round(_USUAL_BIN / dt), 1), n_steps)
    steps = units.number(bin, "ms") / dt
    every = round(steps)
    if every < 1 or abs(steps - every) > 1e-6 or every > n_steps:
        raise LearnError(f"bin: expected whole steps of {dt:g} ms, up to a trial's {n_steps}, found {bin}; change it")
    return every


def _neurons(trained: Trained) -> dict[str, tuple[str, list[str]]]:
    # Of what was trained: in what is exported, populations of one class may have cells of their own.
    layout = trained.setup.network.lowered.layout
    regions = dict(zip(layout.connectome.labels, layout.regions, strict=True))
    columns: dict[str, list[str]] = {"region": [], "population": [], "cell": []}
    for population in layout.populations:
        cell = regions[population.label].populations[population.population].cell
        for name, value in (("region", population.label), ("population", population.population), ("cell", cell)):
            columns[name] += [value] * population.size
    return {name: ("neuron", values) for name, values in columns.items()}
