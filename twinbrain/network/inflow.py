"""What each node receives through the connectome: how many synapses, how strong, in place of how much drive.

A region's drives stand for all that reaches it from outside. Once other regions are there, a part of that comes through
the connectome, and would count twice. Under a rule with a ``share``, the drives of a region give way: of what they add
to excitatory conductances or currents on average, that share now comes from other regions at their expected rates, and
the weight of its long-range synapses is what makes it so. The region keeps its working point, and hears the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinbrain import units as units_
from twinbrain.errors import Problem, SpecError, UnitError
from twinbrain.network.layout import Layout
from twinbrain.network.random import Floats
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.region import Region


@dataclass(frozen=True, eq=False)
class Axons:
    """The neurons whose axons leave their regions, node by node."""

    neuron: NDArray[np.int32]
    inhibitory: NDArray[np.bool_]
    start: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.int64]:
        """How many there are in each node."""
        return np.diff(self.start)

    def releasing(self, *, inhibitory: bool) -> Floats:
        """Return the part of each node's axons that release GABA, or glutamate; 0 where none leave."""
        n_nodes = len(self.start) - 1
        node = np.repeat(np.arange(n_nodes), self.count)
        n = np.bincount(node[self.inhibitory == inhibitory], minlength=n_nodes)
        return np.asarray(n / np.maximum(self.count, 1))


def long_range_axons(layout: Layout) -> Axons:
    """Return the neurons whose axons leave."""
    neurons, inhibitory, start = [], [], [0]
    for label, region in zip(layout.connectome.labels, layout.regions, strict=True):
        outputs = [layout.find(label, name) for name in region.ports.outputs]
        neurons += [np.arange(p.start, p.stop, dtype=np.int32) for p in outputs]
        inhibitory += [np.full(p.size, p.transmitter == "gaba") for p in outputs]
        start.append(start[-1] + sum(p.size for p in outputs))
    return Axons(
        np.concatenate([np.empty(0, np.int32), *neurons]),
        np.concatenate([np.empty(0, np.bool_), *inhibitory]),
        np.array(start),
    )


@dataclass(frozen=True, eq=False)
class Inflow:
    """What reaches one node.

    Parameters
    ----------
    row : ndarray of float64, shape (node,)
        Its row of the connectome; 0 for itself, and for nodes without axons that leave.
    in_degree : dict of str to int
        Long-range synapses of a neuron of each population that receives.
    weight : str or float
        Weight of a synapse whose axon releases glutamate.
    share : float
        Share of the region's excitatory drive that is expected through the connectome at coupling 1; NaN where the
        region says no expected rates of those that reach it.
    replaced : dict of str to float
        For each population, the part of its own excitatory drives that gives way.
    """

    row: Floats
    in_degree: dict[str, int]
    weight: str | float
    share: float
    replaced: dict[str, float] = field(default_factory=dict)


def rows(layout: Layout, axons: Axons) -> Floats:
    """Return the weights of the connectome between different nodes, from those whose axons leave; (target, source)."""
    weight = np.where(axons.count > 0, layout.connectome.weight.values, 0.0)
    np.fill_diagonal(weight, 0.0)
    return weight


def relative_strength(row: Floats) -> Floats:
    """Return the sum of each row, as a multiple of the mean over rows that are not empty."""
    strength = row.sum(axis=1)
    return np.asarray(strength / strength[strength > 0].mean()) if strength.any() else strength


def in_degrees(layout: Layout, node: int, mean: float) -> dict[str, int]:
    """Return the number of long-range synapses of a neuron of each input population of a node."""
    label, region = layout.connectome.labels[node], layout.regions[node]
    sizes = {name: layout.find(label, name).size for name in region.ports.inputs}
    total = mean * sum(sizes.values())
    shares = sum(port.share for port in region.ports.inputs.values())
    return {name: round(total * port.share / shares / sizes[name]) for name, port in region.ports.inputs.items()}


def degrees_of_nodes(rule: LongRange, layout: Layout) -> list[dict[str, int]]:
    """Return the `in_degrees` of every node; a node that nothing reaches has them too, and no synapses."""
    if not rule.proportional:
        return [in_degrees(layout, node, rule.in_degree) for node in range(len(layout.regions))]
    relative = relative_strength(rows(layout, long_range_axons(layout)))
    return [in_degrees(layout, node, float(times) * rule.in_degree) for node, times in enumerate(relative)]


def inflows(brain: Brain, layout: Layout, units: dict[str, str]) -> tuple[Inflow, ...]:
    """Return what reaches each node of a brain by its long-range rule; nothing if it has none.

    Parameters
    ----------
    brain, layout
        The whole brain.
    units : dict of str to str
        Unit of each receptor's weights.

    Raises
    ------
    SpecError
        If a share is asked for where it cannot be reckoned, or is more than a population's own drive.
    """
    rule = brain.long_range
    if rule is None:
        return ()
    matrix = rows(layout, long_range_axons(layout))
    relative = relative_strength(matrix) if rule.proportional else np.ones(len(matrix))
    rates = np.array([_events_an_axon(region) for region in layout.regions])
    found: list[Inflow] = []
    problems: list[Problem] = []
    for node, degree in enumerate(degrees_of_nodes(rule, layout)):
        row, region = matrix[node], layout.regions[node]
        reaches = row > 0
        events = float(row[reaches] @ rates[reaches] / row.sum()) if reaches.any() else 0.0
        try:
            found.append(_inflow(rule, float(relative[node]), region, row, degree, events, units))
        except SpecError as error:
            problems += error.within(f"brain.long_range.share, {layout.connectome.labels[node]}").problems
    if problems:
        raise SpecError(problems)
    return tuple(found)


def _inflow(
    rule: LongRange,
    relative: float,
    region: Region,
    row: Floats,
    degree: dict[str, int],
    events: float,
    units: dict[str, str],
) -> Inflow:
    """Return what reaches a node whose synapses see so many excitatory events a second each."""
    sizes = {name: region.populations[name].size for name in degree}
    own = {name: sum(size for _, size in excitatory_drives(region, name, units)) for name in degree}
    # What reaches a neuron, for each unit of the weight.
    arriving = {name: degree[name] * events * sum(region.ports.inputs[name].glutamate.values()) for name in degree}
    total_own = sum(sizes[name] * own[name] for name in degree)
    total_arriving = sum(sizes[name] * arriving[name] for name in degree)
    unit = _unit(region, units)
    if rule.share is None:
        assert rule.weight is not None
        through = total_arriving * _size(rule.weight, unit)
        total = through + total_own
        return Inflow(row, degree, rule.weight, through / total if total else 0.0)
    if np.isnan(events):
        raise SpecError(
            "expected rates of all regions that reach it, found none; add [expected] there, or give a weight"
        )
    if not total_arriving:
        return Inflow(row, degree, f"0 {unit}", 0.0)
    if not total_own:
        raise SpecError(
            f"region {region.name}: expected excitatory drives of its own that give way, found none; give a weight"
        )
    share = rule.share * relative
    weight = share * total_own / total_arriving
    replaced = {name: weight * arriving[name] / own[name] if own[name] else 0.0 for name in degree}
    name = max(replaced, key=lambda name: replaced[name])
    if replaced[name] > 1:
        raise SpecError(
            f"region {region.name}: expected no more than the drive that population {name!r} has, found "
            f"{replaced[name]:.2f} times that; lower it to {rule.share / replaced[name]:.2g}, "
            "or its share in ports.inputs"
        )
    return Inflow(row, degree, f"{weight!r} {unit}", share, replaced)


def excitatory_drives(region: Region, population: str, units: dict[str, str]) -> Iterator[tuple[int, float]]:
    """Yield the drives of a population through receptors that glutamate of other regions reaches.

    Yields
    ------
    tuple of int and float
        Which of the region's drives, and its events a second times their weight, in Hz and the coherent unit.
    """
    receptors = region.ports.inputs[population].glutamate
    for i, drive in enumerate(region.drives):
        if drive.population == population and drive.receptor in receptors and drive.rate is not None:
            assert drive.weight is not None
            if np.isfinite(size := _size(drive.weight, units[drive.receptor])):
                yield i, drive.rate * size


def given_way(region: Region, inflow: Inflow, units: dict[str, str]) -> Floats:
    """Return the part of the rate of each of a region's drives that the connectome replaces; shape (drive,)."""
    part = np.zeros(len(region.drives))
    for name, replaced in inflow.replaced.items():
        part[[i for i, _ in excitatory_drives(region, name, units)]] = replaced
    return part


def _events_an_axon(region: Region) -> float:
    """Return how often an axon that leaves is expected to release glutamate, in Hz; NaN where that is not declared."""
    total, n = 0.0, 0
    for name in region.ports.outputs:
        population = region.populations[name]
        n += population.size
        if population.transmitter == "gaba":
            continue
        expected = region.expected.get(name)
        total += population.size * ((expected.low + expected.high) / 2 if expected else np.nan)
    return total / n if n else 0.0


def _unit(region: Region, units: dict[str, str]) -> str:
    """Return the unit of the weights that glutamate of other regions has here."""
    receptors = [receptor for port in region.ports.inputs.values() for receptor in port.glutamate]
    return next((units_.familiar(units[receptor]) for receptor in receptors if receptor in units), "nS")


def _size(weight: str | float, unit: str) -> float:
    try:
        return abs(units_.coherent(weight, unit))
    except UnitError:  # told with its place where weights are lowered
        return np.nan
