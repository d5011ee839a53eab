import pytest

import twinbrain as tb
from tests.examples import CORTEX, build_region, region_data
from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.models.neurons import ADEX
from twinbrain.models.receptors import AMPA, RECEPTOR_MODELS
from twinbrain.models.step import step_program
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


def test_a_cell_card_is_a_cell_of_a_region():
    cell = tb.cell_card("adex/bursting", receptors=["ampa", "gaba_a"])
    region = Region(name="test/bursting", cells={"pyr": cell}, populations={"pyr": tb.Population(cell="pyr", size=3)})
    (block,) = build_region(region).blocks
    assert block.program.jumps == {"ampa": "g_ampa", "gaba_a": "g_gaba_a"}
    assert block.constants["b"].tolist() == [100.0] * 3
    assert block.initial["v"].tolist() == [-58.0] * 3
    assert Region.parse(region.to_dict()) == region


def test_an_unknown_cell_card_is_refused_with_the_nearest():
    with pytest.raises(
        SpecError, match=r"^unknown cell card 'adex/burst'; did you mean 'adex/bursting'\? Known: adex/"
    ):
        tb.cell_card("adex/burst")


@pytest.mark.parametrize("name", tb.cell_card_names())
def test_every_cell_card_fits_its_model_and_names_its_source(name):
    cell = tb.cell_card(name)
    model = neuron_model(cell.model)
    assert name.startswith(f"{cell.model}/")
    assert cell.references
    assert set(cell.parameters) <= set(model.parameters)
    for key, value in cell.parameters.items():
        units.coherent(value, step_program(model, {}).parameters[key])
