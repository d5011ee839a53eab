"""What of a network is trained, and what shares a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.lower import Lowered
from twinbrain.learn.weights import Group
from twinbrain.network.network import SynapseTable
from twinbrain.spec.labels import matching
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.training import Trainable

# Receptors through which a weight may act in either direction.
_SIGNED = ("pA", "mV")
_POTENTIAL_SCALE = 10.0  # mV; what a change of 1 means where a cell has no distance from rest to threshold

KINDS = {
    "time_constant": lambda name, unit: unit == "ms" or name == "C_m",
    "threshold": lambda name, unit: name in ("V_th", "V_T", "theta_inf"),
    "adaptation": lambda name, unit: name in ("a", "b", "beta", "tau_w", "tau_a", "delta_theta_s", "b_s", "a_v", "b_v"),
}
"""Kinds of parameters, each as a condition on name and unit."""


def neuron_groups(trainable: Trainable, lowered: Lowered, block: int) -> Iterator[tuple[str, NDArray[np.int64], float]]:
    """Yield the trained parameters of a block: name, the group of each neuron (-1: not trained), and their scale.

    Raises
    ------
    LearnError
        If no neuron of the network has a parameter of that name, or it has no gradient.
    """
    network = lowered.network
    program = network.blocks[block].program
    refractory = lowered.layout.blocks[block].model.refractory
    having = {i: lowered.parameters_of(p) for i, p in enumerate(network.populations) if p.block == block}
    known = {name for own in lowered.programs for name in own.parameters} - {refractory}
    if refractory in trainable.values:
        raise LearnError(
            f"trainable.{refractory}: expected a parameter that has a gradient, found the refractory period, which "
            "counts in whole steps; leave it out"
        )
    for name, unit in program.parameters.items():
        if name == refractory:
            continue
        rules = _rules(trainable, name, program.parameters)
        group = np.full(network.blocks[block].size, -1)
        count = 0
        numbers: dict[object, int] = {}
        for i, population in enumerate(network.populations):
            if name not in having.get(i, ()) or population.population in ("input", "readout"):
                continue
            share = next((s for p, s in rules if matching(p, [f"{population.label}.{population.population}"])), None)
            if share is None:
                continue
            here = slice(population.offset, population.offset + population.size)
            if share == "neuron":
                group[here] = np.arange(count, count + population.size)
                count += population.size
            else:
                key = i if share == "population" else population.label
                if key not in numbers:
                    numbers[key] = count
                    count += 1
                group[here] = numbers[key]
        if count:
            yield name, group, _scale(lowered, block, name, unit)
    for name in trainable.values:
        if name not in known and name not in KINDS:
            raise LearnError(
                f"trainable.{name}: expected 'weight' or a parameter of the network's cells, found {name!r}; "
                f"{suggestion(name, [*KINDS, *sorted(known)])}"
            )


def _rules(trainable: Trainable, name: str, units: dict[str, str]) -> list[tuple[str, str]]:
    """Return the patterns of populations, and their shares, for a parameter; its own come before those of its kind."""
    own = trainable.values.get(name, {})
    kinds = [
        trainable.values[kind] for kind, fits in KINDS.items() if kind in trainable.values and fits(name, units[name])
    ]
    return [*own.items(), *(rule for kind in kinds for rule in kind.items())]


def check_patterns(trainable: Trainable, lowered: Lowered, projections: Sequence[str]) -> None:
    """Refuse patterns that choose nothing.

    Parameters
    ----------
    trainable : Trainable
        The patterns.
    lowered : Lowered
        The network.
    projections : sequence of str
        Names of its projections, as in `table_groups`.

    Raises
    ------
    LearnError
        If a pattern fits no projection or population that could be trained, or only those that one before it fits.
    """
    _check_chosen("weight", trainable.weight, projections, "projection that has synapses")
    for pattern in trainable.delay:
        _check_chosen("delay", (pattern,), projections, "projection that has synapses")
    for name, patterns in trainable.values.items():
        fits = KINDS.get(name, lambda other, unit, name=name: other == name)
        having = [
            f"{population.label}.{population.population}"
            for population in lowered.network.populations
            if population.population not in ("input", "readout")
            and any(
                fits(*parameter)
                for parameter in lowered.parameters_of(population).items()
                if parameter[0] != lowered.layout.blocks[population.block].model.refractory
            )
        ]
        _check_chosen(name, patterns, having, "population that has such a parameter")


def _check_chosen(what: str, patterns: Iterable[str], names: Sequence[str], kind: str) -> None:
    patterns, names = list(patterns), list(dict.fromkeys(names))
    chosen = {next((pattern for pattern in patterns if matching(pattern, [name])), None) for name in names}
    for pattern in patterns:
        if pattern in chosen:
            continue
        if any(matching(pattern, [name]) for name in names):
            raise LearnError(
                f"trainable.{what}: expected a pattern that chooses something, found {pattern!r}, all of which an "
                "earlier pattern fits; put it first, or leave it out"
            )
        raise LearnError(
            f"trainable.{what}: expected a pattern that fits a {kind}, found {pattern!r}; {suggestion(pattern, names)}"
        )


def table_groups(
    trainable: Trainable, lowered: Lowered, table: SynapseTable, pairs: list[tuple[int, int]]
) -> tuple[list[Group], NDArray[np.int64]]:
    """Return the groups of a table, and for each the number of its pair of regions."""
    populations = lowered.network.populations
    alone = len({p.label for p in populations}) == 1
    labels = {label: i for i, label in enumerate(dict.fromkeys(p.label for p in populations))}
    groups, regions = [], []
    for source, target in pairs:
        names = [
            p.population if alone else f"{p.label}.{p.population}" for p in (populations[source], populations[target])
        ]
        name = f"{names[0]}->{names[1]}:{table.receptor}"
        free = not trainable.dale or (
            (lowered.units[table.receptor] in _SIGNED and populations[source].population == "input")
            or populations[target].population == "readout"
        )
        groups.append(Group(source, target, name, trainable.share_of_weights(name), free))
        regions.append(labels[populations[source].label] * len(labels) + labels[populations[target].label])
    return groups, np.array(regions, np.int64)


def _scale(lowered: Lowered, block: int, name: str, unit: str) -> float:
    values = lowered.parameters[block]
    if unit == "mV":
        threshold = next((values[n] for n in ("V_th", "V_T", "theta_inf") if n in values), None)
        if threshold is not None and "E_L" in values:
            distance = float(np.abs(threshold - values["E_L"]).mean())
            return distance if 0 < distance < 100 else _POTENTIAL_SCALE
        return _POTENTIAL_SCALE
    return float(np.abs(values[name]).mean()) or 1.0
