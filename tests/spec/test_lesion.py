import pytest

import twinbrain as tb
from tests.examples import CORTEX, build_region, joined_brain, region_data, small_brain
from twinbrain.errors import SpecError

COLUMN = tb.Region.parse(region_data(CORTEX))


def test_a_region_loses_a_population_and_all_that_belongs_to_it():
    cut = COLUMN.without(populations="pv")
    assert "pv" not in cut.populations
    assert all("pv" not in (p.source, p.target) for p in cut.projections)
    assert all(drive.population != "pv" for drive in cut.drives)
    assert "pv" not in {*cut.ports.inputs, *cut.ports.outputs, *cut.expected}
    others = [p for p in COLUMN.projections if "pv" not in (p.source, p.target)]
    assert list(cut.projections) == others
    assert cut.name == COLUMN.name  # which keys the draws of what is left


def test_a_projection_is_lost_by_its_key_or_a_pattern():
    key = COLUMN.projections[0].key
    assert [p.key for p in COLUMN.without(projections=key).projections] == [p.key for p in COLUMN.projections[1:]]
    assert not COLUMN.without(projections="*").projections
    assert COLUMN.without() is COLUMN


def test_a_projection_at_a_label_with_brackets_goes_alone():
    """As a pattern, ``M[1]`` would mean ``M1``."""
    cell = tb.Cell(model="lif_current", receptors=["delta"])
    region = tb.Region(name="x/a", cells={"c": cell}, populations={"e": tb.Population(cell="c", size=3)})
    given = {"receptor": "delta", "connect": {"in_degree": 1}, "weight": "1 mV", "delay": "1 ms"}
    brain = tb.Brain(
        connectome=tb.Connectome([[0.0] * 3] * 3, [[0.0] * 3] * 3, ["V", "M[1]", "M1"]),
        regions={"*": region},
        projections=[tb.Projection(source="V.e", target=f"{label}.e", **given) for label in ("M[1]", "M1")],
    )
    assert [p.target for p in brain.without(projections="V.e->M[1].e:delta").projections] == ["M1.e"]
    assert [p.target for p in brain.without(projections="V.e->M[1].*").projections] == ["M1.e"]
    assert not brain.without(projections="V.e->*").projections


def test_projections_from_a_label_go_and_those_from_a_longer_one_stay():
    cell = tb.Cell(model="lif_current", receptors=["delta"])
    region = tb.Region(name="x/a", cells={"c": cell}, populations={"e": tb.Population(cell="c", size=3)})
    given = {"receptor": "delta", "connect": {"in_degree": 1}, "weight": "1 mV", "delay": "1 ms"}
    brain = tb.Brain(
        connectome=tb.Connectome([[0.0] * 3] * 3, [[0.0] * 3] * 3, ["V1", "V1.d", "V4"]),
        regions={"*": region},
        projections=[tb.Projection(source=f"{label}.e", target="V4.e", **given) for label in ("V1", "V1.d")],
    )
    left = brain.without(projections="V1.*->V4.*")
    assert [p.source for p in left.projections] == ["V1.d.e"]
    with pytest.raises(SpecError, match=r"nothing is called 'V1\.\*'"):
        left.without(projections="V1.*")


def test_populations_at_a_label_with_brackets_go_there_alone():
    cell = tb.Cell(model="lif_current", receptors=["delta"])
    populations = {name: tb.Population(cell="c", size=3) for name in ("e1", "e2", "i")}
    region = tb.Region(name="x/a", cells={"c": cell}, populations=populations)
    labels = ["M[1]", "M1"]
    connectome = tb.Connectome([[0.0] * 2] * 2, [[0.0] * 2] * 2, labels)
    cut = tb.Brain(connectome=connectome, regions={"*": region}).without(populations="M[1]/e*")
    assert [list(found.populations) for found in cut.assignment(labels)] == [["i"], ["e1", "e2", "i"]]


def test_a_region_at_a_label_with_brackets_is_none_for_other_labels_of_another_connectome():
    region = tb.Region.parse(region_data(CORTEX))
    labels = ["M[1]", "M1", "V"]
    connectome = tb.Connectome([[0.0] * 3] * 3, [[0.0] * 3] * 3, labels)
    brain = tb.Brain(connectome=connectome, regions={"M[1]": region.replace(name="x/one"), "*": region})
    with pytest.raises(SpecError, match=r"the label 'M\[1\]' in the new connectome, .* it would mean M1; give"):
        brain.replace(connectome=connectome.select("M1"))
    assert brain.replace(connectome=connectome.select("V")).regions == brain.regions
    assert brain.replace(connectome=connectome.select("M1"), regions={"*": region}).assignment(["M1"]) == [region]
    unread = brain.replace(connectome="others.npz")
    assert unread.assignment(labels) == brain.assignment(labels)
    with pytest.raises(SpecError, match=r"'M\[\[\]1\]': the pattern matches no region"):
        unread.assignment(["M1"])


@pytest.mark.parametrize("label", ["V[12]", "V*"])
def test_what_stands_at_a_label_that_is_gone_stands_nowhere_else(label):
    """As a pattern, either label would mean the others."""
    cells = {"c": tb.Cell(model="lif_current", receptors=["delta"])}
    one, rest = (
        tb.Region(name=name, cells=cells, populations={p: tb.Population(cell="c", size=size) for p in "pq"})
        for name, size in (("x/one", 9), ("x/rest", 3))
    )
    connectome = tb.Connectome([[0.0] * 3] * 3, [[0.0] * 3] * 3, [label, "V1", "V2"])
    brain = tb.Brain(connectome=connectome, regions={label: one, "V1": rest, "*": rest})
    assert brain.without(regions=label).assignment(["V1", "V2"]) == [rest, rest]
    alone = tb.Brain(connectome=connectome, regions={"*": rest}).without(populations=f"{label}/p")
    assert alone.without(regions=label).assignment(["V1", "V2"]) == [rest, rest]


def test_what_is_left_is_drawn_as_before(tmp_path):
    region = tb.load_region("basal_ganglia/striatum")
    lesioned = region.without(projections="fsi->*")
    networks = [
        tb.simulate(each, duration="2 ms", engine="reference", record=tb.Record(state=(tb.StateRecord(variable="v"),)))
        for each in (region, lesioned)
    ]
    first = [run["state"][next(iter(run["state"]))]["v"].values[0] for run in networks]
    assert (first[0] == first[1]).all()


def driven(**more):
    """Return a region of two populations that are not connected, each with random events of its own."""
    drives = [{"population": name, "receptor": "ampa", "rate": "2 kHz", "weight": "2 nS"} for name in ("a", "b", "b")]
    drives[2] |= {"rate": "500 Hz"}
    cells, sizes = {"c": {"model": "lif_conductance", "receptors": ["ampa"]}}, {"cell": "c", "size": 2}
    return tb.Region.parse(
        {"name": "test/driven", "cells": cells, "populations": {"a": sizes, "b": sizes}, "drives": drives} | more
    )


def test_the_drives_of_what_is_left_keep_their_random_streams(tmp_path):
    region = driven()
    keys = {drive.name: drive.key for drive in build_region(region).drives}
    cut = region.without(populations="a")
    found = {drive.name: drive.key for drive in build_region(cut).drives}
    assert found == {name: key for name, key in keys.items() if " b:" in name}
    assert region.without(populations="b").drives == region.drives[:1]  # what moves not needs no name
    tb.write_region(cut, tmp_path / "cut.toml")
    assert tb.load_region(tmp_path / "cut.toml") == cut
    brain = tb.Brain(connectome=small_brain(3).connectome, regions={"*": region}).without(populations="a")
    assert brain.regions["*"] == cut


def test_two_drives_of_one_random_stream_are_refused():
    cut = driven().without(populations="a")
    with pytest.raises(tb.SpecError, match=r"drives\[2\]\.name: expected a random stream .* that of drives\[1\]"):
        cut.replace(drives=(*cut.drives, cut.drives[0].replace(name="")))


def test_a_brain_loses_regions_by_label():
    brain = small_brain(3)
    left = brain.without(regions="TH-*")
    assert left.connectome.labels == ["CX-0", "CX-2"]
    assert left.connectome.weight.values.tolist() == brain.connectome.weight.values[::2, ::2].tolist()
    assert left.assignment(left.connectome.labels)  # no pattern is left over
    assert tb.simulate(left, duration="2 ms", engine="reference").attrs["status"] == "complete"


def test_a_brain_loses_populations_in_every_region():
    brain = small_brain(3)
    assert all("pv" not in region.populations for region in brain.without(populations="pv").regions.values())


def test_a_population_is_lost_in_one_region_alone():
    brain = small_brain(5)
    left = brain.without(populations="CX-2/pv")
    found = dict(zip(left.connectome.labels, left.assignment(left.connectome.labels), strict=True))
    everywhere = brain.without(populations="pv").regions["CX-*"]
    assert found["CX-2"] == everywhere.replace(name="test/cortex_without_pv")
    assert found["CX-0"] == found["CX-3"] == brain.regions["CX-*"]
    assert found["TH-1"] == brain.regions["TH-*"]


def test_what_is_lost_in_all_regions_of_a_pattern_is_lost_as_everywhere():
    brain = small_brain(3)
    one, other = brain.without(populations="*/pv"), brain.without(populations="pv")
    runs = [tb.simulate(each, duration="30 ms", engine="reference") for each in (one, other)]
    assert "CX-*" not in one.regions  # no label is left to it
    spikes = [(run["spikes/time_step"].values.tolist(), run["spikes/neuron"].values.tolist()) for run in runs]
    assert spikes[0] == spikes[1]
    assert spikes[0][0]


def test_lesions_of_one_region_follow_each_other_and_those_of_others():
    brain = small_brain(5)
    once = brain.without(populations=["CX-0/pv", "CX-2/pyr", "CX-3/pv"])
    names = dict(zip(once.connectome.labels, once.assignment(once.connectome.labels), strict=True))
    assert [names[label].name for label in ("CX-0", "CX-2", "CX-3")] == [
        "test/cortex_without_pv",
        "test/cortex_without_pyr",
        "test/cortex_without_pv",
    ]
    twice = brain.without(populations="CX-0/pv").without(populations=["CX-2/pyr", "CX-3/pv"])
    assert twice == once.replace(regions=twice.regions)
    assert twice.assignment(twice.connectome.labels) == once.assignment(once.connectome.labels)
    assert brain.without(populations=["pv", "CX-0/pv"]) == brain.without(populations="pv")
    assert "CX-0" not in brain.without(populations="CX-0/pv", regions="CX-0").regions


def test_projections_between_regions_go_with_the_population_at_their_label():
    brain = joined_brain(4)
    keys = [p.key for p in brain.projections]
    left = [p.key for p in brain.without(populations="CX-0/pv").projections]
    assert left == [key for key in keys if "CX-0.pv" not in key]
    assert len(left) == len(keys) - 1


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"populations": "pvv"}, r"populations: nothing is called 'pvv'; did you mean 'pv'\?"),
        ({"projections": "pyr->nowhere"}, "projections: nothing is called 'pyr->nowhere'"),
        ({"populations": "CX-0/pvv"}, r"populations: nothing is called 'CX-0/pvv'; did you mean 'CX-0/pv'\?"),
        ({"populations": "CX-0/*"}, "expected that a population is left"),
        ({"populations": "*"}, "expected that a population is left"),
        ({"regions": "*"}, "expected that a region is left"),
    ],
)
def test_a_lesion_of_nothing_or_everything_is_refused(parts, message):
    with pytest.raises(tb.SpecError, match=message):
        small_brain(3).without(**parts)


def test_regions_are_taken_out_of_a_connectome_and_not_of_its_name():
    brain = small_brain(3).replace(connectome="tvb-76")
    with pytest.raises(tb.SpecError, match=r"brain.replace\(connectome=tb.load_connectome\('tvb-76'\)\)"):
        brain.without(regions="r*")
    with pytest.raises(tb.SpecError, match=r"found its name 'tvb-76'; first: brain.replace"):
        brain.without(populations="rV1/pv")
