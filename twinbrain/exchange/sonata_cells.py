"""Neurons in SONATA's terms, and back: a model template, and dynamics parameters by its names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twinbrain.errors import Problem
from twinbrain.exchange.circuit import CircuitPopulation, place_of
from twinbrain.exchange.nir_neurons import is_lif_current
from twinbrain.models.receptors import EXPONENTIAL_CURRENT
from twinbrain.network.random import Floats

NEST = "nest:iaf_psc_exp"
OURS = "twinbrain:"
INITIAL = "initial_"

NODE_COLUMNS = (
    "node_type_id",
    "model_type",
    "model_template",
    "dynamics_params",
    "label",
    "region",
    "population",
    "transmitter",
    "receptors",
)
"""Columns of the table of node types."""

Arrays = dict[str, Floats]

# Names that both have, and NEST's own defaults, in its units, where a file leaves one out.
_SHARED = ("C_m", "E_L", "V_th", "V_reset", "I_e")
_NEST = {
    "C_m": (250.0, "pF"),
    "tau_m": (10.0, "ms"),
    "E_L": (-70.0, "mV"),
    "V_th": (-55.0, "mV"),
    "V_reset": (-70.0, "mV"),
    "t_ref": (2.0, "ms"),
    "I_e": (0.0, "pA"),
    "tau_syn_ex": (2.0, "ms"),
    "tau_syn_in": (2.0, "ms"),
    "V_m": (-70.0, "mV"),
}
_NEST_DEFAULTS = {name: value for name, (value, _) in _NEST.items()}
NEST_UNITS = {name: unit for name, (_, unit) in _NEST.items()}
NEST_PARAMETERS = tuple(_NEST_DEFAULTS)


@dataclass(frozen=True, eq=False)
class Cells:
    """What a file says of a population's neurons.

    Parameters
    ----------
    template : str
        The model template.
    dynamics : dict of str to ndarray of float64, shape (size,)
        Parameters by the template's names.
    beside : dict of str to ndarray of float64, shape (size,)
        Attributes that the template does not know.
    """

    template: str
    dynamics: Arrays
    beside: Arrays


def to_cells(population: CircuitPopulation, dt: float) -> Cells:
    """Return a population's neurons: NEST's where they are the same, else our own.

    Where a spike is followed by a refractory period of r steps, our neurons and Brian2's are held in r - 1 of them,
    NEST's in all: its period is given one step less.
    """
    p = population.parameters
    if not _is_iaf_psc_exp(population):
        initial = {INITIAL + name: values for name, values in population.initial.items()}
        return Cells(OURS + population.model_name, p | initial, {})
    tau = p["tau_exponential_current"]
    dynamics = {name: p[name] for name in _SHARED} | {
        "tau_m": p["C_m"] / p["g_L"],
        "tau_syn_ex": tau,
        "tau_syn_in": tau,
    }
    dynamics["t_ref"] = np.maximum(np.floor(p["t_ref"] / dt + 0.5) - 1, 0) * dt
    dynamics["V_m"] = population.initial.get("v", np.zeros(population.size))
    return Cells(NEST, dynamics, {"g_L": p["g_L"]})


def misread_parameters(population: CircuitPopulation) -> Iterator[Problem]:
    """Yield a problem for each parameter that a file would give back as something else."""
    for name in population.parameters:
        if name in NODE_COLUMNS:
            meaning = "is a column of node types"
        elif name.startswith(INITIAL):
            meaning = f"stands for {name.removeprefix(INITIAL)!r} at time zero"
        else:
            continue
        message = f"expected another name than {name}, which {meaning} there; rename the parameter"
        yield Problem(f"{place_of(population)}.{name}", message)


def _is_iaf_psc_exp(population: CircuitPopulation) -> bool:
    return (
        is_lif_current(population.model)
        and list(population.receptors) == ["exponential_current"]
        and population.receptors["exponential_current"] == EXPONENTIAL_CURRENT
        and set(population.initial) <= {"v"}
    )


def from_nest(dynamics: Arrays, beside: Arrays, size: int, dt: float) -> tuple[Arrays, Arrays]:
    """Return the parameters of ``lif_current`` and the initial state of neurons of NEST's ``iaf_psc_exp``.

    Raises
    ------
    ValueError
        If they have parameters that cannot be taken over.
    """
    if unknown := sorted(set(dynamics) - set(_NEST_DEFAULTS)):
        raise ValueError(f"expected parameters {', '.join(_NEST_DEFAULTS)}, found {', '.join(unknown)}")
    d = {name: np.full(size, value) for name, value in _NEST_DEFAULTS.items()} | dynamics
    for name in ("C_m", "tau_m", "tau_syn_ex", "t_ref"):
        if (lowest := float(d[name].min(initial=np.inf))) < 0 or (lowest == 0 and name != "t_ref"):
            wanted = "at least 0 ms" if name == "t_ref" else "more than 0"
            raise ValueError(f"expected {name} of {wanted}, found {lowest:g}")
    if not np.array_equal(d["tau_syn_ex"], d["tau_syn_in"]):
        raise ValueError("expected one time constant for both signs, found tau_syn_ex and tau_syn_in that differ")
    # The conductance is kept beside, for the last bit; it counts as long as it gives tau_m.
    g_l = beside.get("g_L")
    if g_l is None or not np.array_equal(d["C_m"] / g_l, d["tau_m"]):
        g_l = d["C_m"] / d["tau_m"]
    parameters = {name: d[name] for name in _SHARED} | {"g_L": g_l, "tau_exponential_current": d["tau_syn_ex"]}
    parameters["t_ref"] = np.where(d["t_ref"] > 0, d["t_ref"] + dt, 0.0)
    return parameters, {"v": d["V_m"]}
