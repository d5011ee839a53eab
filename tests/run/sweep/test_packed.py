"""Functions of a person's own on their way to workers: none computes there that is another where the sweep is run."""

import importlib
import sys
import threading

import pytest

import twinbrain as tb
from tests.run.sweep.workers import small_workflow
from twinbrain.errors import ClusterError
from twinbrain.run.sweep.own import own_functions
from twinbrain.run.sweep.packed import pack, unpack

NO_TASKS = '{"train": null}'
TEXT = """import functools
import helper

class Scaled:
    factor = 2

    def __call__(self, run):
        return self.factor * helper.level

def level(run):
    return helper.level

@functools.lru_cache
def cached():
    return helper.twice()

def behind_a_cache(run):
    return cached()
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "own_reductions.py").write_text(TEXT)
    (tmp_path / "helper.py").write_text("level = 1.0\ndef twice():\n    return 2 * level\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # taken for that of an edit within a second
    yield importlib.import_module("own_reductions")
    for name in ("own_reductions", "helper"):
        sys.modules.pop(name, None)


def names(module):
    return {"level": module.level, "scaled": module.Scaled(), "cached": module.behind_a_cache}


def test_functions_that_are_the_same_arrive(module):
    packed = pack(own_functions(names(module), NO_TASKS))
    assert unpack(packed).reductions["level"] is module.level
    assert unpack(packed) is unpack(bytes(bytearray(packed)))  # what they keep lasts from batch to batch


@pytest.mark.parametrize("name", ["level", "scaled", "cached"])
def test_one_whose_module_was_set_anew_is_refused_elsewhere(module, name):
    module.helper.level = 5.0
    packed = pack(own_functions({name: names(module)[name]}, NO_TASKS))
    for imported in ("own_reductions", "helper"):
        del sys.modules[imported]
    with pytest.raises(ClusterError, match=r"as it is where the sweep is run, found helper\.level to differ"):
        unpack(packed)


@pytest.mark.parametrize(
    ("file", "differing"), [("own_reductions.py", r"own_reductions\.cached"), ("helper.py", r"helper\.twice")]
)
def test_one_whose_files_are_others_is_refused(module, tmp_path, file, differing):
    packed = pack(own_functions({"cached": module.behind_a_cache}, NO_TASKS))
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.replace("helper.twice()", "helper.twice() + 1").replace("2 * level", "3 * level"))
    for imported in ("own_reductions", "helper"):
        del sys.modules[imported]
    importlib.invalidate_caches()
    with pytest.raises(ClusterError, match=rf"found {differing} to differ"):
        unpack(packed)


def test_a_sweep_on_workers_ends_where_they_would_compute_something_else(module, tmp_path, client):
    client.run(exec, f"import sys; sys.path.insert(0, {str(tmp_path)!r})")
    options = {"seed": [1, 2], "reduce": [module.level], "batch": 1, "client": client}
    assert tb.sweep(small_workflow(), out=tmp_path / "one.zarr", **options)["level"].values.tolist() == [1.0, 1.0]
    module.helper.level = 5.0
    with pytest.raises(ClusterError, match=r"found helper\.level to differ"):
        tb.sweep(small_workflow(), out=tmp_path / "two.zarr", **options)


def test_what_a_function_has_counted_travels_with_it():
    def made():
        calls = 0

        def count(run):
            nonlocal calls
            calls += 1
            return calls

        return count

    own = own_functions({"count": made()}, NO_TASKS)
    with own.called():
        own.reductions["count"](None)
    assert unpack(pack(own)).reductions["count"](None) == 2


def test_what_cannot_travel_at_all_is_told():
    lock = threading.Lock()
    with pytest.raises(ClusterError, match=r"functions that can travel to workers, found TypeError: .*workers = 0"):
        pack(own_functions({"locked": lambda run: lock.locked()}, NO_TASKS))
