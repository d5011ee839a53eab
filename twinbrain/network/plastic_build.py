"""Sort drawn plastic synapses into tables."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.models.rule import WEIGHT
from twinbrain.network.layout import unused_name
from twinbrain.network.plastic import PlasticSynapses
from twinbrain.network.plastic_table import Modulation, PlasticTable
from twinbrain.network.quanta import LARGEST
from twinbrain.network.random import Floats
from twinbrain.units import in_unit


def build_plastic_tables(parts: Iterable[PlasticSynapses], n_neurons: int, room: Floats) -> tuple[PlasticTable, ...]:
    """Return one table a receptor and rule, rows sorted by source and within them by delay.

    Parameters
    ----------
    parts : iterable of PlasticSynapses
        As drawn.
    n_neurons : int
        Number of neurons.
    room : ndarray of float64, shape (n_inlets,)
        What static synapses and drives leave of each place of the flat inbox, in quanta; from `check_range`.

    Raises
    ------
    SpecError
        If weights are so large that an inbox could overflow.
    """
    parts = [part for part in parts if len(part.source)]
    limit = _limit(parts, room)
    groups: dict[tuple[str, str, str], list[PlasticSynapses]] = {}
    for part in parts:
        # Rules of one name may differ between regions; their text tells them apart.
        groups.setdefault((part.receptor, part.rule, repr(part.program)), []).append(part)
    names: list[str] = []
    tables = []
    for (receptor, rule, _), members in sorted(groups.items()):
        names.append(unused_name(f"{receptor}_{rule}", names))
        tables.append(_build(names[-1], members, n_neurons, limit))
    return tuple(tables)


def _limit(parts: list[PlasticSynapses], room: Floats) -> int:
    """Return the most quanta that a spike may release, so that all of a neuron's synapses together fit its inbox."""
    in_degree: NDArray[np.int64] = np.zeros(len(room), np.int64)
    for part in parts:
        in_degree += np.bincount(part.post, minlength=len(room))
    reached = in_degree > 0
    limit = int((room[reached] / in_degree[reached]).min(initial=LARGEST))
    for part in parts:
        if part.largest / part.quantum > limit:
            unit = part.program.units[WEIGHT]
            raise SpecError(
                f"{part.where}: expected weights and w_max up to {in_unit(limit * part.quantum, unit):.3g} {unit}, "
                f"found {in_unit(part.largest, unit):.3g} {unit}: the up to {in_degree.max()} plastic synapses of a "
                "neuron could together release more in one step than an integer holds; make w_max smaller, or the "
                "receptor's weights less unequal"
            )
    return limit


def _build(name: str, parts: list[PlasticSynapses], n_neurons: int, limit: int) -> PlasticTable:
    first = parts[0]
    source = np.concatenate([part.source for part in parts])
    target = np.concatenate([part.target for part in parts])
    delay = np.concatenate([part.delay for part in parts])
    order = np.lexsort((delay, source))
    source, target, delay = source[order], target[order], delay[order]
    return PlasticTable(
        name=name,
        receptor=first.receptor,
        rule=first.rule,
        program=first.program,
        quantum=first.quantum,
        limit=limit,
        row_start=_starts(source, n_neurons),
        post=np.concatenate([part.post for part in parts])[order],
        delay=delay,
        column_start=_starts(target, n_neurons),
        column=np.argsort(target, kind="stable").astype(np.int32),
        constants={key: _shared([part.constants[key] for part in parts], parts, order) for key in first.constants},
        initial={
            key: np.broadcast_to(_shared([part.initial[key] for part in parts], parts, order), source.shape)
            for key in first.initial
        },
        modulation=_modulation(parts, order),
        largest=max(part.largest / part.quantum for part in parts),
    )


def _starts(neuron: NDArray[np.int32], n_neurons: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(neuron, minlength=n_neurons))])


def _shared(values: list[Floats], parts: list[PlasticSynapses], order: NDArray[np.int64]) -> Floats:
    """Return the values of all synapses, or the one that they share."""
    if all(len(v) == 1 and v[0] == values[0][0] for v in values):
        return values[0]
    sizes = [len(part.source) for part in parts]
    return np.concatenate([np.broadcast_to(v, size) for v, size in zip(values, sizes, strict=True)])[order]


def _modulation(parts: list[PlasticSynapses], order: NDArray[np.int64]) -> Modulation | None:
    """Return the synapses of each modulating population; all synapses of a rule have one, or none has."""
    if parts[0].modulator is None:
        return None
    modulators = sorted({(p.modulator.start, p.modulator.stop) for p in parts if p.modulator})
    numbers = {modulator: i for i, modulator in enumerate(modulators)}
    group = np.concatenate(
        [np.full(len(p.source), numbers[p.modulator.start, p.modulator.stop]) for p in parts if p.modulator]
    )[order]
    return Modulation(
        start=np.array([start for start, _ in modulators], np.int32),
        stop=np.array([stop for _, stop in modulators], np.int32),
        row_start=_starts(group, len(modulators)),
        synapse=np.argsort(group, kind="stable").astype(np.int32),
    )
