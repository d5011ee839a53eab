import pytest

from tests.models.simulation import simulate
from twinbrain import units
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.step import step_program


@pytest.mark.parametrize("name", NEURON_MODELS)
def test_every_neuron_has_a_source_all_its_defaults_and_rests(name):
    model = NEURON_MODELS[name]
    program = step_program(model, {})
    assert model.references
    assert set(model.parameters) == set(program.parameters)
    trace, spikes = simulate(name, 500.0, 0.1)
    assert len(spikes[0]) == 0
    assert trace["v"][-1] == pytest.approx(units.number(model.initial["v"], "mV"), abs=0.1)
