import numpy as np
import pytest
import scipy.sparse
import torch

from tests.examples import build_brain, small_brain
from twinbrain.engines.reference import prepare as reference
from twinbrain.errors import SpecError
from twinbrain.spec.record import Record, StateRecord


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
        ({"variable": "x"}, "record.state[0].variable: unknown variable 'x'; Known: I_ampa, I_exponential_current, "),
        ({"variable": "g_amp"}, "record.state[0].variable: unknown variable 'g_amp'; did you mean 'g_ampa'?"),
        (
            {"variable": "u", "population": "pyr"},
            "record.state[0].variable: unknown variable 'u'; Known: I_ampa, I_gaba_a, ",
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


def test_chosen_neurons_of_each_population_are_sampled():
    rows = [{"variable": "w", "neurons": [5, 1]}, {"variable": "w", "neurons": {"start": 1, "stop": 8, "step": 3}}]
    network = build_brain(small_brain(6), record=Record.parse({"state": rows}))
    populations = [p for p in network.populations if p.population == "pyr"]
    listed, sliced = (probe.places.tolist() for probe in network.probes)
    assert listed == [p.offset + i for p in populations for i in (1, 5)]
    assert sliced == [p.offset + i for p in populations for i in (1, 4, 7)]


def test_a_slice_and_a_range_choose_in_python():
    assert StateRecord(variable="v", neurons=slice(2, 8, 3)).chosen(7) == [2, 5]
    assert StateRecord(variable="v", neurons=slice(3, None)).chosen(5) == [3, 4]
    assert StateRecord(variable="v", neurons=range(4, 0, -2)).chosen(3) == [2]
    for listed in (np.array([1, 1, 0]), torch.tensor([1, 0]), {1, 0}, iter([1, 0]), np.ma.masked_array([1, 0])):
        assert StateRecord(variable="v", neurons=listed).chosen(9) == [0, 1]
    assert StateRecord(variable="v", neurons=np.array(2)).chosen(9) == [0, 1]


@pytest.mark.parametrize(
    "neurons",
    [
        *(0, [], [-1], [0.5], "all", True, None, slice(-3, None), {"start": 1, "end": 3}, np.array([True, False])),
        *(np.array(0.5), torch.tensor(True), np.array([1], "m8[s]"), scipy.sparse.eye_array(2), np.ones((1, 1), int)),
        np.ma.masked_array([0, 1], mask=[False, True]),
    ],
)
def test_a_choice_that_is_none_is_refused(neurons):
    with pytest.raises(SpecError, match="neurons"):
        StateRecord(variable="v", neurons=neurons)


@pytest.mark.parametrize("variable", ["time", "neuron"])
def test_a_variable_named_as_a_dimension_of_its_samples_is_not_recorded(variable):
    with pytest.raises(SpecError, match=rf"state\[0\].variable: expected .*, found '{variable}'; give the variable an"):
        Record.parse({"state": [{"variable": variable}]}, "record")


@pytest.mark.parametrize(
    ("neurons", "found"),
    [([4000], "4000"), ([0, 1, 40], "40"), (range(39, 60), "40, 41, 42, 43 and 16 more"), (slice(40, None), "none")],
)
def test_numbers_that_no_population_has_are_refused_with_the_size_of_the_largest(neurons, found):
    expected = rf"expected numbers under 40, the size of CX-0/pyr, the largest of these populations, found {found};"
    with pytest.raises(SpecError, match=rf"record\.state\[0\]\.neurons: {expected}"):
        probes({"variable": "w", "neurons": neurons})


def test_a_number_that_only_populations_without_the_variable_have_is_refused():
    with pytest.raises(SpecError, match=r"expected numbers under \d+, the size of TH-1/.*, found 39;"):
        probes({"variable": "u", "neurons": [0, 39]})  # which pyramidal cells, of 40 neurons, do not have


def test_a_number_that_some_populations_have_is_sampled_of_those():
    (probe,) = probes({"variable": "g_ampa", "regions": "CX-0", "population": "p[yv]r", "neurons": [39]})
    assert len(probe.places) == 1


def test_a_choice_survives_writing_and_reading():
    for neurons in (3, [4, 2], slice(1, 9, 2)):
        record = Record(state=(StateRecord(variable="v", neurons=neurons),))
        assert Record.parse(record.to_dict()) == record
        assert record.replace() == record


def test_the_current_of_a_receptor_is_its_conductance_times_the_driving_force():
    record = Record(
        state=tuple(StateRecord(variable=name, population="pyr", neurons=40) for name in ("v", "g_ampa", "I_ampa"))
    )
    network = build_brain(small_brain(6), record=record)
    simulation = reference(network)
    simulation.advance(300)
    samples = simulation.collect().samples
    v, g, current = (samples[probe.name] for probe in network.probes)
    assert network.probes[2].unit == "pA"
    assert np.abs(current).max() > 1.0
    np.testing.assert_allclose(current, g * (0.0 - v), rtol=1e-12)  # a conductance in nS, the reversal at 0 mV
