"""The network: what a brain is lowered to, and all that an engine sees.

However many regions there are, there is one `Block` a neuron model (more where receptors set cells apart, see
`network.grouping`), one `SynapseTable` a receptor and origin, and one
`PlasticTable` a receptor and plasticity rule; a population is a contiguous slice of a block. Neurons are numbered
region by region, population by population.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.models.observed import Observed
from twinbrain.models.step import StepProgram
from twinbrain.network.inputs import Events, RandomDrive, Waveform
from twinbrain.network.plastic_table import PlasticTable

Indices = NDArray[np.int32]


@dataclass(frozen=True)
class PopulationSlice:
    """Where the neurons of one population are.

    Parameters
    ----------
    label : str
        Label of the connectome's node.
    region : str
        Name of the region that stands there.
    population : str
        Name within the region.
    start, stop : int
        Its neurons, by number.
    block, offset : int
        The block that holds it, and its first place there.
    transmitter : str
        What its axons release.
    """

    label: str
    region: str
    population: str
    start: int
    stop: int
    block: int
    offset: int
    transmitter: str

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start


@dataclass(frozen=True)
class Inlet:
    """The inbox of one receptor of one block: a slice of the network's flat inbox.

    Parameters
    ----------
    receptor : str
        Name of the receptor.
    start, stop : int
        The slice; its order is that of the block's neurons.
    quantum : float
        What one unit of the integer inbox stands for, a power of two of the coherent unit.
    """

    receptor: str
    start: int
    stop: int
    quantum: float


@dataclass(frozen=True, eq=False)
class Block:
    """All neurons of one model.

    Parameters
    ----------
    name : str
        Name of the model.
    program : StepProgram
        What a step computes.
    neurons : ndarray of int32, shape (size,)
        Their numbers, ascending.
    constants : dict of str to ndarray of float64, shape (size,)
        The program's constants.
    initial : dict of str to ndarray of float64, shape (size,)
        The state at time zero.
    inlets : tuple of Inlet
        One a receptor.
    """

    name: str
    program: StepProgram
    neurons: Indices
    constants: dict[str, NDArray[np.float64]]
    initial: dict[str, NDArray[np.float64]]
    inlets: tuple[Inlet, ...]

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.neurons)


@dataclass(frozen=True, eq=False)
class SynapseTable:
    """Static synapses of one receptor, sorted by source, then by delay.

    Parameters
    ----------
    receptor : str
        Name of the receptor.
    origin : {"local", "long_range"}
        Whether both ends are in one region.
    row_start : ndarray of int64, shape (n_neurons + 1,)
        Where each source neuron's synapses begin.
    post : ndarray of int32, shape (n_synapses,)
        Place in the flat inbox.
    weight : ndarray of int32, shape (n_synapses,)
        In quanta of the receptor.
    delay : ndarray of uint16, shape (n_synapses,)
        In steps, at least 1.
    """

    receptor: str
    origin: str
    row_start: NDArray[np.int64]
    post: Indices
    weight: Indices
    delay: NDArray[np.uint16]

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return len(self.post)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(array.nbytes for array in (self.row_start, self.post, self.weight, self.delay))


@dataclass(frozen=True, eq=False)
class Probe:
    """A state variable that is sampled.

    Parameters
    ----------
    name : str
        Name in the store.
    block : int
        Block of the neurons.
    variable : str
        Name of the state variable.
    unit : str
        Its unit.
    places : ndarray of int32, shape (n,)
        Places in the block.
    every : int
        Steps between samples; a sample is taken at the end of steps every - 1, 2 every - 1, …
    observed : Observed, optional
        How the variable follows from the state, if it is not part of it.
    constants : dict of str to ndarray of float64, shape (n,)
        Constants of ``observed``; a network that is only laid out has none.
    """

    name: str
    block: int
    variable: str
    unit: str
    places: Indices
    every: int
    observed: Observed | None = None
    constants: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def reads(self) -> tuple[str, ...]:
        """The state variables that a sample is taken of."""
        return (self.variable,) if self.observed is None else self.observed.reads


@dataclass(frozen=True, eq=False)
class Network:
    """All that an engine needs.

    Parameters
    ----------
    dt : float (ms)
        Time step.
    seed : int
        Seed of all draws.
    """

    dt: float
    seed: int
    populations: tuple[PopulationSlice, ...]
    blocks: tuple[Block, ...]
    tables: tuple[SynapseTable, ...]
    drives: tuple[RandomDrive, ...]
    probes: tuple[Probe, ...] = ()
    waveforms: tuple[Waveform, ...] = ()
    events: Events = field(default_factory=Events.none)
    plastic: tuple[PlasticTable, ...] = ()

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.populations[-1].stop

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return sum(len(delay) for delay in self._delays)

    @property
    def n_inlets(self) -> int:
        """Length of the flat inbox."""
        return max((inlet.stop for block in self.blocks for inlet in block.inlets), default=0)

    @property
    def max_delay(self) -> int:
        """The longest delay, in steps."""
        return max((int(delay.max()) for delay in self._delays if len(delay)), default=1)

    @property
    def _delays(self) -> list[NDArray[np.uint16]]:
        return [*(table.delay for table in self.tables), *(table.delay for table in self.plastic)]


def with_coupling(network: Network, factor: float) -> Network:
    """Return the network with every long-range weight multiplied; nothing else is built or copied.

    Parameters
    ----------
    network : Network
        A network that was built with coupling 1.
    factor : float
        At least 0. Weights are rounded to whole quanta once more: the error is under 1e-4 of the mean weight before
        the multiplication, so that small factors leave few digits.

    Raises
    ------
    SpecError
        If a weight is beyond the range of an integer.
    """
    if factor == 1.0:
        return network
    weights = [t.weight for t in network.tables if t.origin == "long_range" and t.n_synapses]
    largest = max((float(np.abs(weight).max()) for weight in weights), default=0.0)
    if largest * factor > (most := np.iinfo(np.int32).max):
        raise SpecError(
            [Problem("brain.coupling", f"expected at most {most / largest:.3g}, found {factor:g}; make it smaller")]
        )
    tables = tuple(
        replace(table, weight=np.rint(table.weight * factor).astype(np.int32))
        if table.origin == "long_range"
        else table
        for table in network.tables
    )
    return replace(network, tables=tables)
