"""Step programs computed with plain numpy, and the same step out of Brian2's code, in SI units."""

import re
from functools import cache

import numpy as np
from scipy.special import exprel

from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.step import REFRACTORY_LEFT, REFRACTORY_STEPS

CONDUCTANCES = ("ampa", "nmda", "gaba_a", "gaba_b")
COMBINATIONS = [
    ("lif_current", ("exponential_current",)),
    ("lif_current", ("alpha_current", "delta", "current")),
    ("lif_conductance", CONDUCTANCES),
    ("lif_conductance", ("nmda_saturating",)),
    ("alif", ("delta", "exponential_current")),
    ("eif", ("alpha_conductance", "alpha_current")),
    ("adex", CONDUCTANCES),
    ("adex", ("exponential_current", "ampa", "delta")),
    ("izhikevich_2003", ("current", "delta")),
    ("izhikevich_2007", CONDUCTANCES),
    ("izhikevich_2007", ()),
    ("glif", ("exponential_current", "ampa", "delta")),
    ("hodgkin_huxley", CONDUCTANCES),
    ("wang_buzsaki", ("gaba_a", "current")),
    ("relay", ("delta",)),
    ("leaky_integrator", ("exponential_current", "delta")),
]
# Size in SI of the coherent unit, and how large numbers in it usually are.
SI = {
    "volt": (1e-3, 20.0),
    "amp": (1e-12, 100.0),
    "siemens": (1e-9, 5.0),
    "farad": (1e-12, 150.0),
    "second": (1e-3, 10.0),
    "1/second": (1e3, 0.03),
    "ohm": (1e9, 1e-3),
    "siemens/volt": (1e-6, 0.7),
    "amp/volt**3": (1e-3, 0.1),
    "volt/second": (1.0, 5.0),
    "mM": (1.0, 1.0),
    "1": (1.0, 1.0),
}
_FUNCTIONS = {
    "e": np.e,
    "exponential": np.exp,
    "relative_exponential": lambda x: np.where(x == 0.0, 1.0, np.expm1(x) / np.where(x == 0.0, 1.0, x)),
    "logarithm": np.log,
    "power": np.power,
    "reciprocal": lambda x: 1.0 / x,
    "select": np.where,
    "indicator": lambda condition: np.where(condition, 1.0, 0.0),
    "bounded": np.clip,
    "int_": lambda x: np.asarray(x, float),
    "abs": np.abs,
    **{name: getattr(np, name) for name in ("exp", "clip", "sqrt", "log", "sin", "cos", "tanh")},
}


@cache
def _compiled(text):
    return compile(text, "<step>", "eval")


def models(name, receptors):
    return NEURON_MODELS[name], {receptor: RECEPTOR_MODELS[receptor] for receptor in receptors}


def constants(program, parameters, dt, refractory_steps=0):
    """Return a program's constants for parameters in the coherent set."""
    names = {**parameters, "dt": dt, REFRACTORY_STEPS: refractory_steps}
    return {key: eval(_compiled(text), dict(_FUNCTIONS), names) for key, text in program.constants.items()}


def step(program, values, state, inbox, quantum=1.0):
    """Compute one step of some neurons; return their new state and which of them spike."""
    names = {**values, **state}
    names |= {f"inbox_{r}": inbox.get(r, 0) for r in program.jumps} | {f"quantum_{r}": quantum for r in program.jumps}
    for statement in program.integrate:
        names[statement.target] = eval(_compiled(statement.expression), dict(_FUNCTIONS), names)
    condition = program.threshold.replace(" and ", " & ").replace(" or ", " | ").replace("not (", "~(")
    spiking = np.broadcast_to(eval(_compiled(condition), dict(_FUNCTIONS), names), np.shape(state["v"]))
    if REFRACTORY_LEFT in program.state:
        spiking = spiking & (names[REFRACTORY_LEFT] == 0)
    reset = dict(names)
    for statement in program.reset:
        reset[statement.target] = eval(_compiled(statement.expression), dict(_FUNCTIONS), reset)
    return {name: np.where(spiking, reset[name], names[name]) for name in program.state}, spiking


def declared(text):
    """Return the parameters of equations and their units."""
    return {
        match[1]: match[2].strip()
        for match in re.finditer(r"^\s*(\w+)\s*:\s*([^(\n]+)", text.replace("\\\n", ""), flags=re.MULTILINE)
    }


def brian_step(model, receptors, parameters, state, inbox, dt):
    """Compute the same step from Brian2's own code, everything in SI units; refractoriness is in whole steps."""
    names = {**parameters, **state, "dt": dt, **_brian_namespace()}
    held = re.findall(r"d(\w+)/dt[^:]*:[^(\n]*\(unless refractory\)", model.equations)
    late = {name: r.jump for name, r in receptors.items() if not re.search(rf"\b{r.jump}\b", r.equations)}
    for name, receptor in receptors.items():
        if name not in late:
            names[receptor.jump] = names.get(receptor.jump, 0.0) + inbox[name]
    if model.refractory:
        names[REFRACTORY_LEFT] = np.maximum(names[REFRACTORY_LEFT] - 1, 0)
    before = dict(names)
    new = {}
    for equations, method in _systems(model, receptors):
        code = _abstract_code(equations, method)
        local = dict(before)
        exec(code, local)
        new |= {name: local[name] for name in equations.diff_eq_names}
    names |= new
    if model.refractory:
        for name in held:
            names[name] = np.where(names[REFRACTORY_LEFT] > 0, before[name], names[name])
    for name, jump in late.items():
        free = (names[REFRACTORY_LEFT] == 0) | (jump not in held) if model.refractory else True
        names[jump] = names[jump] + np.where(free, inbox[name], 0.0)
    spiking = eval(f"({model.threshold.replace(' and ', ') & (')})", dict(names))
    if model.refractory:
        spiking = spiking & (names[REFRACTORY_LEFT] == 0)
    reset = names | {name: np.copy(names[name]) for name in state}  # "+=" works in place
    exec(model.reset.replace("; ", "\n").strip(), reset)
    if model.refractory:
        reset[REFRACTORY_LEFT] = np.floor(parameters[model.refractory] / dt + 0.5)
    return {name: np.where(spiking, reset[name], names[name]) for name in state}, spiking


def _systems(model, receptors):
    """Yield the equations that are integrated together, and how: as declared in twinbrain.spec.model."""
    from brian2 import Equations

    currents = " + ".join(receptor.current for receptor in receptors.values() if receptor.current) or "0*amp"
    neuron = model.equations.replace("(unless refractory)", "") + f"\nI_syn = {currents} : amp\n"
    if model.method == "exact":
        yield Equations(_plain(neuron + "".join(r.equations for r in receptors.values()))), "exact"
        return
    texts = [_plain(receptor.equations) for receptor in receptors.values()]
    given = "".join(re.sub(r"^\s*d(\w+)/dt[^:]*:", r"\1 :", text, flags=re.MULTILINE) for text in texts)
    yield Equations(_plain(neuron) + given), model.method
    for text in texts:
        if "/dt" in text:
            yield Equations(text), "exact"


def _plain(text):
    return text.replace("\\\n", "").replace("mM", "mmolar")


def _abstract_code(equations, method):
    from brian2.core.variables import Variable
    from brian2.stateupdaters.base import StateUpdateMethod

    variables = {
        name: Variable(name, dimensions=equations[name].dim, constant=equations[name].type == "parameter")
        for name in equations.names
    }
    return StateUpdateMethod.apply_stateupdater(equations, variables, method, group_name="test")


def _brian_namespace():
    units = {"volt": 1.0, "mV": 1e-3, "mA": 1e-3, "amp": 1.0, "mmolar": 1.0, "mM": 1.0, "ms": 1e-3}
    functions = {"exp": np.exp, "exprel": exprel, "clip": np.clip, "int": lambda x: np.asarray(x, float), "e": np.e}
    return {**units, **functions}
