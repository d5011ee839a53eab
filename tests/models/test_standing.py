"""What a receptor gives while nothing arrives, by its equations."""

from twinbrain.models.library import neuron_model
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.standing import gives_alone

LEAKY = neuron_model("lif_conductance")


def test_of_the_library_a_coloured_current_with_a_mean_flows_of_itself_alone():
    alone = {name for name, own in RECEPTOR_MODELS.items() if gives_alone(LEAKY, name, own, own.parameters)}
    assert alone == {"ou_current"}
    assert not gives_alone(LEAKY, "ou_current", RECEPTOR_MODELS["ou_current"], {"sigma_ou_current", "tau_ou_current"})


def test_what_a_receptor_begins_with_flows():
    assert gives_alone(LEAKY, "ampa", RECEPTOR_MODELS["ampa"], {"tau_ampa", "E_ampa", "g_ampa"})
    assert gives_alone(
        LEAKY, "alpha_current", RECEPTOR_MODELS["alpha_current"], {"tau_alpha_current", "x_alpha_current"}
    )
