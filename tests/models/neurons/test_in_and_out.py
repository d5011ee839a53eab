import numpy as np
import pytest

from tests.models.simulation import simulate


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_a_relay_spikes_in_the_steps_in_which_its_input_arrives(dt):

    from tests.models.steps import constants, models, step
    from twinbrain.models.step import step_program

    program = step_program(*models("relay", ("delta",)))
    fixed = constants(program, {"tau": 0.01, "V_th": 0.5}, dt)
    arriving = np.random.default_rng(1).integers(0, 3, (200, 4)).astype(float)
    state, spiking = {key: np.zeros(4) for key in program.state}, []
    for here in arriving:
        state, spikes = step(program, fixed, state, {"delta": here})
        spiking.append(spikes.copy())
    np.testing.assert_array_equal(spiking, arriving > 0)


def test_a_relay_forgets_what_stays_below_its_threshold():
    trace, spikes = simulate("relay", 1.0, 0.1, n=2, receptors=("delta",), inbox={"delta": np.array([0.4, -5.0])})
    assert [len(times) for times in spikes] == [0, 0]
    np.testing.assert_allclose(trace["v"][1], [0.4 * np.exp(-10), -5 * np.exp(-10)])


def test_a_leaky_integrator_is_the_filter_of_its_input_and_never_spikes():
    # The response to a pulse of current that lasts for a step, at the end of each step, summed by convolution.
    rng = np.random.default_rng(2)
    current = rng.normal(0, 1e6, 500)
    trace, spikes = simulate("leaky_integrator", 50.0, 0.1, current=lambda t: current[round(t / 0.1)])
    response = (1 - np.exp(-0.01)) / 25.0 * np.exp(-0.01 * np.arange(500))
    np.testing.assert_allclose(trace["v"][:, 0], np.convolve(current, response)[:500], rtol=1e-9, atol=1e-6)
    assert len(spikes[0]) == 0
    assert trace["v"].max() > 1e3


def test_a_leaky_integrator_is_linear():
    def potential(pulse):
        inbox = {"exponential_current": np.array(pulse)}
        return simulate("leaky_integrator", 20.0, 0.1, n=3, receptors=("exponential_current",), inbox=inbox)[0]["v"]

    found = potential([100.0, -250.0, -150.0])
    np.testing.assert_allclose(found[:, 0] + found[:, 1], found[:, 2], rtol=1e-12)
