"""Cost of a region or brain, from the tables of its network and the spikes of its trials."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from twinbrain.learn.metrics.cost import Cost
from twinbrain.learn.metrics.operations import Operations, activation_sparsity, spike_operations
from twinbrain.models.step import StepProgram
from twinbrain.network.network import Network, SynapseTable
from twinbrain.network.plastic_table import PlasticTable


def network_cost(network: Network, spikes: NDArray) -> Cost:
    """Return what a trial of a network costs, by the same definitions as a module's.

    A synapse is a weight, and what is not there is a weight of 0 in a matrix from population to population, of those
    populations between which there are synapses. All accumulates are effective, for what comes in are spikes.
    Every neuron is updated at every step.

    Parameters
    ----------
    network : Network
        The network.
    spikes : ndarray, shape (step, trial, neuron)
        0 and 1, of all neurons, those of the input included.

    Raises
    ------
    LearnError
        If the spikes are not those of all neurons.
    """
    degree = out_degree(network)
    acs = spike_operations(spikes, degree)
    n_steps, n_trials, _ = spikes.shape
    places = possible_synapses(network)
    dense = n_steps * places
    steps = float(n_steps * network.n_neurons)
    return Cost(
        _footprint(network),
        1 - network.n_synapses / places if places else float("nan"),
        activation_sparsity([spikes]),
        Operations(float(dense), 0.0, acs),
        steps,
        n_steps * sum(step_operations(block.program) * block.size for block in network.blocks),
        float(spikes.sum(dtype=np.int64)) / n_trials / network.n_neurons,
    )


def out_degree(network: Network) -> NDArray[np.int64]:
    """Return the number of each neuron's synapses that act: plastic ones, and static ones of a weight other than 0.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    ndarray of int64, shape (neuron,)
        By the neuron's number.
    """
    found = np.zeros(network.n_neurons, np.int64)
    for table in network.tables:
        before = np.concatenate([[0], np.cumsum(table.weight != 0)])
        found += np.diff(before[table.row_start])
    for plastic in network.plastic:
        found += np.diff(plastic.row_start)
    return found


def possible_synapses(network: Network) -> int:
    """Return how many synapses there would be if populations that are connected at all were so all to all.

    Parameters
    ----------
    network : Network
        The network. Several receptors between two populations count as several matrices.
    """
    population = np.repeat(np.arange(len(network.populations)), [p.size for p in network.populations])
    target = np.empty(network.n_inlets, np.int64)
    for block in network.blocks:
        for inlet in block.inlets:
            target[inlet.start : inlet.stop] = population[block.neurons]
    size = np.array([p.size for p in network.populations])
    pairs: dict[str, set[tuple[int, int]]] = {}
    for table in _tables(network):
        source = np.repeat(population, np.diff(table.row_start))
        both = np.unique(np.stack([source, target[table.post]]), axis=1)
        pairs.setdefault(table.receptor, set()).update(zip(*both.tolist(), strict=True))
    return int(sum(size[source] * size[to] for found in pairs.values() for source, to in found))


def step_operations(program: StepProgram) -> int:
    """Return the arithmetic of one neuron in one step: signs of operation and functions, resets left out.

    Parameters
    ----------
    program : StepProgram
        The model's step. A function such as the exponential counts as one operation, as few as can be.
    """
    text = "\n".join(statement.expression for statement in program.integrate)
    text = re.sub(r"(?<![\w.])\(-", "(", re.sub(r"(\d)e[-+](\d)", r"\1e\2", text))  # A sign of a number is none.
    return len(re.findall(r"\*\*|[-+*/]|[A-Za-z_]\w*\(", text))


def _tables(network: Network) -> tuple[SynapseTable | PlasticTable, ...]:
    return (*network.tables, *network.plastic)


def _footprint(network: Network) -> int:
    blocks = sum(v.nbytes for b in network.blocks for v in (*b.constants.values(), *b.initial.values()))
    return blocks + sum(table.nbytes for table in _tables(network))
