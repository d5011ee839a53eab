"""What a sweep keeps of its points is read by who checks the sweep, and made anew where it is lost."""

import shutil

import numpy as np
import pytest

import twinbrain as tb
from tests.roots import edit_root
from tests.run.sweep.workers import small_workflow
from twinbrain.store import Location
from twinbrain.store.writer import RunWriter

QUICK = {"duration": "10 ms", "window": "5 ms"}
RUNS = ("runs/000000.zarr", "runs/000001.zarr")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "sweep.zarr"
    tb.sweep(small_workflow(**QUICK), out=path, seed=[1, 2], keep_runs=True, workers=0)
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


def test_a_run_that_is_half_is_told_by_the_check_and_gone_on_with(kept, out, monkeypatch):
    whole, half = chunks_of(out / RUNS[1]), out.parent / "half.zarr"
    commit = RunWriter.commit

    def stop_after(self, *arguments, **options):
        commit(self, *arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "commit", stop_after)
        with pytest.raises(KeyboardInterrupt):
            tb.simulate(small_workflow(**QUICK | {"seed": 2}), out=half)
    shutil.rmtree(out / RUNS[1])
    half.rename(out / RUNS[1])
    (damage,) = tb.check_store(out).damaged
    assert "expected what was kept of point 1, which is done, to be complete, found it running" in damage.message
    tb.resume_sweep(out, workers=0)
    assert (places(out), chunks_of(out / RUNS[1])) == ([], whole)


def test_a_run_whose_root_document_is_lost_is_made_anew(kept, out):
    whole = chunks_of(out / RUNS[1])
    (out / RUNS[1] / "zarr.json").unlink()
    tb.resume_sweep(out, workers=0)
    assert (places(out), chunks_of(out / RUNS[1])) == ([], whole)


def chunks_of(run):
    return {str(file.relative_to(run)): file.read_bytes() for file in run.rglob("c/*") if file.is_file()}


def test_what_a_sweep_replaces_is_its_own(kept, out):
    (out / "notes.txt").write_text("mine")
    (out / "runs" / "mine.zarr").mkdir()
    tb.sweep(small_workflow(**QUICK), out=out, seed=[1], workers=0, overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert [file.name for file in (out / "runs").iterdir()] == ["mine.zarr"]


def test_workers_are_not_started_for_a_sweep_in_memory():
    with pytest.raises(tb.SpecError, match=r"out: expected a place that all workers reach, found memory://a/s\.zarr"):
        tb.sweep(small_workflow(**QUICK), out="memory://a/s.zarr", seed=[1, 2], workers=2)
