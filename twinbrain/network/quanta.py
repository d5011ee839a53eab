"""Weights as integers: sums of integers do not depend on their order.

A receptor's quantum is a power of two of its unit, small enough that rounding costs less than 1e-4 of the mean weight
of any projection, drive or rule that reaches it. Explicit weights that are multiples of a power of two not much smaller
are not rounded at all, nor are those that are whole in the quantum that their region declares: what was trained in one
quantum stays in it, however large or small its weights have become. Of a rule whose weights begin at 0 and that has no
`w_max`, rounding costs less than 1 % of its parameters in the unit of weights, by which it moves them. All follows from
the declaration alone, so every shard finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.models.library import plasticity_model
from twinbrain.models.rule import rule_program
from twinbrain.models.step import StepProgram
from twinbrain.network.given import read_samples
from twinbrain.network.inflow import inflows
from twinbrain.network.layout import Layout
from twinbrain.network.random import Floats
from twinbrain.network.ranges import CONDUCTANCE, conductance_problem, drive_problems
from twinbrain.network.sampling import coherent_values, mean_size
from twinbrain.network.thresholds import normal_thresholds
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Drive, Stimulus
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.plasticity import Plasticity
from twinbrain.spec.quantity import Value
from twinbrain.spec.region import Region

# Half a quantum is the largest rounding error; it stays below this part of the mean weight.
_PRECISION = 1e-4
LARGEST = 2**31 - 1
# How much finer a quantum may get for explicit weights to be exact; the range of an integer is used up the sooner.
_FINER = 2.0**-6
_WITHOUT_WEIGHTS = 2.0 ** math.floor(math.log2(2 * _PRECISION))
# A part of a plastic weight may be released; it is rounded as if its mean were this part.
_PART_OF_PLASTIC_WEIGHT = 0.25
# What a rule may add to weights that begin at 0 is rounded as if the mean weight were so many times as large: a weight
# is the sum of many, and a finer quantum would leave too small a range.
_WEIGHTS_IN_STEPS = 100
# Mean sizes from here to its inverse have a quantum that can be computed with.
_SMALLEST = 1e-200


def weight_units(programs: tuple[StepProgram, ...]) -> dict[str, str]:
    """Return the unit of the weights of each receptor.

    Raises
    ------
    SpecError
        If regions define a receptor with different units.
    """
    units: dict[str, str] = {}
    for program in programs:
        for receptor, jump in program.jumps.items():
            if units.setdefault(receptor, program.units[jump]) != program.units[jump]:
                raise SpecError(
                    f"receptor {receptor!r}: expected weights of one unit, found {units[receptor]} and "
                    f"{program.units[jump]} in different regions; rename one of the receptors"
                )
    return units


def receptor_quanta(
    brain: Brain, layout: Layout, stimuli: tuple[Stimulus, ...], units: dict[str, str]
) -> dict[str, float]:
    """Return the quantum of each receptor.

    Parameters
    ----------
    brain : Brain
        Its regions, and its rule for long-range synapses.
    layout : Layout
        Its nodes.
    stimuli : tuple of Stimulus
        Drives beside those of the regions.
    units : dict of str to str
        Unit of each receptor's weights.

    Returns
    -------
    dict of str to float
        In the coherent unit.

    Raises
    ------
    SpecError
        With every weight of a wrong unit, and every negative one of a conductance.
    """
    declared = _declared(layout)
    found = {receptor: quantum for receptor, quantum in declared.items() if receptor in units}
    plastic = {r for region in layout.regions for p in region.projections if p.plasticity for r in p.receptor}
    problems = list(_impossible(brain, layout, stimuli, units))
    for where, receptor, factor, weight in _weights(brain, layout, stimuli, units):
        try:
            size = mean_size(weight, units[receptor]) * abs(factor)
        except SpecError as error:
            problems += error.within(where).problems
            continue
        if size and not _SMALLEST < size < 1 / _SMALLEST:
            expected = f"expected weights whose mean size lies between {_SMALLEST:g} and {1 / _SMALLEST:g}"
            problems.append(Problem(where, f"{expected}, found {size:g}; give others"))
        elif size:
            quantum = 2.0 ** math.floor(math.log2(2 * _PRECISION * size))
            if isinstance(weight, Explicit):
                exact = common_power(coherent_values(weight, units[receptor]) * factor)
                # Weights that do not change need no finer one.
                if exact >= declared.get(receptor, math.inf) and receptor not in plastic:
                    continue
                quantum = exact if _FINER * quantum <= exact < quantum else quantum
            found[receptor] = min(found.get(receptor, math.inf), quantum)
    if problems:
        raise SpecError(problems)
    return {receptor: found.get(receptor, _WITHOUT_WEIGHTS) for receptor in units}


def _declared(layout: Layout) -> dict[str, float]:
    """Return the smallest quantum that regions declare for each receptor."""
    found: dict[str, float] = {}
    for region in _distinct(layout.regions):
        for receptor, power in region.quanta.items():
            found[receptor] = min(found.get(receptor, math.inf), 2.0**power)
    return found


def common_power(values: Floats) -> float:
    """Return the largest power of two of which all values are multiples; infinity if all are 0."""
    fraction, power = np.frexp(values[values != 0])
    whole = (np.abs(fraction) * 2.0**53).astype(np.int64)
    lowest: NDArray[np.float64] = np.ldexp((whole & -whole).astype(np.float64), power - 53)
    return float(lowest.min(initial=np.inf))


def in_quanta(weights: Floats, quantum: float, where: str) -> NDArray[np.int32]:
    """Return weights as integers.

    Raises
    ------
    SpecError
        If one is beyond the range of an integer.
    """
    scaled = np.rint(weights / quantum)
    if len(scaled) and (largest := float(np.abs(scaled).max())) > LARGEST:
        raise SpecError(
            [
                Problem(
                    where,
                    f"expected weights up to {LARGEST * quantum:g}, found {largest * quantum:g}: beyond the integer "
                    "range that the smallest mean weight of this receptor leaves; make the weights less unequal",
                )
            ]
        )
    return scaled.astype(np.int32)


def _weights(
    brain: Brain, layout: Layout, stimuli: tuple[Stimulus, ...], units: dict[str, str]
) -> Iterator[tuple[str, str, float, Value]]:
    yield from _weights_of_synapses(brain, layout, units)
    yield from _steps_from_zero(layout, units)
    for where, drive in _drives(layout, stimuli):
        for key, factor, size in amplitudes(drive):
            yield f"{where}.{key}", drive.receptor, factor, size


def _weights_of_synapses(
    brain: Brain, layout: Layout, units: dict[str, str]
) -> Iterator[tuple[str, str, float, Value]]:
    for region in _distinct(layout.regions):
        for i, projection in enumerate(region.projections):
            for receptor, factor in projection.receptor.items():
                where = f"region {region.name}: projections[{i}]"
                if projection.plasticity is None:
                    yield f"{where}.weight", receptor, factor, projection.weight
                    continue
                part = factor * _PART_OF_PLASTIC_WEIGHT
                yield f"{where}.weight", receptor, part, projection.weight
                # It may begin at 0.
                if (highest := projection.plasticity.parameters.get("w_max")) is not None:
                    yield f"{where}.plasticity.parameters.w_max", receptor, part, highest
    yield from _long_range_weights(brain, layout, units)
    for i, projection in enumerate(brain.projections):
        for receptor, factor in projection.receptor.items():
            yield f"brain.projections[{i}].weight", receptor, factor, projection.weight


def _steps_from_zero(layout: Layout, units: dict[str, str]) -> Iterator[tuple[str, str, float, Value]]:
    """Yield what rules add to weights that begin at 0, where it asks for a finer quantum than no weight at all does."""
    for region in _distinct(layout.regions):
        for i, projection in enumerate(region.projections):
            rule = projection.plasticity
            if rule is None or "w_max" in rule.parameters:
                continue
            for receptor, factor in projection.receptor.items():
                for name, value in _in_weights(region, rule, projection.weight, units[receptor]):
                    with suppress(SpecError):  # a rate of change, say
                        if mean_size(value, units[receptor]) * _WEIGHTS_IN_STEPS < 1:
                            where = f"region {region.name}: projections[{i}].plasticity.parameters.{name}"
                            yield where, receptor, factor * _WEIGHTS_IN_STEPS, value


def _in_weights(region: Region, rule: Plasticity, weight: Value, unit: str) -> list[tuple[str, Value]]:
    """Return the parameters with the unit of weights of a rule whose weights begin at 0."""
    with suppress(SpecError):  # of another unit, or no rule, which is told besides
        if mean_size(weight, unit) == 0:
            model = plasticity_model(rule.model, region)
            given: dict[str, Value] = {**model.parameters, **rule.parameters}
            return [(name, given[name]) for name in sorted(rule_program(model, unit).in_weights.keys() & given.keys())]
    return []


def _drives(layout: Layout, stimuli: tuple[Stimulus, ...]) -> Iterator[tuple[str, Drive]]:
    for region in _distinct(layout.regions):
        yield from ((f"region {region.name}: drives[{i}]", drive) for i, drive in enumerate(region.drives))
    yield from ((f"stimuli.{stimulus.name}", stimulus) for stimulus in stimuli)


def _impossible(
    brain: Brain, layout: Layout, stimuli: tuple[Stimulus, ...], units: dict[str, str]
) -> Iterator[Problem]:
    """Yield a problem for each weight of a conductance that is negative as declared."""
    for where, receptor, factor, weight in _weights_of_synapses(brain, layout, units):
        with suppress(SpecError):  # of another unit, which is told besides
            if units[receptor] == CONDUCTANCE and (message := conductance_problem(weight, factor, receptor)):
                yield Problem(where, message)
    for where, drive in _drives(layout, stimuli):
        with suppress(SpecError):
            if units[drive.receptor] == CONDUCTANCE:
                yield from (Problem(f"{where}.{p.where}", p.message) for p in drive_problems(drive))


def _long_range_weights(brain: Brain, layout: Layout, units: dict[str, str]) -> Iterator[tuple[str, str, float, Value]]:
    if (rule := brain.long_range) is None:
        return
    excitatory = "weight" if rule.share is None else "share"
    weights = {
        (region.name, inflow.weight): region
        for region, inflow in zip(layout.regions, inflows(brain, layout, units), strict=True)
    }
    for (_, weight), region in weights.items():
        for name, port in region.ports.inputs.items():
            known = region.cell_of(name).receptors
            for key, size, receptors in (
                (excitatory, weight, port.glutamate),
                ("inhibitory_weight", rule.weight_of_gaba(weight), port.gaba),
            ):
                for receptor, factor in receptors.items():
                    if receptor in known:
                        yield f"brain.long_range.{key}", receptor, factor, size


def amplitudes(drive: Drive) -> Iterator[tuple[str, float, str | float]]:
    """Yield the amplitudes of a drive: key, factor to the mean size, and quantity."""
    for key in ("weight", "current"):
        if (value := getattr(drive, key)) is not None:
            yield key, 1.0, value
    if drive.noise is not None:
        # Levels of the discretised distribution, right to 1e-6 of a standard deviation.
        yield "noise", 0.01 * normal_thresholds().unit, drive.noise
    if drive.pulses is not None:
        yield "pulses.amplitude", 1.0, drive.pulses.amplitude
    if drive.spikes is not None:
        yield "spikes.weight", 1.0, drive.spikes.weight
    if drive.sine is not None:
        yield "sine.amplitude", 2 / math.pi, drive.sine.amplitude
        if drive.sine.offset is not None:
            yield "sine.offset", 1.0, drive.sine.offset
    if drive.waveform is not None:
        sizes = np.abs(read_samples(drive.waveform))
        mean, unit = float(sizes[sizes > 0].mean()) if sizes.any() else 0.0, drive.waveform.unit
        yield "waveform.unit", 1.0, mean if unit == "1" else f"{mean!r} {unit}"


def _distinct(regions: tuple[Region, ...]) -> list[Region]:
    return list({region.name: region for region in regions}.values())
