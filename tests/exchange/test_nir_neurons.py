import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.exchange.nir_neurons import KEPT, SPIKES, from_nir, to_nir

DT = 0.1
UNITS = {
    "C_m": (50.0, 500.0),
    "g_L": (1.0, 50.0),
    "E_L": (-80.0, -50.0),
    "V_th": (-60.0, -40.0),
    "V_reset": (-80.0, -60.0),
    "I_e": (-500.0, 500.0),
    "tau_exponential_current": (0.5, 20.0),
}
PARAMETERS = st.fixed_dictionaries(
    {name: st.floats(*ends).map(lambda x: np.array([x])) for name, ends in UNITS.items()}
)
KINDS = ("LIF", "CubaLIF")


@given(PARAMETERS, st.sampled_from(KINDS), st.sampled_from(SPIKES))
def test_parameters_that_are_kept_beside_a_node_come_back_to_the_last_bit(parameters, kind, spikes):
    found, weight, _ = from_nir(kind, to_nir(kind, parameters, spikes, DT), parameters, spikes, DT)
    assert all(np.array_equal(found[name], parameters[name]) for name in KEPT[kind])
    assert weight == 1.0


@given(PARAMETERS, st.sampled_from(KINDS), st.sampled_from(SPIKES))
def test_the_fields_of_a_node_alone_give_the_same_neuron(parameters, kind, spikes):
    found, weight, _ = from_nir(kind, to_nir(kind, parameters, spikes, DT), {}, spikes, DT)
    rest, tau, per_current = (
        [f(p)[0] for p in (parameters, found)]
        for f in (lambda p: p["E_L"] + p["I_e"] / p["g_L"], lambda p: p["C_m"] / p["g_L"], lambda p: 1.0 / p["g_L"])
    )
    assert rest[1] == pytest.approx(rest[0], rel=1e-12)
    assert tau[1] == pytest.approx(tau[0], rel=1e-12)
    assert weight[0] == pytest.approx(1.0, rel=1e-12)
    if kind == "CubaLIF":
        assert per_current[1] == pytest.approx(per_current[0], rel=1e-12)
        name = "tau_exponential_current"
        assert found[name][0] == pytest.approx(parameters[name][0], rel=1e-12)


@given(PARAMETERS)
def test_a_spike_does_what_its_weight_says_in_either_reading(parameters):
    """An impulse of weight w moves v by r w / tau; the value w for a step of dt, by r w dt / tau (Euler)."""
    dt = DT * 1e-3
    for spikes, width in (("impulse", 1.0), ("step", dt)):
        lif = to_nir("LIF", parameters, spikes, DT)
        assert lif["r"] * width / lif["tau"] == pytest.approx(1.0, rel=1e-12)
        cuba = to_nir("CubaLIF", parameters, spikes, DT)
        assert cuba["w_in"] * width / cuba["tau_syn"] == pytest.approx(1.0, rel=1e-12)


def test_kept_parameters_count_no_more_once_a_field_has_changed():
    parameters = {name: np.array([sum(ends) / 2]) for name, ends in UNITS.items()}
    fields = to_nir("LIF", parameters, "impulse", DT)
    fields["v_threshold"] = fields["v_threshold"] + 1.0
    found, _, _ = from_nir("LIF", fields, parameters, "impulse", DT)
    assert found["V_th"] == parameters["V_th"] + 1.0
    assert found["C_m"] / found["g_L"] == pytest.approx(parameters["C_m"] / parameters["g_L"])
