"""Plastic synapses beside Brian2's neurons, in compiled loops that compute what `engines.plasticity` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.brian2.rule_source import compiled_rule, shared_constants
from twinbrain.network.plastic_table import PlasticTable

_FIRST_CAPACITY = 1 << 10


class PlasticSynapses:
    """The synapses of one plastic table.

    The variables of a synapse lie side by side, so that an event touches one line of memory, whether it comes from the
    source or from the target.

    Parameters
    ----------
    table : PlasticTable
        What they are, and their state at step 0.
    """

    def __init__(self, table: PlasticTable) -> None:
        program = table.program
        varying = tuple(name for name in program.constants if len(table.constants[name]) > 1)
        self._table = table
        self._rule: Any = compiled_rule(program, varying)
        self._state = _columns([table.initial[name] for name in program.state], table.n_synapses)
        self._values = (
            self._state,
            np.array([table.constants[name][0] for name in shared_constants(program, varying)], np.float64),
            _columns([table.constants[name] for name in varying], table.n_synapses),
        )
        self._n = 0
        self._under_way = _under_way(_FIRST_CAPACITY)
        self._compile()

    def expect(self, steps: NDArray[np.int32], spikes: NDArray[np.int32], first: int, last: int) -> None:
        """Take spikes ``first … last - 1``; those of the past reach what they have not reached yet."""
        if self._n + last - first > len(self._under_way[0]):
            grown = _under_way(2 * (self._n + last - first))
            for k in range(len(grown)):
                grown[k][: self._n] = self._under_way[k][: self._n]
            self._under_way = grown
        self._n = _expect(steps, spikes, first, last, self._table.row_start, self._n, *self._under_way)

    def arrive(self, step: int, inbox: NDArray[np.int32]) -> None:
        """Let the spikes that are due in ``step`` arrive; integrate rules that compute every step."""
        if self._n:
            self._arrive(step, self._n, inbox)
        if self._table.program.every_step:
            self._rule.integrate(*self._values)

    def spike(self, step: int, spikes: NDArray[np.int32], first: int, last: int) -> None:
        """Let target neurons and modulators act that spiked in the step before ``step``."""
        table = self._table
        if table.program.on_post:
            self._rule.spike(step, spikes, first, last, table.column_start, table.column, *self._values)
        if (m := table.modulation) is not None:
            self._rule.modulate(step, spikes, first, last, m.start, m.stop, m.row_start, m.synapse, *self._values)

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Return a copy of all variables, under their names in a state."""
        return {name: self._state[:, k].copy() for k, name in enumerate(self._names())}

    def restore(self, variables: Mapping[str, NDArray[np.float64]]) -> None:
        """Take all variables from a state; no spike is under way then."""
        for k, name in enumerate(self._names()):
            self._state[:, k] = variables[name]
        self._n = 0

    def _names(self) -> list[str]:
        return [f"synapses/{self._table.name}/{name}" for name in self._table.program.state]

    def _arrive(self, step: int, n: int, inbox: NDArray[np.int32]) -> None:
        table = self._table
        self._n = self._rule.arrive(
            step,
            n,
            *self._under_way,
            table.row_start,
            table.post,
            table.delay,
            1.0 / table.quantum,
            float(table.limit),
            inbox,
            *self._values,
        )

    def _compile(self) -> None:
        """Compile what is not in the cache, now rather than in the first steps."""
        none = np.empty(0, np.int32)
        self.expect(none, none, 0, 0)
        self._arrive(0, 0, none)
        self.spike(0, none, 0, 0)


def _columns(values: list[NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    columns = np.empty((n, len(values)))
    for k, column in enumerate(values):
        columns[:, k] = column
    return columns


def _under_way(capacity: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return room for spikes under way: step, source, and the next of its synapses to reach."""
    return np.empty(capacity, np.int32), np.empty(capacity, np.int32), np.empty(capacity, np.int64)


@numba.njit(cache=True)
def _expect(steps, spikes, first, last, row_start, n, to_steps, to_sources, to_cursors):  # type: ignore[no-untyped-def]
    for s in range(first, last):
        source = spikes[s]
        if row_start[source] < row_start[source + 1]:
            to_steps[n], to_sources[n], to_cursors[n] = steps[s], source, row_start[source]
            n += 1
    return n
