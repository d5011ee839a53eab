"""A network on which engines are compared: every model of the library, with neurons and synapses that all differ.

A plug-in's engine is compared on them as ours are::

    check_engine(my_engine, library_network(size=20), n_steps=500)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.network import Network
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.region import Region

# Standard deviation of every parameter, relative to its value.
_SPREAD = 0.02
_DRIVE_RATE = "2 kHz"


class _Case(NamedTuple):
    """How one model is driven and connected: weights by receptor, in the unit of each; and receptors of noise."""

    drive: dict[str, float]
    synapses: dict[str, float]
    noise: tuple[str, ...] = ()


_CASES = {
    "lif_current": _Case({"exponential_current": 130.0}, {"exponential_current": 60.0, "alpha_current": -20.0}),
    "lif_conductance": _Case({"ampa": 1.1}, {"ampa": 1.0, "nmda_saturating": 0.05, "gaba_a": 1.0}),
    "alif": _Case({"delta": 0.42}, {"delta": 0.5}),
    "eif": _Case({"exponential_current": 22.0}, {"exponential_current": 10.0}),
    "adex": _Case({"ampa": 4.0}, {"ampa": 1.0, "nmda": 0.2, "gaba_a": 1.0, "gaba_b": 0.05}),
    "izhikevich_2003": _Case({"exponential_current": 2.2}, {"delta": 1.0, "exponential_current": -0.5}),
    "izhikevich_2007": _Case({"alpha_conductance": 0.4}, {"alpha_conductance": 0.2, "gaba_a": 0.3}),
    "glif": _Case({"alpha_current": 24.0}, {"alpha_current": 10.0, "current": 100.0}, ("ou_current",)),
    "hodgkin_huxley": _Case({"ampa": 1.2}, {"ampa": 1.0, "gaba_a": 1.0}),
    "wang_buzsaki": _Case({"ampa": 0.25}, {"ampa": 0.2, "gaba_a": 0.2}),
    # Two events of its drive in one step, and its synapses help.
    "relay": _Case({"delta": 0.3}, {"delta": 0.1}),
    # It never spikes.
    "leaky_integrator": _Case({"exponential_current": 20.0}, {"exponential_current": 10.0, "alpha_current": -5.0}),
}


class _Learning(NamedTuple):
    """Where a plasticity rule is at work: within a population, by a receptor, with weights in its unit."""

    population: str
    receptor: str
    weight: float
    modulator: str | None = None


_RULES = {
    "tsodyks_markram": _Learning("lif_current", "alpha_current", 60.0),
    "short_term_depression": _Learning("izhikevich_2003", "exponential_current", 0.5),
    "saturation": _Learning("lif_conductance", "nmda_saturating", 0.2),
    "pair_stdp": _Learning("lif_conductance", "ampa", 0.5),
    "triplet_stdp": _Learning("adex", "ampa", 1.0),
    "reward_stdp": _Learning("hodgkin_huxley", "ampa", 0.5, modulator="wang_buzsaki"),
    "inhibitory_stdp": _Learning("izhikevich_2007", "gaba_a", 0.3),
}
# Parameters of rules that are weights have no default; they are given relative to the mean weight.
_RELATIVE = {"w_max": 3.0, "w_ref": 1.0, "eta": 0.05}


def library_network(size: int, *, seed: int = 1, dt: float = 0.1) -> Network:
    """Return a network with every neuron model, receptor and plasticity rule of the library.

    Every parameter, weight and delay differs from neuron to neuron; independent Poisson drives let all populations
    spike.

    Parameters
    ----------
    size : int
        Neurons of each model.
    seed : int
        Keys every draw.
    dt : float (ms)
        Time step.
    """
    brain = single_region_brain(library_region(size))
    return build(brain, lay_out(brain, brain.connectome), dt=dt, seed=seed)


def library_region(size: int) -> Region:
    """Return the region of `library_network`: a population of every model in a ring, some with plastic synapses."""
    names = list(_CASES)
    in_degree = min(10, size)
    projections: list[dict[str, object]] = [
        {
            "source": source,
            "target": name,
            "receptor": receptor,
            "connect": {"in_degree": in_degree},
            "weight": _weights(receptor, weight, 0.3),
            "delay": {"uniform": ["0.1 ms", "4 ms"]},
        }
        for i, name in enumerate(names)
        for receptor, weight in _CASES[name].synapses.items()
        for source in (name, names[i - 1])
    ]
    projections += [_plastic_projection(rule, case, in_degree) for rule, case in _RULES.items()]
    return Region.parse(
        {
            "name": "conformance/library",
            "cells": {name: _cell(name, case) for name, case in _CASES.items()},
            "populations": {name: {"cell": name, "size": size} for name in names},
            "projections": projections,
            "drives": [
                {"population": name, "receptor": r, "rate": _DRIVE_RATE, "weight": _quantity(r, weight)}
                for name, case in _CASES.items()
                for r, weight in case.drive.items()
            ]
            + [{"population": name, "noise": 1.0, "receptor": r} for name, case in _CASES.items() for r in case.noise],
        }
    )


def _plastic_projection(rule: str, case: _Learning, in_degree: int) -> dict[str, object]:
    model = PLASTICITY_MODELS[rule]
    parameters = {key: _spread(value) for key, value in model.parameters.items()}
    given = {
        key: _spread(_quantity(case.receptor, factor * case.weight))
        for key, factor in _RELATIVE.items()
        if re.search(rf"^{key} : weight$", model.equations, flags=re.MULTILINE)
    }
    return {
        "name": rule,
        "source": case.population,
        "target": case.population,
        "receptor": case.receptor,
        "connect": {"in_degree": in_degree},
        "weight": _weights(case.receptor, case.weight, 0.2),
        "delay": {"uniform": ["0.1 ms", "4 ms"]},
        "plasticity": {"model": rule, "parameters": parameters | given, "modulator": case.modulator},
    }


def _cell(name: str, case: _Case) -> dict[str, object]:
    model = NEURON_MODELS[name]
    receptors = tuple({**case.drive, **case.synapses, **dict.fromkeys(case.noise)})
    defaults = dict(model.parameters)
    for receptor in receptors:
        defaults |= RECEPTOR_MODELS[receptor].parameters
    parameters = {key: _spread(value) for key, value in defaults.items()}
    return {"model": name, "receptors": receptors, "parameters": parameters}


def _spread(value: str | float | Distribution) -> object:
    """Return a normal distribution around a value; 0 stays, since it switches something off."""
    assert not isinstance(value, Distribution)
    if isinstance(value, float):
        return {"normal": [value, _SPREAD * abs(value)]} if value else value
    size, _, unit = value.partition(" ")
    return {"normal": [value, f"{_SPREAD * abs(float(size))!r} {unit}"]} if float(size) else value


def _weights(receptor: str, weight: float, spread: float) -> dict[str, object]:
    """Return a normal distribution of weights; those of a conductance are not negative."""
    values = [_quantity(receptor, weight), _quantity(receptor, spread * abs(weight))]
    return {"normal": values} | ({"min": "0 nS"} if values[0].endswith("nS") else {})


def _quantity(receptor: str, weight: float) -> str:
    jump = RECEPTOR_MODELS[receptor].jump
    unit = "mV" if jump == "v" else "pA" if "current" in jump else "nS"
    return f"{weight!r} {unit}"
