"""Keys of a sweep that lead to one place."""

import pytest

from tests.run.sweep.test_assign import CORTEX, WORKFLOW, region_data
from twinbrain.errors import SpecError
from twinbrain.run.sweep.assign import assigned_at
from twinbrain.spec.axes import axes_of, values_at
from twinbrain.spec.overlap import check_places
from twinbrain.spec.sweep import Sweep

C_M = "regions.CX-*.cells.pyr.parameters.C_m"
OF_ALL = "regions.*.cells.*.parameters.C_m"
OTHER = region_data(CORTEX)


def check(point=0, **data):
    axes = axes_of(Sweep.parse(data))
    check_places(assigned_at(WORKFLOW, values_at(axes, point))[1], axes)


def test_places_are_told_with_patterns_and_names_resolved():
    keys = ("seed", "regions.*.drives.pv.weight", "regions.test/cortex.parameters.E_ampa", "stimuli.flash.rate")
    with pytest.raises(SpecError):
        assigned_at(WORKFLOW, dict.fromkeys(keys[1:], "1 nS"))  # the other region has no such drive
    values = {"seed": 3, "regions.CX-*.drives.pv.weight": "1 nS", keys[2]: "1 mV", keys[3]: "3 Hz"}
    cells = [("brain", "regions", "CX-*", "cells", cell, "parameters", "E_ampa") for cell in ("pyr", "pv")]
    assert list(assigned_at(WORKFLOW, values)[1].values()) == [
        [("run", "seed")],
        [("brain", "regions", "CX-*", "drives", "1", "weight")],
        cells,
        [("stimuli", "1", "rate")],
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"parameters": {OF_ALL: ["1 pF"], C_M: ["2 pF"]}}, "both give a value to brain.regions.CX-*.cells.pyr"),
        ({"parameters": {C_M: ["2 pF"], OF_ALL: ["1 pF"]}}, "both give a value to brain.regions.CX-*.cells.pyr"),
        (
            {"parameters": {"regions.CX-*.drives.1.weight": ["1 nS"], "regions.CX-*.drives.pv.weight": ["2 nS"]}},
            "both give a value to brain.regions.CX-*.drives.1.weight",
        ),
        ({"parameters": {C_M: ["2 pF"]}, "cases": {"one": {OF_ALL: "1 pF"}}}, "both give a value to"),
        ({"parameters": {C_M: ["2 pF"], "regions.CX-*": [OTHER]}}, "'regions.CX-*' replaces brain.regions.CX-*.cells"),
        ({"cases": {"one": {C_M: "2 pF", "regions.CX-*": OTHER}}}, "put 'regions.CX-*' first, or leave one out"),
        ({"together": [{C_M: ["2 pF"], OF_ALL: ["1 pF"]}]}, "give it values once"),
    ],
)
def test_a_key_that_undoes_another_is_refused(data, message):
    with pytest.raises(SpecError) as error:
        check(**data)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        {"cases": {"one": {"regions.CX-*": OTHER, C_M: "2 pF"}}},
        {"cases": {"one": {"regions.CX-*": OTHER}}, "parameters": {C_M: ["2 pF"]}},
        {"cases": {"all but one": {OF_ALL: "1 pF", C_M: "2 pF"}}},
        {"cases": {"one": {C_M: "1 pF"}, "other": {"regions.test/cortex.cells.pyr.parameters.C_m": "2 pF"}}},
        {"parameters": {C_M: ["2 pF"], "regions.CX-*.cells.pv.parameters.C_m": ["1 pF"]}},
    ],
)
def test_keys_that_all_count_are_taken(data):
    check(**data)
