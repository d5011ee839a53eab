"""Write the spikes of a run as SONATA has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.load import load_connectome
from twinbrain.exchange.files import failure
from twinbrain.network.given import with_pinned_files
from twinbrain.spec.base import IN_DIGEST
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.workflow import Workflow

if TYPE_CHECKING:
    import xarray as xr

# Spikes that are read at once.
_CHUNK = 4_000_000
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}


def check_run(run: xr.DataTree, workflow: Workflow, dt: float, seed: int) -> None:
    """Check that a run has spikes, and is one of a workflow.

    Parameters
    ----------
    run : DataTree
        A run.
    workflow : Workflow
        What is written.
    dt : float (ms)
        Time step that counts in place of the workflow's.
    seed : int
        Seed that does so.

    Raises
    ------
    ExchangeError
        If it has none, or is of another model, seed or time step.
    """
    where = str(run.attrs.get("workflow", "run"))
    if "spikes" not in run.children or "time_step" not in run.children["spikes"].dataset:
        raise failure(where, "expected a run with spikes, found one without; run it with record.spikes = true")
    step, attrs = run.children["spikes"].dataset["time_step"], run.children["spikes"].attrs
    # Whoever opens a run is told how many it has.
    if step.dims != ("spike",) or step.size != attrs.get("n_spikes", step.size):
        raise failure(where, "expected all spikes of one run, found some that were selected; give the run as opened")
    if run.attrs["seed"] != seed or run.attrs["dt"] != dt:
        raise failure(
            where,
            f"expected a run of this model with seed {seed} and dt {dt:g} ms, found one with seed "
            f"{run.attrs['seed']} and dt {run.attrs['dt']:g} ms; give the run's own model, seed and dt",
        )
    data = json.loads(run.attrs["spec"])
    data["brain"]["connectome"] = Connectome.from_dataset(run.children["connectome"].to_dataset().compute())
    begun = _making_spikes(Workflow.parse(data, f"spec of {where}"), seed)
    if (place := _difference(_making_spikes(workflow, seed), begun)) is not None:
        raise failure(
            where, f"expected a run of this model, found one with another {place}; give the run's own, as a workflow"
        )


def _making_spikes(workflow: Workflow, seed: int) -> dict[str, Any]:
    """Return what of a workflow decides about spikes, beside the seed and the time step."""
    brain = workflow.brain
    connectome = brain.connectome
    if not isinstance(connectome, Connectome):
        connectome = load_connectome(connectome)
    brain = brain.replace(name="", connectome=connectome.replace(name=""))
    data = with_pinned_files(workflow.replace(brain=brain)).model_dump(
        mode="json", exclude_defaults=True, include={"brain", "stimuli"}, context=IN_DIGEST
    )
    for region in data["brain"]["regions"].values():
        for remark in ("summary", "references", "expected"):
            region.pop(remark, None)
    drive_seed = workflow.run.drive_seed
    return data | {"run": {"drive_seed": seed if drive_seed is None else drive_seed}}


def _difference(one: Any, other: Any, where: str = "") -> str | None:
    """Return where two declarations differ first, if they do; the order of regions and populations counts."""
    pairs: Iterable[tuple[str, Any, Any]]
    if isinstance(one, dict) and isinstance(other, dict):
        ordered = where.endswith(("regions", "populations")) and one.keys() == other.keys()
        if ordered and list(one) != list(other):
            return f"order of {where}"
        pairs = ((f"{where}.{key}".lstrip("."), one.get(key), other.get(key)) for key in {**one, **other})
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = ((f"{where}[{i}]", *pair) for i, pair in enumerate(zip(one, other, strict=True)))
    else:
        return None if one == other else where
    differences = (_difference(mine, theirs, place) for place, mine, theirs in pairs)
    return next((place for place in differences if place is not None), None)


def write_spikes(h5py: Any, path: Path, run: xr.DataTree, numbers: dict[str, NDArray[np.int64]]) -> None:
    """Write ``/spikes/<population>/{timestamps,node_ids}``, in the order of time.

    Parameters
    ----------
    h5py : module
        The package.
    path : Path
        The file.
    run : DataTree
        A run that `check_run` has passed.
    numbers : dict of str to ndarray of int64
        For each node population, the neurons that its nodes are.
    """
    spikes, dt = run.children["spikes"].dataset, float(run.attrs["dt"])
    n_neurons = sum(len(own) for own in numbers.values())
    population, node = np.zeros(n_neurons, np.int64), np.zeros(n_neurons, np.int64)
    for i, own in enumerate(numbers.values()):
        population[own], node[own] = i, np.arange(len(own))
    with h5py.File(path, "w") as file:
        groups = []
        for name in numbers:
            group = file.create_group(f"spikes/{name}")
            kind = h5py.enum_dtype(_SORTING, basetype="u1")
            group.attrs.create("sorting", _SORTING["by_time"], dtype=kind)
            group.create_dataset("timestamps", (0,), np.float64, maxshape=(None,), chunks=True).attrs["units"] = "ms"
            group.create_dataset("node_ids", (0,), np.uint64, maxshape=(None,), chunks=True)
            groups.append(group)
        last = 0
        for first in range(0, spikes.sizes["spike"], _CHUNK):
            part = slice(first, first + _CHUNK)
            step = spikes["time_step"][part].values
            if (np.diff(step, prepend=last) < 0).any():
                raise failure(path.name, "expected spikes in the order of time, found others; give the run as opened")
            time, last = step * dt, step[-1]
            neuron = spikes["neuron"][part].values
            for i, group in enumerate(groups):
                kept = population[neuron] == i
                _append(group["timestamps"], time[kept])
                _append(group["node_ids"], node[neuron[kept]])


def _append(dataset: Any, values: Any) -> None:
    first = len(dataset)
    dataset.resize((first + len(values),))
    dataset[first:] = values
