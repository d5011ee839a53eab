"""Plastic synapses on tensors: gathered where spikes meet them, changed, and put back; as `engines.plasticity`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.torch.functions import functions
from twinbrain.engines.torch.render import check_functions
from twinbrain.models.algebra import Statement, on_arrays
from twinbrain.models.between_events import ELAPSED
from twinbrain.models.rule import LAST_UPDATE, MODULATOR_SPIKES, RELEASE
from twinbrain.network.plastic_table import Modulation, PlasticTable


class PlasticSynapses:
    """The plastic synapses of one receptor and rule, of networks side by side; they lie one network after the other.

    Parameters
    ----------
    tables : tuple of PlasticTable
        One of each network.
    n_neurons, n_inlets : int
        Neurons and places of each network.
    device : torch.device
        Where to compute.
    dtype : torch.dtype
        Of the variables.
    """

    def __init__(
        self,
        tables: tuple[PlasticTable, ...],
        n_neurons: int,
        n_inlets: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._first = tables[0]
        self._program = program = tables[0].program
        for statement in (*program.advance, *program.on_pre, *program.on_post, *program.on_modulator):
            check_functions(statement.expression)
        self._n_neurons, self._n_inlets, self._device, self._dtype = n_neurons, n_inlets, device, dtype
        self._starts = np.cumsum([0, *(table.n_synapses for table in tables)])
        self._rows = _Rows([table.row_start for table in tables], None, self._starts, device)
        self._columns = _Rows([t.column_start for t in tables], [t.column for t in tables], self._starts, device)
        post = np.concatenate([table.post.astype(np.int64) + b * n_inlets for b, table in enumerate(tables)])
        self._post = torch.as_tensor(post).to(device)
        self._delay = torch.as_tensor(np.concatenate([table.delay.astype(np.int64) for table in tables])).to(device)
        self._limit = torch.tensor([float(table.limit) for table in tables], dtype=torch.float64).to(device)
        self._state = {name: self._tensor(name, [t.initial[name] for t in tables]) for name in program.state}
        self._constants = {
            name: self._constant([table.constants[name] for table in tables]) for name in program.constants
        }
        self._modulators = _Modulators([t.modulation for t in tables], n_neurons, self._starts, device)
        self._due: dict[int, list[Tensor]] = {}
        self._repeated: set[int] = set()

    def expect(self, step: Tensor | int, batch: Tensor, neuron: Tensor, now: int) -> None:
        """Take spikes whose synapses they reach in step ``now`` or later; see `Synapses.deliver`."""
        synapse, spike = self._rows.of(batch * self._n_neurons + neuron)
        if not len(synapse):
            return
        due = self._delay[synapse] + (step[spike] if isinstance(step, Tensor) else step) + 1 - now
        if from_elsewhere := isinstance(step, Tensor):
            synapse, due = synapse[due >= 0], due[due >= 0]
        sizes = torch.bincount(due).tolist()
        for later, part in enumerate(synapse[torch.argsort(due, stable=True)].split(sizes)):
            if sizes[later]:
                self._due.setdefault(now + later, []).append(part)
                if from_elsewhere:
                    self._repeated.add(now + later)

    def arrive(self, step: int, inbox: Tensor) -> None:
        """Let the spikes that are due in ``step`` arrive; integrate rules that compute every step.

        Parameters
        ----------
        step : int
            The present step.
        inbox : Tensor of int32, shape (n_networks * n_inlets,)
            What arrives in this step.
        """
        if arriving := self._due.pop(step, None):
            places = torch.cat(arriving)
            for part in _rounds(places) if step in self._repeated else [places]:
                release = self._event(part, step, self._program.on_pre)[RELEASE]
                inbox.index_add_(0, self._post[part], self._in_quanta(release, part))
        self._repeated.discard(step)
        if self._program.every_step:
            self._event(torch.arange(int(self._starts[-1]), device=self._device), step, ())

    def spike(self, step: int, batch: Tensor, neuron: Tensor) -> None:
        """Let target neurons and modulators act that spiked in the step before ``step``."""
        row = batch * self._n_neurons + neuron
        if self._program.on_post:
            synapse, _ = self._columns.of(row)
            if len(synapse):
                self._event(synapse, step, self._program.on_post)
        if self._program.on_modulator:
            synapse, count = self._modulators.reached(row)
            if len(synapse):
                given = {MODULATOR_SPIKES: count.to(self._dtype)}
                self._event(synapse, step, self._program.on_modulator, given)

    def state(self, member: int) -> dict[str, np.ndarray]:
        """Return a copy of all variables of one network, under their names in a state, in float64."""
        own = slice(int(self._starts[member]), int(self._starts[member + 1]))
        return {self._name(n): v[own].cpu().to(torch.float64).numpy().copy() for n, v in self._state.items()}

    def restore(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Take all variables from a state of each network; no spike is under way then."""
        self._state = {name: self._tensor(name, [s[self._name(name)] for s in states]) for name in self._state}
        self._due, self._repeated = {}, set()

    def _name(self, variable: str) -> str:
        return f"synapses/{self._first.name}/{variable}"

    def _tensor(self, name: str, values: list[np.ndarray]) -> Tensor:
        # Steps are whole numbers, which float32 would round.
        dtype = torch.float64 if name == LAST_UPDATE else self._dtype
        return torch.as_tensor(np.concatenate(values)).to(self._device, dtype)

    def _constant(self, values: list[np.ndarray]) -> Tensor:
        if all(len(v) == 1 and v[0] == values[0][0] for v in values):
            return torch.as_tensor(values[0]).to(self._device, self._dtype)
        sizes = np.diff(self._starts)
        return self._tensor("", [np.broadcast_to(v, n) for v, n in zip(values, sizes, strict=True)])

    def _event(
        self, places: Tensor, step: int, statements: tuple[Statement, ...], given: Mapping[str, Tensor] | None = None
    ) -> dict[str, Any]:
        """Bring synapses, each named once, to ``step`` and carry out statements; without any, compute one step."""
        names: dict[str, Any] = {name: values[places] for name, values in self._state.items()}
        names |= {name: value[places] if len(value) > 1 else value for name, value in self._constants.items()}
        names |= given or {}
        if LAST_UPDATE in self._program.state:
            names[ELAPSED] = (step - names[LAST_UPDATE]).to(self._dtype)
            names[LAST_UPDATE] = float(step)
        code = statements if self._program.every_step and statements else (*self._program.advance, *statements)
        exec(_compiled(code), {"__builtins__": {}, **functions(self._dtype)}, names)
        changed = {statement.target for statement in code} | {LAST_UPDATE}
        for name in changed & set(self._state):
            values = self._state[name]
            values[places] = torch.as_tensor(names[name], dtype=values.dtype, device=values.device)
        return names

    def _in_quanta(self, release: Tensor, places: Tensor) -> Tensor:
        limit = self._limit[self._post[places] // self._n_inlets]
        scaled = torch.round(release.to(torch.float64) / self._first.quantum).nan_to_num(0.0, torch.inf, -torch.inf)
        return torch.minimum(torch.maximum(scaled, -limit), limit).to(torch.int32)


class _Rows:
    """Synapses by neuron, of networks side by side: row ``network * n_neurons + neuron``."""

    def __init__(
        self, row_starts: list[np.ndarray], synapses: list[np.ndarray] | None, starts: np.ndarray, device: torch.device
    ) -> None:
        self._start = torch.as_tensor(
            np.concatenate([r[:-1] + first for r, first in zip(row_starts, starts, strict=False)])
        ).to(device)
        self._length = torch.as_tensor(np.concatenate([np.diff(r) for r in row_starts])).to(device)
        self._synapse: Tensor | None = None
        if synapses is not None:
            joined = [s.astype(np.int64) + first for s, first in zip(synapses, starts, strict=False)]
            self._synapse = torch.as_tensor(np.concatenate(joined)).to(device)

    def of(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """Return the synapses of rows, and for each the index of its row among them."""
        length = self._length[row]
        index = torch.repeat_interleave(length)
        place = torch.arange(len(index), device=index.device) + (self._start[row] - (length.cumsum(0) - length))[index]
        return (place if self._synapse is None else self._synapse[place]), index


class _Modulators:
    """Which neurons modulate which synapses."""

    def __init__(
        self, modulations: list[Modulation | None], n_neurons: int, starts: np.ndarray, device: torch.device
    ) -> None:
        group_of = np.full(n_neurons * len(modulations), -1, np.int64)
        row_starts, synapses, n_groups, offset = [], [], 0, []
        for b, (m, first) in enumerate(zip(modulations, starts, strict=False)):
            if m is None:
                continue
            for start, stop in zip(m.start, m.stop, strict=True):
                group_of[b * n_neurons + start : b * n_neurons + stop] = n_groups
                n_groups += 1
            row_starts.append(m.row_start)
            synapses.append(m.synapse.astype(np.int64) + first)
            offset.append(sum(len(s) for s in synapses[:-1]))
        self._group_of = torch.as_tensor(group_of).to(device)
        self._n_groups = n_groups
        if n_groups:
            none = np.zeros(len(row_starts), np.int64)
            joined = [np.concatenate(synapses)]
            rows = [r + first for r, first in zip(row_starts, offset, strict=True)]
            start = np.concatenate([r[:-1] for r in rows])
            self._rows = _Rows([np.append(start, len(joined[0]))], joined, none, device)

    def reached(self, neuron: Tensor) -> tuple[Tensor, Tensor]:
        """Return the synapses that spikes modulate, and for each how many spikes do."""
        group = self._group_of[neuron]
        count = torch.bincount(group[group >= 0], minlength=self._n_groups)
        active = count.nonzero()[:, 0]
        synapse, index = self._rows.of(active)
        return synapse, count[active][index]


def _rounds(places: Tensor) -> list[Tensor]:
    """Return places in parts that name each once."""
    ordered = places.sort().values
    number = torch.arange(len(ordered), device=ordered.device)
    is_first = torch.ones_like(ordered, dtype=torch.bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    rank = number - torch.where(is_first, number, 0).cummax(0).values
    return [ordered[rank == k] for k in range(int(rank.max()) + 1)] if len(ordered) else []


@cache
def _compiled(statements: tuple[Statement, ...]) -> CodeType:
    text = "\n".join(f"{s.target} = {on_arrays(s.expression)}" for s in statements)
    return compile(text, "<rule>", "exec")
