"""A file is right as a whole: what nothing uses is checked too."""

import pytest

import twinbrain as tb
from tests.exchange.models import leaky_data
from twinbrain.models.library import neuron_model, plasticity_model, receptor_model
from twinbrain.network.definitions import check_definitions
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region


def region_with(**definitions):
    data = leaky_data()
    for kind, own in definitions.items():
        data[kind] = data.get(kind, {}) | {"spare": own}
    return single_region_brain(Region.parse(data))


MODEL = neuron_model("lif_current").to_dict()
RECEPTOR = receptor_model("ampa").to_dict()
RULE = plasticity_model("pair_stdp").to_dict()
GATED = MODEL | {
    "equations": MODEL["equations"].replace("I_syn", "g_gate*(E_L - v)"),
    "method": "exponential_euler",
}


@pytest.mark.parametrize(
    "definitions",
    [
        {"models": MODEL, "receptors": RECEPTOR, "plasticity": RULE},
        {"cells": {"model": "adex", "receptors": ["ampa"]}},
        {"cells": {"model": "adex", "parameters": {"C_m": {"values": [200.0, 210.0, 190.0], "unit": "pF"}}}},
        # An equation of the neuron's may name what a receptor has.
        {"models": GATED, "receptors": {"equations": "dg_gate/dt = -g_gate/(5*ms) : siemens", "jump": "g_gate"}},
    ],
)
def test_what_could_be_used_is_right(definitions):
    check_definitions(region_with(**definitions), dt=0.1)


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ({"models": MODEL | {"threshold": "v > V_th + bogus"}}, r"models\.spare: .* found 'bogus'"),
        ({"models": MODEL | {"method": "nonsense"}}, r"models\.spare: unknown method 'nonsense'"),
        ({"models": MODEL | {"reset": "q = 1"}}, r"models\.spare: expected a reset of state variables, found 'q'"),
        ({"receptors": RECEPTOR | {"jump": "h_ampa"}}, r"receptors\.spare: receptor 'spare': expected 'jump' to name"),
        ({"plasticity": RULE | {"on_post": "w = bogus"}}, r"plasticity\.spare: .*'bogus'"),
        ({"cells": {"model": "nonsense"}}, r"cells\.spare: unknown neuron model 'nonsense'"),
        ({"cells": {"model": "adex", "receptors": ["bla"]}}, r"cells\.spare: unknown receptor 'bla'"),
        ({"cells": {"model": "adex", "parameters": {"C_m": "5 mV"}}}, r"C_m: .*mV"),
        ({"cells": {"model": "adex", "parameters": {"C_n": "5 pF"}}}, r"C_n.*did you mean 'C_m'"),
    ],
)
def test_what_could_not_be_used_is_told(definitions, message):
    with pytest.raises(tb.SpecError, match=rf"region test/leaky: .*{message}"):
        check_definitions(region_with(**definitions), dt=0.1)
