import pytest

from tests.examples import CORTEX, region_data
from twinbrain.errors import SpecError
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.models.neurons import ADEX
from twinbrain.models.receptors import AMPA, RECEPTOR_MODELS
from twinbrain.spec.region import Region


def test_models_of_the_library_are_found_by_name():
    assert neuron_model("adex") == ADEX
    assert receptor_model("ampa") == AMPA


def test_a_regions_own_models_come_first():
    data = region_data(CORTEX)
    own = RECEPTOR_MODELS["ampa"].model_copy(update={"parameters": {"E_ampa": "5 mV", "tau_ampa": "3 ms"}})
    data["receptors"] = {"ampa": own.to_dict()}
    data["models"] = {"adex": ADEX.model_copy(update={"method": "rk2"}).to_dict()}
    region = Region.parse(data)
    assert receptor_model("ampa", region) == own
    assert neuron_model("adex", region).method == "rk2"
    assert receptor_model("nmda", region) == RECEPTOR_MODELS["nmda"]


def test_unknown_models_are_refused_with_the_nearest():
    with pytest.raises(SpecError, match=r"^unknown neuron model 'adx'; did you mean 'adex'\? Known: adex, alif, eif, "):
        neuron_model("adx")
    with pytest.raises(
        SpecError, match=r"^unknown receptor 'gabaa'; did you mean 'gaba_a'\? Known: alpha_conductance, "
    ):
        receptor_model("gabaa")
