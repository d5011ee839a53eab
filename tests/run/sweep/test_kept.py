"""What a sweep keeps of its points is read by who checks the sweep, and made anew where it is lost."""

import shutil

import numpy as np
import pytest

import twinbrain as tb
from tests.roots import edit_root
from tests.run.sweep.conftest import declared
from twinbrain.store import Location

RUNS = ("runs/000000.zarr", "runs/000001.zarr")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "sweep.zarr"
    tb.sweep(declared(engine="reference"), out=path, seed=[1, 2], keep_runs=True, workers=0)
    return path


@pytest.fixture
def kept(swept, out):
    shutil.copytree(swept, out)
    return tb.open_sweep(swept).load()


def places(path):
    return [damage.place for damage in tb.check_store(path).damaged]


def test_runs_that_were_exchanged_are_told_by_the_check(kept, out):
    assert places(out) == []
    (out / RUNS[0]).rename(out / "a.zarr")
    (out / RUNS[1]).rename(out / RUNS[0])
    (out / "a.zarr").rename(out / RUNS[1])
    assert places(out) == [f"{out}/{run}/zarr.json" for run in RUNS]


def test_a_run_that_is_lost_is_told_by_the_check_and_made_anew(kept, out):
    chunks = {file: file.read_bytes() for file in (out / RUNS[1]).rglob("c/*") if file.is_file()}
    (out / RUNS[1]).rename(out.parent / "lost.zarr")
    assert places(out) == [f"{out}/{RUNS[1]}/zarr.json"]
    told = []
    again = tb.resume_sweep(out, workers=0, progress=told.append)
    assert (told[0].done, told[-1].done, told[-1].now) == (1, 2, 1)
    assert places(out) == []
    assert {file: file.read_bytes() for file in chunks} == chunks
    np.testing.assert_array_equal(again["mean_rates"], kept["mean_rates"])
    tb.resume_sweep(out, workers=0, progress=told.append)
    assert told[-1].now == 1  # nothing was computed


def test_what_is_kept_is_read_where_nothing_can_be_listed(kept, out, monkeypatch):
    chunk = out / RUNS[1] / "rate/rate/c/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(Location, "names", lambda self: [])  # as at most servers of http
    assert places(out) == [str(chunk)]


def test_a_workflow_that_is_not_the_one_that_the_digest_names_is_told(kept, out):
    edit_root(out / RUNS[0], digest="0" * 64)
    assert f"{out}/{RUNS[0]}/zarr.json" in places(out)
