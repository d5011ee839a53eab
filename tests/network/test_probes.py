import pytest

from tests.examples import build_brain, small_brain
from twinbrain.errors import SpecError
from twinbrain.spec.record import Record


def probes(*rows):
    return build_brain(small_brain(6), record=Record.parse({"state": list(rows)})).probes


def test_a_variable_is_sampled_in_every_block_that_has_it():
    found = probes({"variable": "v", "interval": "0.5 ms"})
    models = ["adex", "izhikevich_2007", "lif_conductance", "lif_current"]
    assert sorted(probe.name for probe in found) == [f"0_v_{model}" for model in models]
    assert {(probe.variable, probe.unit, probe.every) for probe in found} == {("v", "mV", 5)}


def test_the_first_neurons_of_each_population_are_sampled():
    network = build_brain(small_brain(6), record=Record.parse({"state": [{"variable": "w", "neurons": 3}]}))
    (probe,) = network.probes
    populations = [p for p in network.populations if p.population == "pyr"]
    assert probe.places.tolist() == [p.offset + i for p in populations for i in range(3)]
    assert network.blocks[probe.block].name == "adex"
    assert probe.unit == "pA"


def test_regions_and_populations_are_chosen_by_pattern():
    (probe,) = probes({"variable": "g_ampa", "regions": "CX-[03]", "population": "p[yv]r", "neurons": 1000})
    assert len(probe.places) == 80


def test_several_records_are_kept_apart():
    names = [probe.name for probe in probes({"variable": "u"}, {"variable": "u", "interval": "3 ms"})]
    assert names == ["0_u_izhikevich_2007", "1_u_izhikevich_2007"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"variable": "x"}, "record.state[0].variable: unknown variable 'x'; Known: I_exponential_current, g_ampa, "),
        ({"variable": "g_amp"}, "record.state[0].variable: unknown variable 'g_amp'; did you mean 'g_ampa'?"),
        (
            {"variable": "u", "population": "pyr"},
            "record.state[0].variable: unknown variable 'u'; Known: g_ampa, g_gaba_a, ",
        ),
        (
            {"variable": "v", "population": "pyra"},
            "record.state[0]: no population 'pyra' in regions '*'; did you mean 'pyr'?",
        ),
        ({"variable": "v", "regions": "V*"}, "record.state[0]: no population '*' in regions 'V*'"),
    ],
)
def test_what_is_not_there_cannot_be_sampled(row, message):
    with pytest.raises(SpecError) as caught:
        probes(row)
    assert str(caught.value).startswith(message)
    assert len(caught.value.problems) == 1
