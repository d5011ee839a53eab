"""A task meets a region: by default where axons arrive, and what does not fit is said."""

import pytest

import twinbrain as tb
from tests.learn.brains import joined
from tests.learn.networks import CONDUCTANCE, recurrent, which_channels
from twinbrain.learn.attach import attach
from twinbrain.models.library import neuron_model
from twinbrain.spec.training import InputSpec, ReadoutSpec

TASK = which_channels(n_trials=6)
CONDUCTING = recurrent("lif_conductance", receptors=CONDUCTANCE)


def attached(region, task=TASK, input_=None, readout=None):
    return attach(region, task, InputSpec(**input_ or {}), ReadoutSpec(**readout or {}))


def ends(region, source=None, target=None):
    return [(p.source, p.target, *p.receptor) for p in region.projections if p.source == source or p.target == target]


def with_ports(region, **ports):
    return region.model_copy(update={"ports": tb.Ports(**ports)})


def test_channels_and_outputs_are_populations_of_their_number():
    region = attached(recurrent())
    assert {name: region.populations[name].size for name in ("input", "readout")} == {"input": 12, "readout": 3}
    assert region.cell_of("input").model == "relay"
    assert region.cell_of("readout").model == "leaky_integrator"
    assert attached(region) == region


def test_by_default_excitatory_neurons_are_reached_and_all_are_read():
    region = attached(recurrent())
    assert ends(region, source="input") == [("input", "e", "exponential_current")]
    assert ends(region, target="readout") == [("e", "readout", "delta"), ("i", "readout", "delta")]


def test_ports_decide_where_there_are_any():
    ports = {"outputs": ["i"], "inputs": {"i": {"share": 1, "glutamate": "gaba_a"}, "e": 1}}
    region = attached(with_ports(CONDUCTING, **ports))
    assert ends(region, source="input") == [("input", "i", "gaba_a"), ("input", "e", "ampa")]
    assert ends(region, target="readout") == [("i", "readout", "delta")]


def test_what_is_asked_for_comes_before_both():
    region = attached(
        with_ports(CONDUCTING, outputs=["e"], inputs={"e": 1}),
        input_={"populations": ["i"], "receptor": "gaba_a", "probability": 0.5, "weight": "2 nS"},
        readout={"populations": ["i"], "time_constant": "50 ms"},
    )
    (given,) = [p for p in region.projections if p.source == "input"]
    assert (given.target, given.receptor, given.connect.probability, given.weight) == (
        "i",
        {"gaba_a": 1.0},
        0.5,
        "2 nS",
    )
    assert ends(region, target="readout") == [("i", "readout", "delta")]
    assert region.cell_of("readout").parameters["g_L"] == "2 nS"


@pytest.mark.parametrize(
    ("input_", "readout", "error", "text"),
    [
        ({"populations": ["x"]}, {}, tb.SpecError, "train.input.populations: unknown population 'x'; Known: e, i"),
        ({}, {"populations": ["x"]}, tb.SpecError, "train.readout.populations: unknown population 'x'"),
        (
            {"receptor": "ampa"},
            {},
            tb.SpecError,
            "train.input.receptor: expected a receptor of population 'e' (exponential_current), found 'ampa'",
        ),
    ],
)
def test_unknown_names_are_said_with_what_there_is(input_, readout, error, text):
    with pytest.raises(error) as caught:
        attached(recurrent(), input_=input_, readout=readout)
    assert text in str(caught.value)


def changed(region, **populations):
    return region.model_copy(update={"populations": region.populations | populations})


def test_names_that_are_taken_and_sizes_that_do_not_fit_are_said():
    region = recurrent()
    for name in ("input", "readout"):
        taken = region.model_copy(update={"cells": region.cells | {name: tb.Cell(model="lif_current")}})
        with pytest.raises(tb.LearnError, match=rf"expected no cell named '{name}', which the task's population takes"):
            attached(taken)
    more = which_channels(n_trials=6, n_channels=15, n_classes=5)
    for name, text in (("input", "expected 15 neurons.* channels, found 12"), ("readout", "expected 5 .* found 3")):
        whole = attached(region)
        own = {
            kind: {key: value for key, value in getattr(whole, kind).items() if key in ("e", "i", name)}
            for kind in ("cells", "populations")
        }
        partly = whole.model_copy(update=own | {"projections": ()})
        with pytest.raises(tb.LearnError, match=rf"populations\.{name}: {text}"):
            attached(partly, more)


def test_an_input_that_is_no_relay_is_refused():
    region = changed(recurrent(), input=tb.Population(cell="e", size=12))
    with pytest.raises(tb.LearnError, match=r"expected relays with the receptor 'delta'.*found 'lif_current'"):
        attached(region)


def test_a_model_of_ones_own_is_no_relay_for_its_name():
    whole, models = attached(recurrent()), {"relay": neuron_model("lif_current")}
    with pytest.raises(
        tb.LearnError, match=r"expected relays .* found a model of the region's own, 'relay' with delta"
    ):
        attached(whole.model_copy(update={"models": models}))


def test_drives_on_the_input_are_refused():
    drive = tb.Drive(population="input", receptor="delta", rate="100 Hz", weight="1 mV")
    with pytest.raises(tb.LearnError, match=r"populations\.input: expected no drives, .* found 1; leave them out"):
        attached(attached(recurrent()).replace(drives=[drive]))


@pytest.mark.parametrize(
    "cell",
    [
        {"parameters": {"V_th": "5 mV"}},
        {"parameters": {"V_th": {"uniform": ["0.5 mV", "5 mV"]}}},
        {"initial": {"v": "5 mV"}, "parameters": {"tau": "10 ms"}},
    ],
)
def test_relays_that_do_not_pass_every_spike_on_are_refused(cell):
    region = attached(recurrent())
    changed_cells = region.cells | {"input": region.cells["input"].replace(**cell)}
    with pytest.raises(tb.LearnError, match=r"populations\.input: expected relays that spike at each event of 1 mV"):
        tb.train(region.replace(cells=changed_cells), TASK, epochs=1)


def test_relays_of_other_parameters_that_pass_every_spike_on_are_taken():
    region = attached(recurrent())
    cell = region.cells["input"].replace(parameters={"V_th": "0.9 mV", "tau": "0.02 ms"})
    trained = tb.train(region.replace(cells=region.cells | {"input": cell}), TASK, epochs=1)
    assert trained.replay("reference", n_trials=2).mismatched == 0


def test_regions_at_labels_that_differ_in_their_signs_alone_have_names_of_their_own():
    brain = attached(joined(["V-1", "V_1", "V.1"]), input_={"region": "V-1"}, readout={"region": "V_1"})
    assert {label: own.name for label, own in brain.regions.items()} == {
        "V-1": "test/recurrent.V_1",
        "V_1": "test/recurrent.V_1_2",
        "*": "test/recurrent",
    }
    assert attached(brain) == brain


@pytest.mark.parametrize("which", ["input_", "readout"])
def test_the_region_that_is_named_has_to_be_there(which):
    region, brain = recurrent(), attached(joined(), input_={"region": "A"}, readout={"region": "A"})
    assert attached(region, **{which: {"region": region.name}}) == attached(region)
    for model, text in ((region, "'B' to fit one region, found none"), (brain, "a pattern that fits A, .* found 'B'")):
        with pytest.raises(tb.LearnError, match=rf"train\.{which.strip('_')}\.region: expected .*{text}"):
            attached(model, **{which: {"region": "B"}})


def test_a_region_without_excitatory_neurons_or_ports_is_told_to_name_populations():
    region = recurrent()
    inhibitory = changed(region, e=tb.Population(cell="e", size=16, transmitter="gaba"))
    with pytest.raises(tb.LearnError, match=r"found none; name them in input\.populations: e, i"):
        attached(inhibitory)
    assert ends(attached(inhibitory, input_={"populations": ["e"]}), source="input")


def test_in_a_brain_patterns_fit_one_region():
    connectome = tb.synthetic_connectome(4)
    brain = tb.Brain(connectome=connectome, regions={"*": recurrent()})
    with pytest.raises(
        tb.LearnError, match=r"train\.input\.region: expected the pattern '\*' to fit one region, found 4"
    ):
        attached(brain)
    one, other = connectome.labels[0], connectome.labels[2]
    found = attached(brain, input_={"region": one}, readout={"region": other})
    regions = dict(zip(connectome.labels, found.assignment(connectome.labels), strict=True))
    assert {label for label, own in regions.items() if "input" in own.populations} == {one}
    assert {label for label, own in regions.items() if "readout" in own.populations} == {other}


def test_the_input_reaches_something_or_training_does_not_begin():
    with pytest.raises(tb.LearnError, match=r"expected synapses of the input, found none; raise its probability"):
        tb.train(recurrent(), TASK, input={"probability": 1e-9}, precision="float64")
    region = recurrent()
    silent = region.cells["e"].model_copy(update={"parameters": {"V_th": "1e9 mV"}})
    region = region.model_copy(update={"cells": region.cells | {"e": silent}})
    with pytest.raises(tb.LearnError, match=r"expected weights with which e spike at 15 Hz, found none.*that excites"):
        tb.train(region, TASK, precision="float64")


def test_the_network_begins_at_the_rate_that_is_asked_for():
    drive = tb.Drive(population="e", receptor="exponential_current", rate="2 kHz", weight="150 pA")
    for region, low, high in ((recurrent(), 10, 22), (recurrent(drives=[drive]), 22, 200)):
        trained = tb.train(region, which_channels(n_trials=48), epochs=1, learning_rate=1e-9, precision="float64")
        assert low < float(trained.curves["rate"].sel(population="e")[0]) < high


@pytest.mark.parametrize(("what", "ports"), [("input", {"inputs": {"i": 1}}), ("readout", {"outputs": ["i"]})])
def test_after_a_lesion_no_population_takes_the_place_of_one_that_is_gone(what, ports):
    cut = with_ports(recurrent(), **ports).without(populations="i")
    with pytest.raises(tb.LearnError, match=rf"train.{what}: expected a population with a port that is left .*: e$"):
        attached(cut)
    assert attached(cut, **{"input_" if what == "input" else what: {"populations": ["e"]}}).populations
