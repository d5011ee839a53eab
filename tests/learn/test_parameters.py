"""Gradients of constants by parameters are those of the numpy constants that engines use."""

import numpy as np
import pytest
import torch

from twinbrain import units
from twinbrain.learn.parameters import TrainedParameter, trained_constants
from twinbrain.models.library import receptor_model
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.step import REFRACTORY_STEPS, step_program
from twinbrain.network.parameters import program_constants
from twinbrain.spec.model import NeuronModel, ReceptorModel

DT = 0.5
CURRENTS = ("lif_current", "alif", "glif", "izhikevich_2007", "eif")
CASES = [
    *((name, ("exponential_current",)) for name in CURRENTS),
    *((name, ("ampa",)) for name in ("lif_conductance", "adex", "hodgkin_huxley", "wang_buzsaki")),
]


def parameters_of(model, receptors, program, size=3):
    defaults = dict(model.parameters)
    for receptor in receptors.values():
        defaults |= receptor.parameters
    spread = np.linspace(1.0, 1.3, size)
    return {name: units.coherent(defaults[name], unit) * spread for name, unit in program.parameters.items()}


def built(name, receptors):
    model = NEURON_MODELS[name]
    found = {receptor: receptor_model(receptor, None) for receptor in receptors}
    return model, found, step_program(model, found)


def check(model, program, values, name, tolerance=1e-5):
    """Compare the gradient of every constant by a parameter with finite differences."""
    size = len(values[name])
    exact = program_constants(program, model, values, DT, size)
    step = 2e-3 * np.abs(values[name]).max() or 1e-3

    def at(n):
        return program_constants(program, model, values | {name: values[name] + n * step}, DT, size)

    near, far = (at(1), at(-1)), (at(2), at(-2))  # of fourth order: the values have eleven digits
    parameter = TrainedParameter(values[name], np.arange(size), float(np.abs(values[name]).mean()) or 1.0)
    constants = trained_constants(
        program, {n: torch.tensor(v) for n, v in exact.items()}, values, {name: parameter}, DT
    )
    scale = values[name] if parameter.positive else parameter.scale
    for constant, found in constants.items():
        np.testing.assert_array_equal(found.detach(), exact[constant])
        if constant == REFRACTORY_STEPS or not found.requires_grad:
            continue
        (gradient,) = torch.autograd.grad(found.sum(), parameter.change, retain_graph=True)
        differences = [one[constant] - other[constant] for one, other in (near, far)]
        expected = (8 * differences[0] - differences[1]) / (12 * step) * scale
        size_of = np.maximum(np.abs(expected), 1e-9 * np.abs(exact[constant]))
        assert (np.abs(gradient.numpy() - expected) <= tolerance * size_of + 1e-10 * np.abs(exact[constant])).all(), (
            constant
        )


@pytest.mark.parametrize(("name", "receptors"), CASES)
def test_gradients_of_constants_are_finite_differences(name, receptors):
    model, found, program = built(name, receptors)
    values = parameters_of(model, found, program)
    for parameter in program.parameters:
        if parameter != model.refractory:
            check(model, program, values, parameter)


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-7, 1e-4, 1e-2])
def test_and_where_time_constants_are_equal_or_nearly_so(apart):
    model, _, program = built("lif_current", ("exponential_current",))
    values = parameters_of(model, {"exponential_current": receptor_model("exponential_current", None)}, program)
    values["tau_exponential_current"] = values["C_m"] / values["g_L"] * (1 + apart)
    for parameter in ("C_m", "g_L", "tau_exponential_current"):
        check(model, program, values, parameter)


RATES = """
dv/dt = (-g_L*v + I_syn)/C_m : volt
g_L : siemens
C_m : farad
"""
DECAY = ReceptorModel(equations="dI/dt = -k*I : amp\nk : 1/second", jump="I", current="I")
RESONATOR = """
dv/dt = (I_e - g*v - w)/C : volt
dw/dt = (a*v - w)/tau_w : amp
I_e : amp
g : siemens
a : siemens
C : farad
tau_w : second
"""


@pytest.mark.parametrize(
    ("equations", "receptors", "values"),
    [
        pytest.param(RATES, {"r": DECAY}, (210, 7, 7 / 210), id="rates that are equal"),
        pytest.param(RESONATOR, {}, (100, 100, 20, 10, 10), id="resonator", marks=pytest.mark.slow),
    ],
)
def test_and_where_rates_are_equal_or_eigenvalues_complex(equations, receptors, values):
    model = NeuronModel(equations=equations, threshold="v > 1*volt", reset="v = 0*mV", method="exact")
    program = step_program(model, receptors)
    given = {name: np.array([float(value)]) for name, value in zip(program.parameters, values, strict=True)}
    for parameter in program.parameters:
        check(model, program, given, parameter)


def test_positive_parameters_stay_positive_and_others_move_by_their_scale():
    positive = TrainedParameter(np.array([10.0, 20.0]), np.array([0, 1]), 15.0)
    other = TrainedParameter(np.array([-50.0, 0.0, -40.0]), np.array([0, 0, -1]), 15.0)
    with torch.no_grad():
        positive.change += torch.tensor([-1e9, 1.0])
        other.change += 2.0
    assert (positive() > 0).all()
    assert positive()[1].item() == pytest.approx(20.0 * np.e)
    assert other().tolist() == [-20.0, 30.0, -40.0]
