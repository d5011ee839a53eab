import numpy as np

from tests.examples import build_region
from twinbrain.engines.base import get_engine
from twinbrain.spec.region import Region

RULE = {
    "equations": "do/dt = -o/tau : 1\ntau : second",
    "on_pre": "release = w*(1 - 0.3*int(o > 0.5))",
    "on_post": "o = clip(0.7, 0.1*int(o > 0.3), 2) + 0.1*int(o > 0.5)",
    "parameters": {"tau": "20 ms"},
}


def test_conditions_in_a_rule_have_the_precision_of_its_variables():
    data = {
        "name": "test/conditions",
        "plasticity": {"own": RULE},
        "cells": {"cell": {"model": "lif_current", "receptors": ["exponential_current"]}},
        "populations": {"all": {"cell": "cell", "size": 8}},
        "drives": [{"population": "all", "current": "1 nA"}],
        "projections": [
            {
                "source": "all",
                "target": "all",
                "receptor": "exponential_current",
                "weight": "20 pA",
                "delay": "1 ms",
                "connect": {"probability": 0.5},
                "plasticity": {"model": "own"},
            }
        ],
    }
    network = build_region(Region.parse(data), dt=0.1)
    found = {}
    for engine in ("reference", "torch"):
        simulation = get_engine(engine)(network)
        simulation.advance(600)
        found[engine] = simulation.state().variables
    (trace,) = [name for name in found["torch"] if name.endswith("/o")]
    assert found["reference"][trace].max() > 0.5
    for name, values in found["reference"].items():
        np.testing.assert_array_equal(found["torch"][name], values, err_msg=name)
