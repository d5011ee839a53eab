"""The groups and growing arrays of a run, as plain declarations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twinbrain.store.layout import INDEX_INTERVAL, Cut, ProbeLayout, cut_fast, cut_slow

Attributes = dict[str, Any]

# Of the coordinate of a group of samples.
NEURON: Attributes = {"long_name": "number of the neuron"}


@dataclass(frozen=True)
class ArraySchema:
    """An array that grows along its first dimension.

    Parameters
    ----------
    dtype : str
        Type of its elements.
    dims : tuple of str
        Names of its dimensions.
    cut : Cut
        Its chunks and shards.
    columns : tuple of int
        Shape of a row.
    attributes : dict
        Its attributes.
    """

    dtype: str
    dims: tuple[str, ...]
    cut: Cut
    columns: tuple[int, ...] = ()
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class RunSchema:
    """What a run records.

    Parameters
    ----------
    groups : dict of str to dict
        Path of each group to its attributes.
    arrays : dict of str to ArraySchema
        Path of each growing array to its declaration.
    """

    groups: dict[str, Attributes]
    arrays: dict[str, ArraySchema]


def run_schema(
    *, spikes: bool, rate_bin_steps: int, n_populations: int, probes: Sequence[ProbeLayout], dt: float
) -> RunSchema:
    """Declare the arrays of a run.

    Parameters
    ----------
    spikes : bool
        Whether spikes are recorded.
    rate_bin_steps : int
        Steps of a bin of the rates.
    n_populations : int
        Number of populations.
    probes : sequence of ProbeLayout
        State variables that are recorded.
    dt : float (ms)
        Time step.
    """
    groups: dict[str, Attributes] = {}
    arrays: dict[str, ArraySchema] = {}
    if spikes:
        index_steps = max(1, round(INDEX_INTERVAL / dt))
        groups["spikes"] = {"sorting": "by_time", "dt": dt, "window_steps": index_steps}
        step = {"long_name": "step of the spike; its time is step * dt", "dt": dt}
        neuron = {"long_name": "number of the neuron that spiked"}
        start = {"long_name": "first spike at or after step window * window_steps", "window_steps": index_steps}
        arrays["spikes/time_step"] = ArraySchema("int32", ("spike",), cut_fast((), 4), attributes=step)
        arrays["spikes/neuron"] = ArraySchema("int32", ("spike",), cut_fast((), 4), attributes=neuron)
        arrays["spikes/window_start"] = ArraySchema("int64", ("window",), cut_slow(), attributes=start)

    groups["rate"] = {"bin_steps": rate_bin_steps, "bin": rate_bin_steps * dt}
    rate = {"long_name": "mean firing rate of the neurons of a population", "units": "Hz"}
    arrays["rate/rate"] = _matrix("float32", "population", n_populations, rate)
    arrays["rate/time"] = _time("start of the bin")

    groups["state"] = {}
    for probe in probes:
        path = f"state/{probe.name}"
        groups[path] = {"variable": probe.variable, "every": probe.every}
        attributes = {"units": probe.unit}
        arrays[f"{path}/{probe.variable}"] = _matrix(probe.dtype, "neuron", len(probe.neuron), attributes)
        arrays[f"{path}/time"] = _time("time of the sample")
    groups["checkpoint"] = {}
    return RunSchema(groups, arrays)


def _matrix(dtype: str, dim: str, n_columns: int, attributes: Attributes) -> ArraySchema:
    cut = cut_fast((n_columns,), np.dtype(dtype).itemsize)
    return ArraySchema(dtype, ("time", dim), cut, (n_columns,), attributes)


def _time(long_name: str) -> ArraySchema:
    return ArraySchema("float64", ("time",), cut_slow(), attributes={"long_name": long_name, "units": "ms"})
