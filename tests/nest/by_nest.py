"""A network of twinbrain's, simulated by NEST: synapses as explicit arrays, parameters and initial state by value.

NEST draws nothing. It labels a spike with the end of the step in which the threshold was crossed, twinbrain with its
start; a refractory period of n steps clamps n of NEST's steps, and n - 1 of twinbrain's, as in Brian2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Spikes, get_engine
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.network.network import Network
from twinbrain.network.random import stream_key
from twinbrain.network.sampling import sample
from twinbrain.spec.region import Region

Floats = NDArray[np.float64]
Traces = dict[str, Floats]
# For each of the first neurons, the times (ms) at which its spikes leave: the ends of their steps.
Given = list[Floats]


def values_of(network: Network, region: Region) -> dict[str, Floats]:
    """Return every parameter of every neuron of a network of one block, in canonical units."""
    block = network.blocks[0]
    parts: dict[str, list[Floats]] = {name: [] for name in block.program.parameters}
    for population in network.populations:
        cell = region.cell_of(population.population)
        defaults = dict(neuron_model(cell.model, region).parameters)
        for name in cell.receptors:
            defaults |= receptor_model(name, region).parameters
        for name, unit in block.program.parameters.items():
            key = stream_key(network.seed, f"parameter {name}", population.label, population.population)
            parts[name].append(sample((defaults | cell.parameters)[name], unit, population.size, key))
    return {name: np.concatenate(part) for name, part in parts.items()}


def simulate_by_nest(
    network: Network,
    model: str,
    status: Mapping[str, Floats | float],
    n_steps: int,
    *,
    extra_delay: int = 0,
    inhibitory: tuple[str, ...] = (),
    record: Mapping[str, str] | None = None,
    given: Given | None = None,
    port: int = 0,
    constant_current: Floats | None = None,
) -> tuple[NDArray[np.int64], Traces]:
    """Simulate a network of one block by NEST.

    Parameters
    ----------
    network : Network
        Its tables and its numbering are used; drives are not.
    model : str
        NEST's name of the model.
    status : dict of str to float or ndarray, shape (neuron,)
        NEST's parameters and initial values; those that are lists have a second dimension.
    n_steps : int
        Duration.
    extra_delay : int
        Steps by which NEST's delays are longer.
    inhibitory : tuple of str
        Receptors that NEST tells from others by a negative weight.
    record : dict of str to str, optional
        NEST's name to ours, of state variables that are sampled every step, of all neurons.
    given : Given, optional
        Spikes that the network's first neurons send, whatever they do themselves.
    port : int
        NEST's number of the receptor, where it numbers them.
    constant_current : ndarray (pA), shape (neuron,), optional
        For models without a parameter for it.

    Returns
    -------
    spikes : ndarray of int64, shape (spike, 2)
        Step and neuron, as twinbrain counts them.
    traces : dict of str to ndarray, shape (step, neuron)
        The values at the end of each step.
    """
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=network.dt, local_num_threads=1, print_time=False)
    neurons = nest.Create(model, network.n_neurons)
    first = neurons[0].global_id
    neurons.set([{name: value[i] for name, value in _each(status, network.n_neurons)} for i in range(len(neurons))])
    senders = np.arange(network.n_neurons) + first
    if given is not None:
        generators = nest.Create("spike_generator", len(given), [{"spike_times": times} for times in given])
        senders[: len(given)] = generators.tolist()
    block = network.blocks[0]
    for table in network.tables:
        inlet = next(inlet for inlet in block.inlets if inlet.receptor == table.receptor)
        source = np.repeat(senders, np.diff(table.row_start))
        sign = -1.0 if table.receptor in inhibitory else 1.0
        nest.Connect(
            source,
            block.neurons[table.post - inlet.start] + first,
            "one_to_one",
            {
                "weight": sign * table.weight * inlet.quantum,
                "receptor_type": port,
                "delay": (table.delay.astype(np.int64) + extra_delay) * network.dt,
            },
        )
    if constant_current is not None:
        nest.Connect(nest.Create("dc_generator", len(neurons), {"amplitude": constant_current}), neurons, "one_to_one")
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    meter = None
    if record:
        meter = nest.Create("multimeter", params={"record_from": list(record), "interval": network.dt})
        nest.Connect(meter, neurons)
    # The last sample is handed over one step after it was taken.
    nest.Simulate((n_steps + 1) * network.dt)
    events = recorder.get("events")
    step = np.rint(np.asarray(events["times"]) / network.dt).astype(np.int64) - 1
    spikes = np.column_stack([step, np.asarray(events["senders"]) - first])
    spikes = spikes[step < n_steps]
    spikes = spikes[np.lexsort((spikes[:, 1], spikes[:, 0]))]
    traces: Traces = {}
    if meter is not None and record:
        sampled: dict[str, Any] = meter.get("events")
        row = np.rint(np.asarray(sampled["times"]) / network.dt).astype(np.int64) - 1
        column = np.asarray(sampled["senders"]) - first
        for theirs, ours in record.items():
            trace = np.full((n_steps, network.n_neurons), np.nan)
            trace[row, column] = sampled[theirs]
            traces[ours] = trace
    return spikes, traces


def simulate_by_twinbrain(
    network: Network, n_steps: int, given: Given | None = None
) -> tuple[NDArray[np.int64], Traces]:
    """Simulate a network by the reference engine; the traces are those of its probes, by variable."""
    simulation = get_engine("reference")(network)
    if given is None:
        simulation.advance(n_steps)
    else:
        for step, spikes in _in_steps(given, network.dt):
            simulation.advance(step + 1 - simulation.step)
            simulation.inject(spikes)
        simulation.advance(n_steps - simulation.step)
    recording = simulation.collect()
    simulation.close()
    traces = {probe.variable: recording.samples[probe.name] for probe in network.probes}
    return np.column_stack([recording.spikes.step, recording.spikes.neuron]).astype(np.int64), traces


def _in_steps(given: Given, dt: float) -> Iterator[tuple[int, Spikes]]:
    neuron = np.repeat(np.arange(len(given), dtype=np.int32), [len(times) for times in given])
    step = np.rint(np.concatenate(given) / dt).astype(np.int32) - 1
    for n in np.unique(step):
        yield int(n), Spikes(step[step == n], neuron[step == n])


def _each(status: Mapping[str, Floats | float], n: int) -> list[tuple[str, list[Any]]]:
    return [(name, np.asarray(value).tolist() if np.ndim(value) else [value] * n) for name, value in status.items()]
