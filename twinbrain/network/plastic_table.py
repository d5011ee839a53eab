"""Plastic synapses as an engine sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.models.rule import RuleProgram

Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Modulation:
    """Which neurons modulate which plastic synapses, in groups: one a modulating population.

    Parameters
    ----------
    start, stop : ndarray of int32, shape (group,)
        The modulating neurons, by number.
    row_start : ndarray of int64, shape (group + 1,)
        Where each group's synapses begin.
    synapse : ndarray of int32
        Places in the plastic table.
    """

    start: Indices
    stop: Indices
    row_start: NDArray[np.int64]
    synapse: Indices


@dataclass(frozen=True, eq=False)
class PlasticTable:
    """Plastic synapses of one receptor and one rule, sorted by source, then by delay.

    Parameters
    ----------
    name : str
        Names its variables in a state: ``"synapses/<name>/<variable>"``.
    receptor, rule : str
        Names of the receptor and of the rule.
    program : RuleProgram
        What spikes and time do to a synapse.
    quantum : float
        Of the receptor; what is released is rounded to it.
    limit : int
        The most quanta that one spike adds, in size: more is cut off, so that no inbox overflows.
    row_start : ndarray of int64, shape (n_neurons + 1,)
        Where each source neuron's synapses begin.
    post : ndarray of int32, shape (n_synapses,)
        Place in the flat inbox.
    delay : ndarray of uint16, shape (n_synapses,)
        In steps, at least 1.
    column_start : ndarray of int64, shape (n_neurons + 1,)
        Where each target neuron's synapses begin in ``column``.
    column : ndarray of int32, shape (n_synapses,)
        Synapses by target neuron.
    constants : dict of str to ndarray of float64, shape (n_synapses,) or (1,)
        The program's constants; of one element where all synapses share it.
    initial : dict of str to ndarray of float64, shape (n_synapses,)
        The program's variables at time zero.
    modulation : Modulation or None
        For rules with a third factor.
    largest : float
        The largest weight that is declared, in quanta.
    """

    name: str
    receptor: str
    rule: str
    program: RuleProgram
    quantum: float
    limit: int
    row_start: NDArray[np.int64]
    post: Indices
    delay: NDArray[np.uint16]
    column_start: NDArray[np.int64]
    column: Indices
    constants: dict[str, NDArray[np.float64]]
    initial: dict[str, NDArray[np.float64]]
    modulation: Modulation | None
    largest: float = 0.0

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return len(self.post)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        index = sum(a.nbytes for a in (self.row_start, self.post, self.delay, self.column_start, self.column))
        # What all synapses share is there once, seen as often as there are synapses.
        values = sum(
            a.nbytes if a.strides[0] else a.itemsize for a in (*self.constants.values(), *self.initial.values())
        )
        return index + values + (self.modulation.synapse.nbytes if self.modulation else 0)

    @property
    def source(self) -> Indices:
        """Number of each synapse's source neuron."""
        return np.repeat(np.arange(len(self.row_start) - 1, dtype=np.int32), np.diff(self.row_start))

    @property
    def target(self) -> Indices:
        """Number of each synapse's target neuron."""
        target = np.empty(self.n_synapses, np.int32)
        target[self.column] = np.repeat(
            np.arange(len(self.column_start) - 1, dtype=np.int32), np.diff(self.column_start)
        )
        return target
