"""Keys of a workflow that are given other values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinbrain as tb
from tests.examples import CORTEX, RELAY, region_data, small_brain
from twinbrain.errors import SpecError
from twinbrain.run.sweep.assign import assigned, full_key
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.workflow import Workflow

STIMULI = [
    {"name": name, "regions": "CX-*", "population": "pyr", "receptor": "ampa", "rate": "1 kHz", "weight": "1 nS"}
    | {"start": "1 ms", "duration": "2 ms"}
    for name in ("pulse", "flash")
]


def declared():
    data = {"name": "small", "brain": small_brain(3), "stimuli": STIMULI, "run": {"engine": "reference"}}
    return Workflow.parse(data)


WORKFLOW = declared()
REGIONS = WORKFLOW.brain.regions


def cortex(workflow):
    return workflow.brain.regions["CX-*"]


def relay(workflow):
    return workflow.brain.regions["TH-*"]


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("run.seed", 7, lambda w: w.run.seed),
        ("seed", 7, lambda w: w.run.seed),
        ("drive_seed", 7, lambda w: w.run.drive_seed),
        ("brain.coupling", 0.5, lambda w: w.brain.coupling),
        ("coupling", 0.5, lambda w: w.brain.coupling),
        ("name", "other", lambda w: w.name),
        ("engine", "brian2-numpy", lambda w: w.run.engine),
        ("long_range.in_degree", 3, lambda w: w.brain.long_range.in_degree),
        ("record.spikes", False, lambda w: w.record.spikes),
        ("stimuli.0.rate", "3 Hz", lambda w: f"{w.stimuli[0].rate:g} Hz"),
        ("stimuli.flash.rate", "3 Hz", lambda w: f"{w.stimuli[1].rate:g} Hz"),
        ("regions.CX-*.cells.pyr.parameters.b", "3 pA", lambda w: cortex(w).cells["pyr"].parameters["b"]),
        ("regions.'CX-*'.cells.pyr.parameters.b", "3 pA", lambda w: cortex(w).cells["pyr"].parameters["b"]),
        (
            'brain.regions."test/cortex".cells.pyr.parameters.b',
            "3 pA",
            lambda w: cortex(w).cells["pyr"].parameters["b"],
        ),
        ("regions.test/cortex.parameters.b", "3 pA", lambda w: cortex(w).cells["pyr"].parameters["b"]),
        ("regions.CX-*.populations.pv.size", 4, lambda w: cortex(w).populations["pv"].size),
        ("regions.CX-*.drives.pv.weight", "3 nS", lambda w: cortex(w).drives[1].weight),
        ("regions.CX-*.drives.1.weight", "3 nS", lambda w: cortex(w).drives[1].weight),
        ("regions.CX-*.projections.pv->pv.weight", "3 nS", lambda w: cortex(w).projections[3].weight),
        ("regions.TH-*.projections.feedback.weight", "3 pA", lambda w: relay(w).projections[2].weight),
        ("regions.CX-*.cells.pyr.initial.v", "-60 mV", lambda w: cortex(w).cells["pyr"].initial["v"]),
        (
            "regions.CX-*.cells.pv.parameters.V_th.first",
            "-51 mV",
            lambda w: cortex(w).cells["pv"].parameters["V_th"].first,
        ),
    ],
)
def test_a_key_takes_its_value_and_all_else_stays(key, value, read):
    before = declared()
    changed = assigned(before, {key: value})
    assert read(changed) == value
    assert changed.digest != before.digest
    assert before == WORKFLOW
    # What was there before brings all back, so nothing else has changed.
    assert assigned(changed, {key: read(before)}) == before


def paths(value, place=()):
    """Yield every key that leads to a plain value, and the value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*place, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from paths(inner, (*place, str(i)))
    elif value is not None:
        yield ".".join(f'"{part}"' for part in place), value


PATHS = [(key, value) for key, value in paths(WORKFLOW.model_dump(mode="json")) if "connectome" not in key]


@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=4))
def test_giving_keys_the_values_that_they_have_changes_nothing(chosen):
    same = assigned(WORKFLOW, dict(chosen))
    assert same == WORKFLOW
    assert same.digest == WORKFLOW.digest


@given(st.integers(0, 2**63 - 1), st.floats(0, 10), st.booleans())
def test_keys_do_not_disturb_each_other(seed, coupling, seed_first):
    values = {"seed": seed, "coupling": coupling}
    changed = assigned(WORKFLOW, values if seed_first else dict(reversed(values.items())))
    assert (changed.run.seed, changed.brain.coupling) == (seed, coupling)
    assert assigned(changed, {"seed": WORKFLOW.run.seed, "coupling": WORKFLOW.brain.coupling}) == WORKFLOW


@pytest.mark.parametrize("region", ["*", "test", "?H-?", "test/*"])
def test_a_family_or_a_pattern_takes_all_regions_that_fit(region):
    changed = assigned(WORKFLOW, {f"regions.{region}.summary": "new"})
    fits = ["TH-*"] if region == "?H-?" else ["TH-*", "CX-*"]
    assert [name for name, found in changed.brain.regions.items() if found.summary == "new"] == fits
    assert list(changed.brain.regions) == list(REGIONS)


def test_all_drives_can_be_meant():
    changed = assigned(WORKFLOW, {"regions.*.drives.*.rate": "5 Hz"})
    assert {drive.rate for region in changed.brain.regions.values() for drive in region.drives} == {5.0}


def test_a_number_means_a_place_before_it_means_a_name():
    data = region_data(RELAY)
    cell, drive = next(iter(data["cells"])), data["drives"][0]
    region = {
        "name": "test/numbered",
        "cells": {cell: data["cells"][cell]},
        "populations": {number: {"cell": cell, "size": 2} for number in ("0", "1")},
        "drives": [drive | {"population": "1"}, drive | {"population": "0"}],
    }
    workflow = Workflow(name="numbered", brain=single_region_brain(tb.Region.parse(region)))
    changed = assigned(workflow, {"regions.*.drives.0.rate": "5 Hz"}).brain.regions["*"].drives
    assert [found.rate for found in changed] == [5.0, workflow.brain.regions["*"].drives[1].rate]


def test_a_parameter_of_a_region_goes_to_every_cell_that_gives_it():
    changed = cortex(assigned(WORKFLOW, {"regions.test/cortex.parameters.C_m": "90 pF"}))
    assert [cell.parameters["C_m"] for cell in changed.cells.values()] == ["90 pF", "90 pF"]
    changed = cortex(assigned(WORKFLOW, {"regions.test/cortex.parameters.V_th": "-49 mV"}))
    assert "V_th" not in changed.cells["pyr"].parameters
    assert changed.cells["pv"].parameters["V_th"] == "-49 mV"


def test_a_parameter_that_no_cell_gives_goes_to_all_that_have_it():
    changed = cortex(assigned(WORKFLOW, {"regions.CX-*.parameters.E_ampa": "1 mV"}))
    assert [cell.parameters["E_ampa"] for cell in changed.cells.values()] == ["1 mV", "1 mV"]
    column = assigned(WORKFLOW, {"regions.CX-*": "cortex/column"})
    changed = cortex(assigned(column, {"regions.CX-*.parameters.E_gaba_b": "-95 mV"}))  # a receptor of pyr alone
    assert [name for name, cell in changed.cells.items() if "E_gaba_b" in cell.parameters] == ["pyr"]


def test_a_distribution_and_a_whole_region_can_be_given():
    changed = assigned(WORKFLOW, {"regions.CX-*.parameters.b": {"normal": ["40 pA", "4 pA"], "min": "0 pA"}})
    assert cortex(changed).cells["pyr"].parameters["b"] == Distribution.parse(
        {"normal": ["40 pA", "4 pA"], "min": "0 pA"}
    )
    other = tb.Region.parse(region_data(RELAY))
    for value in (other, region_data(RELAY)):
        assert cortex(assigned(WORKFLOW, {"regions.CX-*": value})) == other
    assert cortex(assigned(WORKFLOW, {"regions.CX-*": "cortex/column"})) == tb.load_region("cortex/column")
    assert cortex(
        assigned(assigned(WORKFLOW, {"regions.CX-*": other}), {"regions.CX-*": region_data(CORTEX)})
    ) == cortex(WORKFLOW)


def test_a_table_is_given_where_nothing_is_declared():
    alone = WORKFLOW.replace(train=None)
    assert assigned(alone, {"train": {"task": "xor"}}).train.task.name == "xor"


@pytest.mark.parametrize(
    ("key", "value", "texts"),
    [
        ("", 1, ["expected a key such as coupling"]),
        ("coupling.", 1, ["expected a key such as coupling"]),
        ("run..seed", 1, ["run..seed", "expected a key such as coupling"]),
        ('run."seed', 1, ["expected a key such as coupling"]),
        ("copling", 1, ["copling: unknown key 'copling'; did you mean 'coupling'?"]),
        ("run.sed", 1, ["run.sed (run): unknown key 'sed'; did you mean 'seed'?"]),
        ("coupling.x", 1, ["coupling.x (brain.coupling): expected a table, found the value 1.0; shorten the key"]),
        ("regions.nowhere.summary", "", ["brain.regions", "nothing here is called 'nowhere'", "CX-*", "test/cortex"]),
        ("regions.nowhere", "cortex/column", ["nothing here is called 'nowhere'"]),
        ("regions.CX-*", "cortex/colum", ["unknown region 'cortex/colum'; did you mean 'cortex/column'?"]),
        ("regions.CX-*.cells.pv.parameter.b", "1 pA", ["unknown key 'parameter'; did you mean 'parameters'?"]),
        ("regions.CX-*.drives.pve.rate", "1 Hz", ["nothing here is called 'pve'; did you mean 'pv'?", "pyr"]),
        ("regions.CX-*.drives.2.rate", "1 Hz", ["nothing here is called '2'", "0, 1"]),
        ("regions.CX-*.cells.x*.parameters.b", "1 pA", ["nothing here is called 'x*'"]),
        ("stimuli.puls.rate", "1 Hz", ["nothing here is called 'puls'; did you mean 'pulse'?"]),
        ("seed", 1.5, ["seed (run.seed)", "integer", "1.5"]),
        ("seed", -1, ["seed (run.seed)", "greater than or equal to 0", "-1"]),
        ("dt", "1 mV", ["dt (run.dt)", "expected a quantity in ms, found '1 mV'"]),
        ("dt", 0.1, ["dt (run.dt)", "expected a quantity in ms, found 0.1 without a unit"]),
        ("coupling", float("nan"), ["coupling (brain.coupling)", "finite"]),
        ("coupling", None, ["coupling (brain.coupling)", "None"]),
        ("regions.CX-*.populations.pv.size", 0, ["brain.regions.CX-*.populations.pv", "greater than"]),
        ("run", {"drive_seed": 5}, ["run: expected the keys that change", 'between quotes: "run.drive_seed" = …']),
        ("brain.long_range", {"in_degree": 9}, ["lose weight", 'quotes: "brain.long_range.in_degree" = …']),
        ("regions", {"*": {"scale": 2}}, ["lose TH-*, CX-*;", 'between quotes: "regions.*" = …']),
        ("stimuli", {"pulse": {"rate": "1 Hz"}}, ["the rest of the list;", 'quotes: "stimuli.pulse.rate" = …']),
        (
            "regions.*.parameters",
            {"C_m": "9 pF"},
            ["regions.*.parameters: expected the keys that change", '"regions.*.parameters.C_m" = …'],
        ),
        ("sweep.batch", 2, ["expected a table, found the value None"]),
    ],
)
def test_what_cannot_be_is_refused_saying_where(key, value, texts):
    with pytest.raises(SpecError) as error:
        assigned(WORKFLOW, {key: value})
    for text in texts:
        assert text in str(error.value)


def test_stimuli_of_a_workflow_without_any_are_named_as_missing():
    with pytest.raises(SpecError, match="nothing here is called 'pulse'; Known: none"):
        assigned(WORKFLOW.model_copy(update={"stimuli": ()}), {"stimuli.pulse.rate": "1 Hz"})


def test_keys_take_their_values_one_after_the_other_which_is_told_where_numbers_depend_on_each_other():
    size, values = "regions.*.populations.e.size", "regions.*.cells.c.parameters.I_e"
    cell = tb.Cell(model="lif_current", receptors=["delta"])
    region = tb.Region(name="x/a", cells={"c": cell}, populations={"e": tb.Population(cell="c", size=4)})
    given = {values: {"values": [1, 2, 3], "unit": "pA"}, size: 3}
    before = Workflow(name="w", brain=single_region_brain(region))
    with pytest.raises(SpecError, match=r"expected 4 values, .*\.e\.size comes later\): put that .* first"):
        assigned(before, given)
    assert len(assigned(before, dict(reversed(given.items()))).brain.regions["*"].cells["c"].parameters["I_e"]) == 3
    with pytest.raises(SpecError) as error:
        assigned(before, {values: given[values]})
    assert "comes later" not in str(error.value)


def test_short_and_long_keys_are_one():
    assert full_key("coupling") == full_key("brain.coupling") == ["brain", "coupling"]
    assert full_key("seed") == full_key("run.'seed'") == ["run", "seed"]
    assert full_key('regions."a.b".name') == ["brain", "regions", "a.b", "name"]
    assert full_key("name") == ["name"]  # the workflow's, not the brain's


def test_a_region_at_a_label_with_brackets_stands_nowhere_else_at_another_connectome():
    """As a pattern, ``M[1]`` would mean ``M1``."""
    region = small_brain(3).regions["TH-*"]
    connectome = tb.Connectome([[0.0] * 2] * 2, [[0.0] * 2] * 2, ["M[1]", "M1"])
    brain = tb.Brain(connectome=connectome, regions={"M[1]": region.replace(name="x/own"), "*": region})
    before = Workflow(name="w", brain=brain)
    with pytest.raises(SpecError, match=r"^connectome \(brain\.regions\): expected the label 'M\[1\]'"):
        assigned(before, {"connectome": connectome.select("M1")})
    unread = assigned(before, {"connectome": "others.npz", "regions.M[1].populations.relay.size": 7}).brain
    assert [found.populations["relay"].size == 7 for found in unread.assignment(["M[1]", "M1"])] == [True, False]
    with pytest.raises(SpecError, match="the pattern matches no region"):
        unread.assignment(["M1"])
