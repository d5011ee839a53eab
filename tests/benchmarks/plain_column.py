"""A cortical column as a script of plain Brian2 would have it: the same neurons and synapses, one run a point."""

from __future__ import annotations

import time

import numpy as np

from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.network.network import Block, Network
from twinbrain.network.parameters import population_parameters
from twinbrain.run.prepare import Prepared

RECEPTORS = ("ampa", "nmda", "gaba_a", "gaba_b")
# Poisson drives of the column besides that of the pyramidal cells: rate (Hz), weight (nS).
DRIVES = {"pyr": (None, 3.2), "pv": (1800.0, 2.6), "sst": (790.0, 1.6), "vip": (1020.0, 1.6)}


def plain_point(prepared: Prepared, network: Network, rate: float, seed: int, n_seconds: float) -> tuple[float, int]:
    """Return the wall time of one point, from its declaration to its spikes, and the number of these.

    Parameters
    ----------
    prepared, network : Prepared, Network
        Whose neurons and synapses are taken, so that drawing them costs nothing here.
    rate : float (Hz)
        Of the drive of the pyramidal cells.
    seed : int
        Of the drives.
    n_seconds : float (s)
        Model time.
    """
    import brian2 as b

    b.prefs.codegen.target = "cython"
    (block,) = network.blocks
    units = {"pF": b.pF, "nS": b.nS, "mV": b.mV, "ms": b.ms, "pA": b.pA, "mM": b.mM, "1": 1}
    drawn = {
        name: np.concatenate([values[name] for values in _parameters(prepared, block)])
        for name in block.program.parameters
    }
    start = time.perf_counter()
    b.start_scope()
    b.seed(seed)
    model = neuron_model("adex")
    receptors = {name: receptor_model(name) for name in RECEPTORS}
    currents = " + ".join(f"I_{name}" for name in RECEPTORS)
    equations = "\n".join([model.equations, f"I_syn = {currents} : amp", *(r.equations for r in receptors.values())])
    group = b.NeuronGroup(
        block.size, equations, threshold=model.threshold, reset=model.reset, refractory="t_ref", method="euler"
    )
    for name, unit in block.program.parameters.items():
        setattr(group, name, drawn[name] * units[unit])
    group.v = block.initial["v"] * b.mV
    objects = [group, b.SpikeMonitor(group)]
    for table in network.tables:
        inlet = next(inlet for inlet in block.inlets if inlet.receptor == table.receptor)
        jump = receptors[table.receptor].jump
        synapses = b.Synapses(group, group, "weight : siemens", on_pre=f"{jump}_post += weight")
        synapses.connect(i=np.repeat(np.arange(block.size), np.diff(table.row_start)), j=table.post - inlet.start)
        synapses.weight = table.weight * inlet.quantum * b.nS
        synapses.delay = table.delay * network.dt * b.ms
        objects.append(synapses)
    for population in network.populations:
        own, weight = DRIVES[population.population]
        objects.append(
            b.PoissonInput(
                group[population.start : population.stop], "g_ampa", 1, (own or rate) * b.Hz, weight=weight * b.nS
            )
        )
    b.Network(*objects).run(n_seconds * b.second)
    return time.perf_counter() - start, int(objects[1].num_spikes)


def _parameters(prepared: Prepared, block: Block) -> list[dict[str, np.ndarray]]:
    run = prepared.workflow.run
    return [
        population_parameters(prepared.layout, population, block.program, run.dt, run.seed)
        for population in prepared.layout.populations
    ]
