"""A circuit: a brain with everything drawn, in parameters and synapses rather than in constants and tables.

It is what files of other programs hold, and it stands between them and a `Network`: a model is drawn into a circuit and
written; a file is read into a circuit and lowered to a network. Everything is in coherent units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem
from twinbrain.network.random import Floats, Key
from twinbrain.spec.model import NeuronModel, ReceptorModel

Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class CircuitPopulation:
    """Neurons of one cell class, with what each of them was given.

    Parameters
    ----------
    label, region, name : str
        The connectome's node, the region that stands there, and the population's name in it.
    transmitter : str
        What its axons release.
    size : int
        Number of neurons.
    model_name : str
        Name of the neuron model.
    model : NeuronModel
        The model.
    receptors : dict of str to ReceptorModel
        Its cell's receptors.
    parameters : dict of str to ndarray of float64, shape (size,)
        Parameters of the model and the receptors.
    initial : dict of str to ndarray of float64, shape (size,)
        State at time zero, where it was declared; 0 elsewhere.
    """

    label: str
    region: str
    name: str
    transmitter: str
    size: int
    model_name: str
    model: NeuronModel
    receptors: dict[str, ReceptorModel]
    parameters: dict[str, Floats]
    initial: dict[str, Floats]


@dataclass(frozen=True, eq=False)
class CircuitProjection:
    """All synapses of one receptor from one population to another.

    Parameters
    ----------
    source, target : int
        The populations, by number.
    receptor : str
        Receptor of the target.
    origin : {"local", "long_range"}
        Whether both are in one region.
    source_index, target_index : ndarray of int32, shape (n_synapses,)
        The neurons, each within its population.
    weight : ndarray of float64, shape (n_synapses,)
        In the unit of the receptor.
    delay : ndarray of int64, shape (n_synapses,)
        In steps, at least 1.
    """

    source: int
    target: int
    receptor: str
    origin: str
    source_index: Indices
    target_index: Indices
    weight: Floats
    delay: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CircuitDrive:
    """Independent random input to each neuron of a population.

    Parameters
    ----------
    kind : {"rate", "noise"}
        Poisson events, or normal numbers.
    population : int
        The population, by number.
    receptor : str
        Its receptor.
    name, key, mean, first_step, last_step
        As of `twinbrain.network.inputs.RandomDrive`.
    weight : float
        Of one count, in the unit of the receptor.
    """

    kind: Literal["rate", "noise"]
    population: int
    receptor: str
    name: str
    key: Key
    mean: float
    weight: float
    first_step: int
    last_step: int


@dataclass(frozen=True)
class CircuitSignal:
    """Input that is a function of time. A circuit says only that it is there: no file can hold it.

    Parameters
    ----------
    where : str
        Region and name, the same for all nodes at which the region stands.
    what : str
        What it is, in words.
    instead : str
        What can be declared in its place, if anything.
    """

    where: str
    what: str
    instead: str = ""


@dataclass(frozen=True, eq=False)
class Circuit:
    """Populations and the synapses among them.

    Parameters
    ----------
    dt : float (ms)
        Time step, in which delays are counted.
    seed : int
        What keyed the draws.
    populations : tuple of CircuitPopulation
        Neurons are numbered in their order.
    projections : tuple of CircuitProjection
        None without synapses.
    drives : tuple of CircuitDrive
        Random input.
    signals : tuple of CircuitSignal
        Input that is a function of time.
    plastic : tuple of str
        Declared projections whose weights change; their synapses are here with the weights they begin with.
    """

    dt: float
    seed: int
    populations: tuple[CircuitPopulation, ...]
    projections: tuple[CircuitProjection, ...]
    drives: tuple[CircuitDrive, ...] = ()
    signals: tuple[CircuitSignal, ...] = ()
    plastic: tuple[str, ...] = ()

    def numbers(self, populations: Iterable[int]) -> NDArray[np.int64]:
        """Return the numbers of the neurons of some populations, one after the other."""
        starts = np.cumsum([0, *(population.size for population in self.populations)])
        return np.concatenate([np.arange(starts[i], starts[i + 1]) for i in populations])


def place_of(population: CircuitPopulation) -> str:
    """Return where a fault of a population is: the same for all nodes of a brain at which its region stands."""
    return f"region {population.region}: population {population.name}"


def drive_problems(circuit: Circuit, advice: str) -> list[Problem]:
    """Return that there are random drives, each of a region once."""
    what = {"rate": "a Poisson drive", "noise": "noise"}
    problems = []
    for drive in circuit.drives:
        name, _, _ = drive.name.rpartition(" of ")  # without the node's label
        where = f"region {circuit.populations[drive.population].region}: {name}"
        problems.append(Problem(where, f"expected no input from outside, found {what[drive.kind]}; {advice}"))
    return list(dict.fromkeys(problems))


def signal_problems(circuit: Circuit, advice: str) -> list[Problem]:
    """Return that there is input that is a function of time, each of a region once."""
    return [
        Problem(s.where, f"expected no input from outside, found {s.what}; {s.instead and s.instead + ', or '}{advice}")
        for s in circuit.signals
    ]


def population_names(populations: Iterable[CircuitPopulation], *, alone: bool | None = None) -> list[str]:
    """Return a name for each population, of letters, digits and underscores, none of them twice.

    A file's groups allow no slash, and other programs make attributes of the names. ``alone`` says whether the label is
    left out; by default, if all have the same.
    """
    populations = list(populations)
    if alone is None:
        alone = len({population.label for population in populations}) == 1
    names: list[str] = []
    for population in populations:
        name = re.sub(r"\W", "_", population.name if alone else f"{population.label}_{population.name}")
        number, candidate = 1, name
        while candidate in names:
            number += 1
            candidate = f"{name}_{number}"
        names.append(candidate)
    return names
