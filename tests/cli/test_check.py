"""The command check, and places where nothing can be kept."""

import json

import pytest

RUN = ("run", "small.toml", "--no-figure")


def test_a_run_that_is_whole_is_found_so(twinbrain):
    assert twinbrain(*RUN).code == 0
    found = twinbrain("check", "runs/small.zarr")
    assert found.code == 0
    assert "runs/small.zarr: " in found.out
    assert "all as written" in found.out


def test_what_is_damaged_is_listed_and_ends_with_1(twinbrain, folder):
    assert twinbrain(*RUN).code == 0
    (folder / "runs/small.zarr/spikes/neuron/c/0").unlink()
    found = twinbrain("check", "runs/small.zarr")
    assert found.code == 1
    assert "spikes/neuron/c/0: expected a file of the array, found none" in found.out.replace("\n", " ")
    as_data = twinbrain("check", "runs/small.zarr", "--json")
    assert [damage["place"] for damage in json.loads(as_data.out)["damaged"]] == ["runs/small.zarr/spikes/neuron/c/0"]


def test_what_is_no_store_is_refused(refused):
    refused(("check", "runs/none.zarr"), "runs/none.zarr", "found nothing")


@pytest.mark.parametrize(
    ("place", "named"),
    [("", "found an empty text"), ("memory://run.zarr", "expected a place that outlives the command")],
)
def test_a_place_where_nothing_would_be_left_is_refused(refused, place, named):
    refused((*RUN, "--out", place), named)


def test_a_durable_run_is_kept(twinbrain):
    assert twinbrain(*RUN, "--durable").code == 0
    assert twinbrain("check", "runs/small.zarr").code == 0
