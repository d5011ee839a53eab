import copy
import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import CORTEX, RELAY, region_data, relay_region, two_population_region
from twinbrain.errors import SpecError
from twinbrain.network.connect import expected_synapses
from twinbrain.spec.projection import Projection
from twinbrain.spec.region import Region


def with_change(path, value, text=CORTEX):
    data = region_data(text)
    table = data
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("cells", "pyr", "modle"), "adex", "cells.pyr.modle: unknown key 'modle'; did you mean 'model'?"),
        (("projections", 0, "source"), "pyra", "projections[0].source: unknown population 'pyra'; did you mean 'pyr'?"),
        (("projections", 1, "target"), "pw", "projections[1].target: unknown population 'pw'; Known: pv, pyr"),
        (("drives", 0, "population"), "pry", "drives[0].population: unknown population 'pry'; did you mean 'pyr'?"),
        (("ports", "outputs"), ["pyra"], "ports.outputs: unknown population 'pyra'; did you mean 'pyr'?"),
        (("ports", "outputs"), ["pyr", "pyr"], "ports.outputs: expected each once, found 'pyr' twice; leave one out"),
        (("ports", "inputs"), {"pvv": 1}, "ports.inputs.pvv: unknown population 'pvv'; did you mean 'pv'?"),
        (("populations", "pv", "cell"), "pvv", "populations.pv.cell: unknown cell 'pvv'; did you mean 'pv'?"),
        (
            ("projections", 0, "receptor"),
            {"ampa": 1.0, "nmdaa": 0.2},
            "projections[0].receptor: unknown receptor of population 'pyr' 'nmdaa'; did you mean 'nmda'?",
        ),
        (
            ("projections", 1, "receptor"),
            "nmda",
            "projections[1].receptor: unknown receptor of population 'pv' 'nmda'; Known: ampa, gaba_a",
        ),
        (
            ("drives", 1, "receptor"),
            "amba",
            "drives[1].receptor: unknown receptor of population 'pv' 'amba'; did you mean 'ampa'?",
        ),
        (
            ("projections", 1, "delay"),
            {"uniform": ["1 mV", "2 mV"]},
            "projections[1].delay: expected a quantity in ms, found '1 mV', which is of another dimension",
        ),
        (("projections", 1, "delay"), 1, "projections[1].delay: expected a quantity in ms, found 1.0 without a unit"),
        (
            ("drives", 0, "rate"),
            "8 ms",
            "drives[0].rate: expected a quantity in Hz, found '8 ms', which is of another dimension",
        ),
        (("drives", 0, "rate"), 8, 'drives[0].rate: expected a quantity in Hz, found 8 without a unit; write "8 Hz"'),
        (("drives", 0, "rate"), "-8 Hz", "drives[0].rate: input should be greater than or equal to 0, found '-8 Hz'"),
        (
            ("projections", 0, "connect", "probability"),
            1.3,
            "projections[0].connect.probability: input should be less than or equal to 1, found 1.3",
        ),
        (
            ("projections", 0, "connect", "probability"),
            -0.1,
            "projections[0].connect.probability: input should be greater than or equal to 0, found -0.1",
        ),
        (
            ("projections", 0, "connect", "total"),
            3,
            "projections[0].connect: expected exactly one of probability, total, in_degree, out_degree, one_to_one, "
            "distance, pairs; found probability, total",
        ),
        (("projections", 0, "connect"), {}, "projections[0].connect: expected exactly one of "),
        (
            ("projections", 0, "connect"),
            {"pairs": {"source": [0, 1], "target": [2]}},
            "projections[0].connect.pairs: expected as many sources as targets, found 2 sources and 1 targets",
        ),
        (
            ("projections", 1, "connect"),
            {"pairs": {"source": [0], "target": [10]}},
            "projections[1].connect.pairs.target: expected indices below the size 10 of population 'pv', found 10",
        ),
        (
            ("populations", "pv", "size"),
            -10,
            "populations.pv.size: input should be greater than or equal to 1, found -10",
        ),
        (("populations", "pv", "size"), 1.5, "populations.pv.size: input should be a valid integer"),
        (("populations", "p-v"), {"cell": "pv", "size": 1}, "populations.p-v: expected a name of letters, digits"),
        (
            ("populations", "pv", "transmitter"),
            "glycine",
            "populations.pv.transmitter: input should be 'glutamate' or ",
        ),
        (
            ("populations", "pv", "extent"),
            ["1 mm", "1 mm", "1 ms"],
            "populations.pv.extent[2]: expected a quantity in mm",
        ),
        (("ports", "inputs", "pyr"), 0, "ports.inputs.pyr.share: input should be greater than 0, found 0"),
        (("ports", "inputs", "pyr"), True, "ports.inputs.pyr: input should be a valid dictionary"),
        (
            ("expected",),
            {"pyr": {"low": "5 Hz", "high": "1 Hz", "source": "x"}},
            "expected.pyr: expected low up to high, found 5 Hz and 1 Hz",
        ),
        (("expected",), {"pyrr": {"low": "1 Hz", "high": "5 Hz", "source": "x"}}, "expected.pyrr: unknown population"),
        (("name",), "a region", "name: string should match pattern"),
        (
            ("cells", "pyr", "parameters", "b"),
            "forty pA",
            "cells.pyr.parameters.b: expected a number with a unit such as \"10 ms\", found 'forty pA'",
        ),
    ],
)
def test_one_fault_gives_one_problem_with_file_and_key(path, value, message):
    with pytest.raises(SpecError) as caught:
        Region.parse(with_change(path, value), "cortex.toml")
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(f"cortex.toml: {message}")


def test_two_projections_between_the_same_populations_need_names():
    data = region_data(CORTEX)
    data["projections"].append(copy.deepcopy(data["projections"][1]))
    with pytest.raises(SpecError, match=r"^projections\[1\].name: 2 projections are 'pyr->pv:ampa'; give each a name$"):
        Region.parse(data)
    data["projections"][-1]["name"] = "second"
    assert [p.key for p in Region.parse(data).projections][1::3] == ["pyr->pv:ampa", "second"]


def test_faults_of_keys_and_of_names_are_all_reported_at_once():
    data = region_data(CORTEX)
    data["cells"]["pyr"]["modle"] = "x"
    data["populations"]["pv"]["size"] = -1
    data["projections"][0]["source"] = "pry"
    data["projections"][1]["receptor"] = "amp"
    data["projections"][2]["weight"] = "3 foo"
    data["drives"][0]["population"] = "pw"
    data["drives"][1]["rate"] = "8 mV"
    with pytest.raises(SpecError) as caught:
        Region.parse(data, "cortex.toml")
    assert sorted(problem.where for problem in caught.value.problems) == [
        "cortex.toml: cells.pyr.modle",
        "cortex.toml: drives[0].population",
        "cortex.toml: drives[1].rate",
        "cortex.toml: populations.pv.size",
        "cortex.toml: projections[0].source",
        "cortex.toml: projections[1].receptor",
        "cortex.toml: projections[2].weight",
    ]
    assert str(caught.value).count("\n") == 6


def test_all_faults_of_names_are_reported_at_once():
    data = region_data(CORTEX)
    data["projections"][0]["source"] = "a"
    data["projections"][1]["target"] = "b"
    data["ports"]["outputs"] = ["c"]
    with pytest.raises(SpecError) as caught:
        Region.parse(data)
    assert len(caught.value.problems) == 3


def expected_in_degrees(region):
    found = {}
    for projection in region.projections:
        source, target = (region.populations[name].size for name in (projection.source, projection.target))
        same = projection.source == projection.target
        found[projection.key] = expected_synapses(projection.connect, source, target, same=same) / target
    return found


def region_with(connect, within=False):
    data = region_data(CORTEX)
    data["projections"] = [data["projections"][1] | {"connect": connect}]
    if within:
        data["projections"][0]["target"] = "pyr"
    return Region.parse(data)


@given(
    st.sampled_from(
        [
            {"probability": 0.1},
            {"probability": 0.1, "autapses": True},
            {"in_degree": 7},
            {"total": 4000},
            {"out_degree": 400},
            {"distance": {"probability": 0.1, "scale": "1 mm"}},
        ]
    ),
    st.booleans(),
    st.floats(0.2, 20),
)
def test_a_scaled_region_keeps_the_inputs_of_a_neuron(connect, within, factor):
    region = region_with(connect, within)
    scaled = region.scaled(factor)
    assert scaled.populations["pyr"].size == round(40 * factor)
    (before,), (after,) = expected_in_degrees(region).values(), expected_in_degrees(scaled).values()
    # Neurons and synapses are whole: an out-degree of 400 is right to half a synapse.
    assert after == pytest.approx(before, rel=0.02)


def test_a_scaled_region_is_the_same_in_all_else():
    region = two_population_region()
    scaled = region.scaled(0.5)
    assert (scaled.populations["pyr"].size, scaled.populations["pv"].size) == (20, 5)
    assert scaled.model_copy(update={"populations": region.populations, "projections": region.projections}) == region
    assert region.scaled(1.0) == region
    assert Region.parse(scaled.to_dict()) == scaled


def test_a_probability_stops_at_one_and_a_population_at_one_neuron():
    scaled = region_with({"probability": 0.5}).scaled(0.01)
    assert scaled.projections[0].connect.probability == 1.0
    assert {p.size for p in scaled.populations.values()} == {1}


def test_a_scaled_region_keeps_a_projection():
    assert region_with({"total": 4}).scaled(0.01).projections[0].connect.total == 1
    assert region_with({"total": 0}).scaled(0.5).projections[0].connect.total == 0


def test_explicit_pairs_are_not_scaled_away():
    with pytest.raises(
        SpecError, match=r"projections\[2\].connect.pairs.source: expected indices below the size 2 .* found 3"
    ):
        relay_region().scaled(0.25)
    assert relay_region().scaled(2).projections[2] == relay_region().projections[2]


def test_a_region_knows_its_family_size_and_cells():
    region = two_population_region()
    assert (region.family, region.n_neurons, region.cell_of("pv").model) == ("test", 50, "lif_conductance")


def test_a_projection_is_named_by_its_ends_and_receptors():
    projection = Projection.parse(region_data(CORTEX)["projections"][0])
    assert projection.key == "pyr->pyr:ampa+nmda"
    assert Projection.parse(region_data(RELAY)["projections"][2]).key == "feedback"


def test_a_receptor_alone_stands_for_a_table():
    region = two_population_region()
    assert region.projections[1].receptor == {"ampa": 1.0}
    assert region.ports.inputs["pv"].glutamate == {"ampa": 1.0}
    assert region.ports.inputs["pyr"].share == 0.8


def test_patterns_of_populations_stand_for_a_projection_and_a_drive_each():
    data = {
        "name": "test/patterns",
        "cells": {"lif": {"model": "lif_current", "receptors": ["exponential_current"]}},
        "populations": {name: {"cell": "lif", "size": 2} for name in ("pyr", "pv", "sst")},
        "projections": [
            {
                "source": "pyr",
                "target": "*",
                "receptor": "exponential_current",
                "connect": {"probability": 0.5},
                "weight": "10 pA",
                "delay": "1 ms",
            }
        ],
        "drives": [{"population": "p*", "receptor": "exponential_current", "rate": "1 kHz", "weight": "10 pA"}],
    }
    region = Region.parse(data)
    assert [projection.target for projection in region.projections] == ["pyr", "pv", "sst"]
    assert [drive.population for drive in region.drives] == ["pyr", "pv"]
    assert Region.parse(region.to_dict()) == region
    data["projections"][0] |= {"source": "p?", "name": "all"}
    named = Region.parse(data)
    assert [p.name for p in named.projections] == ["all.pv.pyr", "all.pv.pv", "all.pv.sst"]
    data["projections"][0]["target"] = "x*"
    with pytest.raises(SpecError, match=r"projections\[0\].target: unknown population 'x\*'"):
        Region.parse(data)


def populations_of_cells(n, cells):
    data = region_data(CORTEX)
    one = data["cells"]["pyr"]
    populations = {f"p{i}": {"cell": f"unknown{i}", "size": 1} for i in range(n)}
    return {"name": "test/many", "cells": {f"c{i}": one for i in range(cells)}, "populations": populations}


def test_patterns_stand_for_no_more_than_can_be_held():
    data = with_change(("projections", 0, "source"), "*")
    data["projections"] = [data["projections"][0] | {"target": "p*"}]
    data["populations"] |= {f"p{i}": data["populations"]["pyr"] for i in range(120)}
    with pytest.raises(
        SpecError, match="patterns of target that stand for at most 10,000 declarations, found more"
    ) as error:
        Region.parse(data)
    assert len(error.value.problems) == 1


def test_of_very_many_unknown_names_the_first_are_told():
    with pytest.raises(SpecError) as error:
        Region.parse(populations_of_cells(1200, 300))
    problems = error.value.problems
    assert problems[0].message == "more problems, of which these are the first 200"
    assert len(problems) == 201
    assert problems[1].message.endswith("c188 and 200 more")


def test_names_of_endless_length_are_not_compared(monkeypatch):
    compared = []
    monkeypatch.setattr(difflib, "get_close_matches", lambda found, names, *_: compared.extend([found, *names]) or [])
    data = populations_of_cells(1, 3)
    data["cells"]["c" * 100_000] = data["cells"]["c0"]
    data["populations"]["p0"]["cell"] = "p" * 100_000
    data["populations"]["p1"] = {"cell": "pyrr", "size": 1}
    with pytest.raises(SpecError, match=r"unknown cell 'pyrr'; Known: c0, c1, c2, c{100}…"):
        Region.parse(data)
    assert set(compared) == {"pyrr", "c0", "c1", "c2"}


@pytest.mark.parametrize("side", ["-1 mm", "1e300 mm"])
def test_an_impossible_extent_is_refused(side):
    cell = {"model": "lif_current"}
    populations = {"a": {"cell": "a", "size": 2, "extent": ["1 mm", "1 mm", side]}}
    with pytest.raises(SpecError, match="extent"):
        Region.parse({"name": "some", "cells": {"a": cell}, "populations": populations})


def test_a_receptor_of_a_port_that_no_cell_has_is_refused():
    data = {"name": "some", "cells": {"a": {"model": "lif_current", "receptors": ["delta"]}}}
    data |= {
        "populations": {"a": {"cell": "a", "size": 2}},
        "ports": {"inputs": {"a": {"share": 1, "glutamate": "dalta"}}},
    }
    with pytest.raises(SpecError, match=r"ports\.inputs\.a\.glutamate: unknown receptor 'dalta'; did you mean 'delta'"):
        Region.parse(data)


def test_a_region_written_out_in_full_is_read_again():
    data = {"name": "some", "cells": {"a": {"model": "lif_current", "receptors": ["delta"]}}}
    data |= {
        "populations": {"a": {"cell": "a", "size": 2}},
        "ports": {"inputs": {"a": {"share": 1, "glutamate": "delta"}}},
    }
    region = Region.parse(data)
    assert Region.parse(region.to_dict()) == region


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("models", {"equations": "dv/dt = -v/tau : volt\ntau : second", "threshold": "v > 1*mV", "reset": "v = 0*mV"}),
        ("receptors", {"equations": "I = w*pA : amp\nw : 1\ntau : second", "jump": "w", "current": "I"}),
        ("plasticity", {"equations": "tau : second"}),
    ],
)
def test_a_default_of_a_parameter_that_there_is_not_is_refused(kind, model):
    known, unknown = {"tau": "1 ms"}, {"tua": "1 ms"}
    data = region_data(RELAY)
    Region.parse(data | {kind: {"mine": model | {"parameters": known}}})
    with pytest.raises(SpecError, match=rf"{kind}\.mine\.parameters\.tua: expected a parameter .* did you mean 'tau'"):
        Region.parse(data | {kind: {"mine": model | {"parameters": unknown}}})
