"""Plastic synapses in plain numpy: the oracle of what other engines compute.

Within a step, spikes arrive at the start, before the neurons are integrated; target neurons and modulators act at the
end. A spike that arrives in step n meets a synapse as it is after everything of step n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.base import Spikes
from twinbrain.engines.interpreter import execute
from twinbrain.models.algebra import Statement
from twinbrain.models.between_events import ELAPSED
from twinbrain.models.rule import LAST_UPDATE, MODULATOR_SPIKES, RELEASE, RELEASED
from twinbrain.network.plastic_table import PlasticTable

Places = NDArray[np.int64]


class PlasticSynapses:
    """The synapses of one plastic table.

    Parameters
    ----------
    table : PlasticTable
        What they are, and their state at step 0.
    """

    def __init__(self, table: PlasticTable) -> None:
        self._table = table
        self._state = {name: values.copy() for name, values in table.initial.items()}
        self._due: dict[int, list[Places]] = {}

    def expect(self, spikes: Spikes, now: int) -> None:
        """Take spikes whose synapses they reach in step ``now`` or later; what was due before is left out."""
        table = self._table
        for step, neuron in zip(spikes.step, spikes.neuron, strict=True):
            places = np.arange(table.row_start[neuron], table.row_start[neuron + 1])
            due = int(step) + 1 + table.delay[places].astype(np.int64)
            for arrival in np.unique(due[due >= now]):
                self._due.setdefault(int(arrival), []).append(places[due == arrival])

    def arrive(self, step: int, inbox: NDArray[np.int64]) -> None:
        """Let the spikes that are due in ``step`` arrive; integrate rules that compute every step."""
        table = self._table
        arriving = np.concatenate([np.empty(0, np.int64), *self._due.pop(step, [])])
        # Spikes from elsewhere may reach a synapse twice in a step; it then takes one after the other.
        while len(arriving):
            places, first = np.unique(arriving, return_index=True)
            names = self._event(places, step, table.program.on_pre)
            np.add.at(inbox, table.post[places], in_quanta(names[RELEASE], table))
            arriving = np.delete(arriving, first)
        if table.program.every_step:
            self._event(np.arange(table.n_synapses), step, ())

    def spike(self, step: int, neurons: NDArray[np.int32]) -> None:
        """Let target neurons and modulators act that spiked in the step before ``step``."""
        table, program = self._table, self._table.program
        rows = [table.column[table.column_start[n] : table.column_start[n + 1]] for n in neurons]
        if program.on_post and (places := np.concatenate([np.empty(0, np.int32), *rows])).size:
            self._event(places.astype(np.int64), step, program.on_post)
        if (modulation := table.modulation) is None:
            return
        for group, (start, stop) in enumerate(zip(modulation.start, modulation.stop, strict=True)):
            if n_spikes := int(((neurons >= start) & (neurons < stop)).sum()):
                synapses = modulation.synapse[modulation.row_start[group] : modulation.row_start[group + 1]]
                given = {MODULATOR_SPIKES: float(n_spikes)}
                self._event(synapses.astype(np.int64), step, program.on_modulator, given)

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Return a copy of all variables, under their names in a state."""
        return {f"synapses/{self._table.name}/{name}": values.copy() for name, values in self._state.items()}

    def restore(self, variables: Mapping[str, NDArray[np.float64]]) -> None:
        """Take all variables from a state; no spike is under way then."""
        for name in self._state:
            self._state[name] = variables[f"synapses/{self._table.name}/{name}"].copy()
        self._due = {}

    def at(self, step: int) -> dict[str, NDArray[np.float64]]:
        """Return all variables as they are at ``step``, within bounds, if no spike comes before; the state stays."""
        program = self._table.program
        names: dict[str, Any] = {**self._table.constants, **self._state}
        if not program.every_step:
            names[ELAPSED] = step - names.get(LAST_UPDATE, step)
            execute(program.advance, names)
        execute(program.bounds, names)
        return {name: np.array(names[name]) for name in program.state if name not in (RELEASED, LAST_UPDATE)}

    def _event(
        self, places: Places, step: int, statements: tuple[Statement, ...], given: Mapping[str, float] | None = None
    ) -> dict[str, Any]:
        """Bring synapses, each named once, to ``step`` and carry out statements; without any, compute one step."""
        program = self._table.program
        names: dict[str, Any] = {name: values[places] for name, values in self._state.items()}
        names |= {name: values[places] if len(values) > 1 else values for name, values in self._table.constants.items()}
        names |= given or {}
        if LAST_UPDATE in program.state:
            names[ELAPSED] = step - names[LAST_UPDATE]
            names[LAST_UPDATE] = float(step)
        with np.errstate(all="ignore"):
            if not (program.every_step and statements):
                execute(program.advance, names)
            execute(statements, names)
        for name, values in self._state.items():
            values[places] = names[name]
        return names


def in_quanta(release: NDArray[np.float64], table: PlasticTable) -> NDArray[np.int64]:
    """Return what is released in whole quanta, cut off at the table's limit; nothing for what is no number."""
    scaled = np.rint(release / table.quantum)
    scaled = np.where(np.isnan(scaled), 0.0, np.clip(scaled, -table.limit, table.limit))
    return np.broadcast_to(scaled, np.shape(scaled)).astype(np.int64)
