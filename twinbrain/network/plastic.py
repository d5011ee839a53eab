"""Draw plastic synapses: their constants and their variables at time zero, synapse by synapse."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import Problem, SpecError
from twinbrain.models.equations import UNIT_FACTOR
from twinbrain.models.library import plasticity_model
from twinbrain.models.rule import LAST_UPDATE, RELEASED, WEIGHT, RuleProgram, rule_program
from twinbrain.network.layout import Layout
from twinbrain.network.network import Inlet, PopulationSlice
from twinbrain.network.parameters import Draw, evaluate, fill_initial, fill_parameters
from twinbrain.network.random import Floats, Key, stream_key
from twinbrain.network.ranges import check_terms, of_both, range_problems
from twinbrain.network.sampling import coherent_values, sample
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.plasticity import Plasticity, PlasticityModel
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Distribution, Value
from twinbrain.spec.ranges import parse_range
from twinbrain.spec.region import Region


@dataclass(frozen=True, eq=False)
class PlasticSynapses:
    """Plastic synapses of one projection and receptor as they are drawn, in no order yet.

    Parameters
    ----------
    receptor, rule : str
        Names of the receptor and of the rule.
    program : RuleProgram
        The rule's program.
    quantum : float
        Of the receptor.
    where : str
        Named in errors.
    source, target : ndarray of int32
        Numbers of the neurons.
    post : ndarray of int32
        Place in the flat inbox.
    delay : ndarray of uint16
        In steps.
    constants, initial : dict of str to ndarray of float64
        Of one element where all synapses share it.
    largest : float
        The largest weight that is declared, at time zero or as ``w_max``.
    modulator : PopulationSlice or None
        Whose spikes modulate.
    """

    receptor: str
    rule: str
    program: RuleProgram
    quantum: float
    where: str
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    post: NDArray[np.int32]
    delay: NDArray[np.uint16]
    constants: dict[str, Floats]
    initial: dict[str, Floats]
    largest: float
    modulator: PopulationSlice | None


def draw_plastic(
    layout: Layout,
    label: str,
    region: Region,
    projection: Projection,
    receptor: tuple[str, float, str],
    inlet: Inlet,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    weight: Floats,
    delay: NDArray[np.uint16],
    streams: Callable[[str], Key],
    dt: float,
) -> PlasticSynapses:
    """Return the plastic synapses of a projection.

    Parameters
    ----------
    layout, label, region, projection
        Which projection of which node.
    receptor : tuple of str, float, str
        Its name, its factor and the unit of its weights.
    inlet : Inlet
        Its inbox.
    pairs : tuple of ndarray of int64
        Connected neurons, within the source and within the target population.
    weight : ndarray of float64
        Initial weights.
    delay : ndarray of uint16
        In steps.
    streams : callable
        Gives the key of a named stream of this projection.
    dt : float (ms)
        Time step.

    Raises
    ------
    SpecError
        If the rule cannot be used as declared.
    """
    name, factor, unit = receptor
    source, target = layout.find(label, projection.source), layout.find(label, projection.target)
    plasticity = projection.plasticity
    assert plasticity is not None
    model, program = _rule(region, plasticity, unit)

    def draw(what: str, value: Value, unit: str) -> Floats:
        n = len(weight) if isinstance(value, Distribution | Explicit) else 1
        values = sample(value, unit, n, streams(f"plasticity {what}"))
        exponent = program.in_weights.get(what.split()[1])
        return values * factor**exponent if exponent else values

    try:
        parameters, initial = _fill(plasticity, model, program, draw)
        namespace: dict[str, Floats | float] = {"dt": np.float64(dt), UNIT_FACTOR: np.float64(factor), **parameters}
        _check_apart(program, namespace)
        constants = {
            name: evaluate(text, namespace, program.parameters).reshape(-1) for name, text in program.constants.items()
        }
    except SpecError as error:
        raise error.within("plasticity") from None
    values = {**parameters, WEIGHT: weight}
    of_weights = [text for text in model.ranges if WEIGHT in parse_range(text).names]
    if problems := range_problems(of_weights, values, {**program.parameters, **program.units}, "initial"):
        raise SpecError([Problem("weight", problem.message) for problem in problems])
    zeros = dict.fromkeys(program.state, np.zeros(1))
    bounds = [weight, parameters.get("w_max", weight[:0])]
    return PlasticSynapses(
        receptor=name,
        rule=plasticity.model,
        program=program,
        quantum=inlet.quantum,
        where=f"region {region.name}: projection {projection.key!r}",
        source=(pairs[0] + source.start).astype(np.int32),
        target=(pairs[1] + target.start).astype(np.int32),
        post=(pairs[1] + (inlet.start + target.offset)).astype(np.int32),
        delay=delay,
        constants=constants,
        initial=zeros | initial | {WEIGHT: weight},
        largest=max(float(np.abs(values).max(initial=0.0)) for values in bounds),
        modulator=layout.find(label, plasticity.modulator) if plasticity.modulator else None,
    )


def check_plasticity(layout: Layout, units: dict[str, str]) -> None:
    """Check the rules of all plastic projections, and what they are given, without building anything.

    Raises
    ------
    SpecError
        With everything that is unknown, missing or of a wrong unit.
    """
    problems: list[Problem] = []
    for region in {region.name: region for region in layout.regions}.values():
        for i, projection in enumerate(region.projections):
            if projection.plasticity is None:
                continue
            for receptor in projection.receptor:
                try:
                    _check(region, projection.plasticity, units[receptor], projection.receptor[receptor])
                except SpecError as error:
                    found = error.within(f"region {region.name}: projections[{i}]").problems
                    problems += [problem for problem in found if problem not in problems]
    if problems:
        raise SpecError(problems)


def _check(region: Region, plasticity: Plasticity, unit: str, factor: float) -> None:
    model, program = _rule(region, plasticity, unit)
    if factor != 1.0 and program.not_scaled:
        message = (
            f"expected a factor of 1 with rule {plasticity.model!r}, found {factor:g}: it multiplies weights and all "
            f"that is in their unit, and of {program.not_scaled!r} only a part is known to be; give numbers there a "
            'unit (3*nS), or declare a parameter ": weight"'
        )
        raise SpecError([Problem("receptor", message)])
    try:
        _fill(plasticity, model, program, _tried)
    except SpecError as error:
        raise error.within("plasticity") from None


def _tried(what: str, value: Value, unit: str) -> Floats:
    """Return values to check a rule with: of explicit ones all, and else one."""
    return coherent_values(value, unit) if isinstance(value, Explicit) else sample(value, unit, 1, stream_key(0, what))


def _rule(region: Region, plasticity: Plasticity, unit: str) -> tuple[PlasticityModel, RuleProgram]:
    try:
        model = plasticity_model(plasticity.model, region)
        program = rule_program(model, unit, f"rule {plasticity.model!r}")
    except SpecError as error:
        raise error.within("plasticity.model") from None
    if program.on_modulator and plasticity.modulator is None:
        message = f"expected a modulating population for rule {plasticity.model!r}, found none; name one"
        raise SpecError([Problem("plasticity.modulator", message)])
    if plasticity.modulator is not None and not program.on_modulator:
        message = f"expected none, since rule {plasticity.model!r} has no 'on_modulator', found one; drop it"
        raise SpecError([Problem("plasticity.modulator", message)])
    return model, program


def _check_apart(program: RuleProgram, namespace: dict[str, Floats | float]) -> None:
    """Check that no two decays are so near each other that the solution between events loses its digits."""
    for text in program.apart:
        if not (evaluate(text, namespace, program.parameters) > 0).all():
            used = sorted(set(re.findall(r"\w+", text)) & set(program.parameters))
            message = (
                f"expected decays that are not so near each other, found {text} that is not positive: the solution "
                "between events, in which one variable follows others, would cancel; give both the same parameter, "
                'other values, or the rule method = "rk4"'
            )
            raise SpecError([Problem(f"parameters.{', '.join(used)}", message)])


def _fill(
    plasticity: Plasticity, model: PlasticityModel, program: RuleProgram, draw: Draw
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    check_terms(model.ranges, program.parameters | program.units)
    parameters = fill_parameters(plasticity.parameters, model.parameters, program.parameters, draw, model.ranges)
    units = {name: program.units[name] for name in program.state if name not in (WEIGHT, RELEASED, LAST_UPDATE)}
    initial = fill_initial({**model.initial, **plasticity.initial}, units, draw, model.ranges)
    both = of_both(model.ranges, program.parameters)
    if problems := range_problems(both, {**parameters, **initial}, program.parameters | units, "initial"):
        raise SpecError(problems)
    return parameters, initial
