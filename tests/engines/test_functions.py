"""Every function that equations may use, and that engines compute by themselves, is the same in all of them."""

import numpy as np
import pytest

from tests.examples import build_region
from twinbrain.engines.base import get_engine
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.region import Region

SHARED = {
    "exp": "exp(x)",
    "exprel": "exprel(x)",
    "log": "log(abs(x))",
    "log10": "log10(abs(x))",
    "power": "abs(x)**1.7 + (0.3*x)**p",
    "sinh": "sinh(0.3*x)",
    "cosh": "cosh(0.3*x)",
    "tanh": "tanh(x) + tanh(0.001*x)",
    "sqrt": "sqrt(abs(x))",
    "products": "x**2 - x**3 + 0.1*x**4 + 0.01*(x + 1)**5 + (0.4*x)**6 + 1/x**2",
    "bounded": "clip(x, -0.7, p) + int(x > 0.2)",
    "indicators": "exp(0.1*int(x > p)) + log(1.1 + int(x > 0.2)) + abs(int(x > 0.5) - 0.3) + 0.1*x",
    "literals": "clip(0.1, int(x > 0.5), 2) + clip(0.3, 0, int(x < p)) + 0.1*x",
}


@pytest.fixture(scope="module")
def network():
    """Neurons whose x drifts through all that matters, from -12 to 12."""
    model = {
        "equations": "dv/dt = speed : volt\nx = v/(10*mV) : 1\n"
        + "".join(f"d{name}_/dt = ({text})/second : 1\n" for name, text in SHARED.items())
        + "speed : volt/second\np : 1",
        "threshold": "v > 1*volt",
        "reset": "v = 0*volt",
    }
    cell = {
        "model": "drifting",
        "parameters": {"speed": {"uniform": ["-2 mV/ms", "2 mV/ms"]}, "p": 3.0},
        "initial": {"v": {"uniform": ["-100 mV", "100 mV"]}},
    }
    data = {"name": "test/functions", "models": {"drifting": model}, "cells": {"cell": cell}}
    return build_region(Region.parse(data | {"populations": {"all": {"cell": "cell", "size": 400}}}), dt=0.1)


@pytest.mark.parametrize("engine", ["brian2", "brian2-numpy", "torch"])
def test_functions_are_the_same_to_the_last_bit(engine, network):
    expected = reference(network)
    simulation = get_engine(engine)(network)
    try:
        for each in (expected, simulation):
            each.advance(100)
        found, wanted = simulation.state().variables, expected.state().variables
    finally:
        simulation.close()
    for name in SHARED:
        values = wanted[f"drifting/{name}_"]
        assert np.isfinite(values).all()
        assert len(np.unique(values)) > 100
        np.testing.assert_array_equal(found[f"drifting/{name}_"].view(np.int64), values.view(np.int64), err_msg=name)
