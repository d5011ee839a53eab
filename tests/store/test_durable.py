"""What is written to a durable place has reached the disk, in an order in which a loss of power spoils nothing."""

import os
import pickle

import pytest

import twinbrain as tb
from twinbrain.store import Location, resume_run


@pytest.fixture
def flushed(monkeypatch):
    """What was flushed and renamed, in order."""
    found, flush, rename = [], os.fsync, os.replace

    def fsync(number):
        found.append(("flush", os.readlink(f"/proc/self/fd/{number}")))
        flush(number)

    def replace(before, after):
        found.append(("name", os.fspath(after)))
        rename(before, after)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("pathlib.os.replace", replace)
    return found


def test_a_run_in_a_durable_place_is_the_same(example, path, seen, uninterrupted):
    example.commit(example.create(tb.durable(path)), range(2))
    example.commit(resume_run(tb.durable(path))[0], [2])
    assert seen(path) == uninterrupted(3)


def test_every_file_is_flushed_before_it_has_its_name_and_its_folder_after_that(example, path, flushed):
    example.commit(example.create(tb.durable(path)), [0])
    named = [place for what, place in flushed if what == "name"]
    assert len(named) > 30
    for place in set(named):
        first = flushed.index(("name", place))
        temporary = place.rpartition(".")[0] if place.endswith(".json") else place
        before = [other for what, other in flushed[:first] if what == "flush" and other.endswith(".partial")]
        assert any(other.startswith(temporary) for other in before)
        assert ("flush", os.path.dirname(place)) in flushed[first:]


def test_the_root_document_comes_last(example, path, flushed):
    writer = example.create(tb.durable(path))
    flushed.clear()
    example.commit(writer, [0])
    assert flushed[-2:] == [("name", str(path / "zarr.json")), ("flush", str(path))]


def test_elsewhere_nothing_is_flushed(example, path, flushed):
    example.commit(example.create(path), [0])
    assert not [place for what, place in flushed if what == "flush"]


def test_a_durable_place_stays_one_on_its_way():
    place = tb.durable("runs/a.zarr")
    assert pickle.loads(pickle.dumps(place)).durable
    assert place.absolute().durable
    assert place.child("runs").durable
    assert not Location.of("runs/a.zarr").durable
