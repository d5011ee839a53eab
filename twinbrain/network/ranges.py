"""Check that values are possible: parameters and variables against their ranges, weights of conductances against 0."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from twinbrain import units as units_
from twinbrain.errors import Problem, SpecError
from twinbrain.network.given import read_samples
from twinbrain.network.random import Floats
from twinbrain.network.sampling import coherent_values
from twinbrain.spec.drive import Drive
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.quantity import Distribution, Value
from twinbrain.spec.ranges import parse_range
from twinbrain.spec.suggest import suggestion

CONDUCTANCE = "nS"
"""Unit of the weights of receptors that add to a conductance, which is never negative."""


def check_terms(ranges: Iterable[str], units: Mapping[str, str]) -> None:
    """Check that ranges are of values that there are, and compare what is of one unit.

    Parameters
    ----------
    ranges : iterable of str
        See `twinbrain.spec.ranges`.
    units : mapping of str to str
        All parameters and variables, and their units.

    Raises
    ------
    SpecError
        If a name is unknown, or a value is compared with one of another unit, or with a number other than 0.
    """
    for text in ranges:
        terms = parse_range(text).terms
        for name in terms:
            if isinstance(name, str) and name not in units:
                message = f"expected names of parameters and variables, found {name!r} in {text!r}"
                raise SpecError(f"ranges: {message}; {suggestion(name, units)}")
        for pair in itertools.pairwise(terms):
            left, right = (units[term] if isinstance(term, str) else "1" for term in pair)
            if left != right and 0 not in pair:
                what = f"found {_term(pair[0], left)} beside {_term(pair[1], right)} in {text!r}"
                raise SpecError(f"ranges: expected values of one unit, or 0, {what}; compare with a parameter")


def of_both(ranges: Iterable[str], parameters: Iterable[str]) -> list[str]:
    """Return the ranges in which parameters and variables stand together."""
    known = set(parameters)
    return [text for text in ranges if len({name in known for name in parse_range(text).names}) > 1]


def range_problems(
    ranges: Iterable[str], values: Mapping[str, Floats], units: Mapping[str, str], where: str
) -> list[Problem]:
    """Return a problem for each range that does not hold; those of other values are left out.

    Parameters
    ----------
    ranges : iterable of str
        See `twinbrain.spec.ranges`.
    values : mapping of str to ndarray of float64
        In coherent units.
    units : mapping of str to str
        Their units, for the messages.
    where : str
        The table that they stand in.
    """
    problems = []
    for text in ranges:
        names = parse_range(text).names
        if not set(names) <= set(values):
            continue
        columns = np.broadcast_arrays(*(np.atleast_1d(values[name]) for name in names))
        holds = np.broadcast_to(parse_range(text).holds(dict(zip(names, columns, strict=True))), columns[0].shape)
        if holds.all():
            continue
        first = int(holds.argmin())
        found = ", ".join(
            f"{name} = {_shown(column[first], units[name])}" for name, column in zip(names, columns, strict=True)
        )
        many = f" (and {len(holds) - int(holds.sum())} of {len(holds)} in all)" if len(holds) > 1 else ""
        message = f'expected {text}, found {found}{many}; give other values, or a distribution a "min" or "max"'
        problems.append(Problem(f"{where}.{names[0]}", message))
    return problems


def check_conductances(
    weights: Floats, unit: str, receptor: str, advice: str = 'give the distribution a "min"'
) -> None:
    """Check weights as they were drawn, or as they stand in a file; the advice says what to do about them.

    Raises
    ------
    SpecError
        If one that adds to a conductance is negative.
    """
    if unit == CONDUCTANCE and len(weights) and (lowest := float(weights.min())) < 0:
        n = int((weights < 0).sum())
        message = (
            f"expected weights of at least 0 nS, since {receptor!r} is a conductance, found {lowest:g} nS "
            f"({n:,} of {len(weights):,} are negative); {advice}"
        )
        raise SpecError([Problem("weight", message)])


def conductance_problem(value: Value, factor: float, receptor: str) -> str:
    """Return what is wrong with a declared weight of a conductance, or nothing; what is drawn is seen when it is.

    Parameters
    ----------
    value : value
        A weight, or an amplitude of a drive.
    factor : float
        What it is multiplied by.
    receptor : str
        Its receptor.
    """
    reason = f", since {receptor!r} is a conductance"
    if isinstance(value, Distribution):
        return ""
    values = coherent_values(value, CONDUCTANCE) if isinstance(value, Explicit) else units_.coherent(value, CONDUCTANCE)
    lowest = float(np.min(np.asarray(values) * factor, initial=0.0))
    if lowest >= 0:
        return ""
    return f"expected at least 0 nS{reason}, found {lowest:g} nS; what inhibits has a low reversal potential instead"


def drive_problems(drive: Drive) -> Iterator[Problem]:
    """Yield what is wrong with a drive of a conductance."""
    sizes: list[tuple[str, Value]] = []
    match drive.kind:
        case "rate" if drive.weight is not None:
            sizes = [("weight", drive.weight)]
        case "current" if drive.current is not None:
            sizes = [("current", drive.current)]
        case "pulses" if drive.pulses is not None:
            sizes = [("pulses.amplitude", drive.pulses.amplitude)]
        case "spikes" if drive.spikes is not None:
            sizes = [("spikes.weight", drive.spikes.weight)]
        case "waveform" if drive.waveform is not None:
            values = read_samples(drive.waveform).ravel()
            sizes = [("waveform", Explicit(values, drive.waveform.unit))]
        case "sine" if drive.sine is not None:
            amplitude = abs(units_.coherent(drive.sine.amplitude, CONDUCTANCE))
            offset = units_.coherent(drive.sine.offset or "0 nS", CONDUCTANCE)
            sizes = [("sine.offset", f"{min(offset - amplitude, 0.0)!r} nS")]
        case "noise":
            message = f"expected no noise, since {drive.receptor!r} is a conductance, found {drive.noise}"
            yield Problem("noise", f"{message}; use a rate of events, or a receptor that is a current")
    for key, value in sizes:
        if message := conductance_problem(value, 1.0, drive.receptor):
            yield Problem(key, message)


def _term(term: str | float, unit: str) -> str:
    return f"{term} ({unit})" if isinstance(term, str) else f"{term:g} without a unit"


def _shown(value: float, unit: str) -> str:
    return f"{value:g}" if unit == "1" else f"{units_.in_unit(value, unit):g} {unit}"
