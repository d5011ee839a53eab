"""Write the spikes of a run as SONATA has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.exchange.circuit import Circuit
from twinbrain.exchange.files import failure

if TYPE_CHECKING:
    import xarray as xr

# Spikes that are read at once.
_CHUNK = 4_000_000
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}


def check_run(run: xr.DataTree, circuit: Circuit) -> None:
    """Check that a run has spikes, of the populations of a circuit.

    Raises
    ------
    ExchangeError
        If it has not.
    """
    where = str(run.attrs.get("workflow", "run"))
    if "spikes" not in run.children or "time_step" not in run.children["spikes"].dataset:
        raise failure(where, "expected a run with spikes, found one without; run it with record.spikes = true")
    network = run.children["network"].dataset
    found = list(zip(network["label"].values, network["name"].values, network["size"].values, strict=True))
    expected = [(p.label, p.name, p.size) for p in circuit.populations]
    if found != expected or run.attrs["seed"] != circuit.seed or run.attrs["dt"] != circuit.dt:
        raise failure(
            where,
            f"expected a run of this model with seed {circuit.seed} and dt {circuit.dt:g} ms, found one of "
            f"{len(found)} populations with seed {run.attrs['seed']} and dt {run.attrs['dt']:g} ms; give the run's own "
            "model, seed and dt",
        )


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
        for first in range(0, spikes.sizes["spike"], _CHUNK):
            part = slice(first, first + _CHUNK)
            time = spikes["time_step"][part].values * dt
            neuron = spikes["neuron"][part].values
            for i, group in enumerate(groups):
                kept = population[neuron] == i
                _append(group["timestamps"], time[kept])
                _append(group["node_ids"], node[neuron[kept]])


def _append(dataset: Any, values: Any) -> None:
    first = len(dataset)
    dataset.resize((first + len(values),))
    dataset[first:] = values
