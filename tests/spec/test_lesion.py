import pytest

import twinbrain as tb
from tests.examples import CORTEX, build_region, region_data, small_brain

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


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"populations": "pvv"}, r"populations: nothing is called 'pvv'; did you mean 'pv'\?"),
        ({"projections": "pyr->nowhere"}, "projections: nothing is called 'pyr->nowhere'"),
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
