"""What each node receives through the connectome: how many synapses, how strong, in place of how much drive.

A region's drives stand for all that reaches it from outside. Once other regions are there, a part of that comes through
the connectome, and would count twice. Under a rule with a ``share``, the drives of a region give way: of what they add
to excitatory conductances or currents on average, that share now comes from other regions at their expected rates, and
the weight of its long-range synapses is what makes it so. The region keeps its working point, and hears the others.

What a lesion took out (`Region.lost`) is reckoned with as if it were there: numbers, weights and what gives way are
those of the whole, and the synapses of what is gone are missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from twinbrain import units as units_
from twinbrain.errors import Problem, SpecError, UnitError
from twinbrain.network.axons import long_range_axons, rows
from twinbrain.network.layout import Layout
from twinbrain.network.random import Floats
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.drive import Drive
from twinbrain.spec.lost import inputs_with_lost, outputs_with_lost
from twinbrain.spec.region import Region


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


def relative_strength(row: Floats) -> Floats:
    """Return the sum of each row, as a multiple of the mean over rows that are not empty."""
    strength = row.sum(axis=1)
    return np.asarray(strength / strength[strength > 0].mean()) if strength.any() else strength


def in_degrees(layout: Layout, node: int, mean: float) -> dict[str, int]:
    """Return the number of long-range synapses of a neuron of each input population of a node, with those gone."""
    inputs = inputs_with_lost(layout.regions[node])
    total = mean * sum(size for _, size in inputs.values())
    shares = math.fsum(port.share for port, _ in inputs.values())  # the same in any order
    return {name: round(total * port.share / shares / size) for name, (port, size) in inputs.items()}


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
    whole, left = (
        np.array([_events_an_axon(region, with_lost=with_lost) for region in layout.regions])
        for with_lost in (True, False)
    )
    found: list[Inflow] = []
    problems: list[Problem] = []
    for node, degree in enumerate(degrees_of_nodes(rule, layout)):
        row, region = matrix[node], layout.regions[node]
        events = _seen(row, whole), _seen(row, left)
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
    events: tuple[float, float],
    units: dict[str, str],
) -> Inflow:
    """Return what reaches a node whose synapses see so many excitatory events a second each, before lesions and now."""
    inputs, unit = inputs_with_lost(region), _unit(region, units)
    there = {name: degree[name] for name in region.ports.inputs}
    own = {name: _own_drive(region, name, units) for name in inputs}
    # What reaches a neuron, for each unit of the weight.
    arriving = {name: degree[name] * events[0] * sum(port.glutamate.values()) for name, (port, _) in inputs.items()}

    def total(values: dict[str, float], names: Iterable[str]) -> float:
        return math.fsum(inputs[name][1] * values[name] for name in names)  # the same in any order

    def share_now(weight: float, replaced: dict[str, float]) -> float:
        now = {name: degree[name] * events[1] * sum(inputs[name][0].glutamate.values()) for name in there}
        through = total(now, there) * weight
        left = {name: own[name] * (1 - replaced.get(name, 0.0)) for name in there}
        return through / both if (both := through + total(left, there)) else 0.0

    total_own, total_arriving = total(own, inputs), total(arriving, inputs)
    if rule.share is None:
        assert rule.weight is not None
        return Inflow(row, there, rule.weight, share_now(_size(rule.weight, unit), {}))
    if np.isnan(events[0]):
        raise SpecError(
            "expected rates of all regions that reach it, found none; add [expected] there, or give a weight"
        )
    if not total_arriving or not there:
        return Inflow(row, there, f"0 {unit}", 0.0)
    if not total_own:
        raise SpecError(
            f"region {region.name}: expected excitatory drives of its own that give way, found none; give a weight"
        )
    share = rule.share * relative
    weight = share * total_own / total_arriving
    replaced = {name: weight * arriving[name] / own[name] if own[name] else 0.0 for name in there}
    name = max(replaced, key=lambda name: replaced[name])
    if replaced[name] > 1:
        raise SpecError(
            f"region {region.name}: expected no more than the drive that population {name!r} has, found "
            f"{replaced[name]:.2f} times that; lower it to {rule.share / replaced[name]:.2g}, "
            "or its share in ports.inputs"
        )
    whole = events[0] == events[1] and len(there) == len(inputs)
    return Inflow(row, there, f"{weight!r} {unit}", share if whole else share_now(weight, replaced), replaced)


def excitatory_drives(region: Region, population: str, units: dict[str, str]) -> Iterator[tuple[int, float]]:
    """Yield the drives of a population through receptors that glutamate of other regions reaches.

    Yields
    ------
    tuple of int and float
        Which of the region's drives, and its events a second times their weight, in Hz and the coherent unit.
    """
    receptors = region.ports.inputs[population].glutamate
    for i, drive in enumerate(region.drives):
        excites = drive.population == population and drive.receptor in receptors and drive.rate is not None
        if excites and np.isfinite(added := _added(drive, units[drive.receptor])):
            yield i, added


def _own_drive(region: Region, population: str, units: dict[str, str]) -> float:
    """Return what the drives of a population that give way add, also where a lesion took it out."""
    if population not in region.lost:
        return sum(added for _, added in excitatory_drives(region, population, units))
    unit = _unit(region, units)  # where nothing that is left has its receptor
    every = (_added(drive, units.get(drive.receptor, unit)) for drive in region.lost[population].drives)
    return sum(added for added in every if np.isfinite(added))


def given_way(region: Region, inflow: Inflow, units: dict[str, str]) -> Floats:
    """Return the part of the rate of each of a region's drives that the connectome replaces; shape (drive,)."""
    part = np.zeros(len(region.drives))
    for name, replaced in inflow.replaced.items():
        part[[i for i, _ in excitatory_drives(region, name, units)]] = replaced
    return part


def _seen(row: Floats, rates: Floats) -> float:
    """Return the mean over what a row says of sources, weighted by it."""
    reaches = row > 0
    return float(row[reaches] @ rates[reaches] / row.sum()) if reaches.any() else 0.0


def _events_an_axon(region: Region, *, with_lost: bool) -> float:
    """Return how often an axon that leaves is expected to release glutamate, in Hz; NaN where that is not declared.

    Without those that a lesion took out, it is still the mean over all axons, of which some are silent.
    """
    total, n = 0.0, 0
    for name in outputs_with_lost(region):
        population = region.lost.get(name) or region.populations[name]
        n += population.size
        if population.transmitter == "gaba" or (name in region.lost and not with_lost):
            continue
        rate = region.lost[name].rate if name in region.lost else _expected_rate(region, name)
        total += population.size * (np.nan if rate is None else rate)
    return total / n if n else 0.0


def _expected_rate(region: Region, population: str) -> float | None:
    expected = region.expected.get(population)
    return expected.middle if expected else None


def _unit(region: Region, units: dict[str, str]) -> str:
    """Return the unit of the weights that glutamate of other regions has here."""
    receptors = [receptor for port in region.ports.inputs.values() for receptor in port.glutamate]
    return next((units_.familiar(units[receptor]) for receptor in receptors if receptor in units), "nS")


def _added(drive: Drive, unit: str) -> float:
    assert drive.rate is not None
    assert drive.weight is not None
    return drive.rate * _size(drive.weight, unit)


def _size(weight: str | float, unit: str) -> float:
    try:
        return abs(units_.coherent(weight, unit))
    except UnitError:  # told with its place where weights are lowered
        return np.nan
