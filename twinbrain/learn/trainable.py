"""What of a network is trained, and what shares a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.lower import Lowered
from twinbrain.learn.weights import Group
from twinbrain.network.network import PopulationSlice, SynapseTable
from twinbrain.spec.labels import first_patterns, matching
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
    names = [_name_of(population) for population in network.populations if _is_own(population)]
    for name, unit in program.parameters.items():
        if name == refractory:
            continue
        rules = _rules(trainable, name, program.parameters)
        first = first_patterns(rules, names, labels_of(lowered))
        group = np.full(network.blocks[block].size, -1)
        count = 0
        numbers: dict[object, int] = {}
        for i, population in enumerate(network.populations):
            if name not in having.get(i, ()) or not _is_own(population) or _name_of(population) not in first:
                continue
            share = rules[first[_name_of(population)]]
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


def labels_of(lowered: Lowered) -> list[str]:
    """Return the labels of the network's regions, which names of populations and projections begin with."""
    return list(dict.fromkeys(population.label for population in lowered.network.populations))


def _name_of(population: PopulationSlice) -> str:
    return f"{population.label}.{population.population}"


def _is_own(population: PopulationSlice) -> bool:
    """Return whether a population is one of the network that is trained, and not its input or its readout."""
    return population.population not in ("input", "readout")


def _rules(trainable: Trainable, name: str, units: dict[str, str]) -> dict[str, str]:
    """Return the shares by patterns of populations, for a parameter; its own come before those of its kind."""
    own = trainable.values.get(name, {})
    kinds = [
        trainable.values[kind] for kind, fits in KINDS.items() if kind in trainable.values and fits(name, units[name])
    ]
    rules: dict[str, str] = {}
    for found in (own, *kinds):
        for pattern, share in found.items():
            rules.setdefault(pattern, share)
    return rules


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
    labels = labels_of(lowered)
    _check_chosen("weight", trainable.weight, projections, projections, labels, "projection that has synapses")
    for pattern in trainable.delay:
        _check_chosen("delay", (pattern,), projections, projections, labels, "projection that has synapses")
    names = [_name_of(population) for population in lowered.network.populations if _is_own(population)]
    for name, patterns in trainable.values.items():
        fits = KINDS.get(name, lambda other, unit, name=name: other == name)
        having = [
            _name_of(population)
            for population in lowered.network.populations
            if _is_own(population)
            and any(
                fits(*parameter)
                for parameter in lowered.parameters_of(population).items()
                if parameter[0] != lowered.layout.blocks[population.block].model.refractory
            )
        ]
        _check_chosen(name, patterns, having, names, labels, "population that has such a parameter")


def _check_chosen(
    what: str,
    patterns: Iterable[str],
    fitting: Sequence[str],
    names: Sequence[str],
    labels: Sequence[str],
    kind: str,
) -> None:
    """Check that each pattern, among all names, chooses one of those that are fitting."""
    patterns, fitting = list(patterns), list(dict.fromkeys(fitting))
    first = first_patterns(patterns, names, labels)
    chosen = {first.get(name) for name in fitting}
    for pattern in patterns:
        if pattern in chosen:
            continue
        if {*matching(pattern, names, labels)} & {*fitting}:
            raise LearnError(
                f"trainable.{what}: expected a pattern that chooses something, found {pattern!r}, all of which an "
                "earlier pattern fits; put it first, or leave it out"
            )
        raise LearnError(
            f"trainable.{what}: expected a pattern that fits a {kind}, found {pattern!r}; "
            f"{suggestion(pattern, fitting)}"
        )


def projection_names(lowered: Lowered, table: SynapseTable, pairs: list[tuple[int, int]]) -> list[str]:
    """Return what the projections of a table, pairs of populations, are called in patterns."""
    populations = lowered.network.populations
    alone = len({p.label for p in populations}) == 1
    ends = [p.population if alone else _name_of(p) for p in populations]
    return [f"{ends[source]}->{ends[target]}:{table.receptor}" for source, target in pairs]


def table_groups(
    shares: Mapping[str, str], dale: bool, lowered: Lowered, table: SynapseTable, pairs: list[tuple[int, int]]
) -> tuple[list[Group], NDArray[np.int64]]:
    """Return the groups of a table, and for each the number of its pair of regions.

    ``shares`` are those of `Trainable.shares_of_weights`.
    """
    populations = lowered.network.populations
    labels = {label: i for i, label in enumerate(labels_of(lowered))}
    groups, regions = [], []
    for name, (source, target) in zip(projection_names(lowered, table, pairs), pairs, strict=True):
        free = not dale or (
            (lowered.units[table.receptor] in _SIGNED and populations[source].population == "input")
            or populations[target].population == "readout"
        )
        groups.append(Group(source, target, name, shares.get(name), free))
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
