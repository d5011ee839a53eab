"""Functions of a person's own on their way to workers: what arrives is what they are where the sweep is run."""

import importlib
import json
import sys
import threading
from dataclasses import replace

import pytest

import twinbrain as tb
from tests.run.sweep.workers import small_workflow
from twinbrain.errors import ClusterError, FunctionWarning
from twinbrain.run.sweep.own import OwnFunctions
from twinbrain.run.sweep.packed import pack, unpack

TEXT = """import helper

class Scaled:
    factor = 2

    def __call__(self, run):
        return self.factor * helper.level

def level(run):
    return helper.level
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "own_reductions.py").write_text(TEXT)
    (tmp_path / "helper.py").write_text("level = 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("own_reductions")
    for name in ("own_reductions", "helper"):
        sys.modules.pop(name, None)


def test_functions_and_objects_arrive_with_what_their_modules_hold(module):
    module.helper.level, module.Scaled.factor = 5.0, 3
    packed = pack(OwnFunctions({"level": module.level, "scaled": module.Scaled()}))
    module.helper.level, module.Scaled.factor = 1.0, 2
    del sys.modules["own_reductions"], sys.modules["helper"]  # as on workers that have no such files
    reductions = unpack(packed).reductions
    assert (reductions["level"](None), reductions["scaled"](None)) == (5.0, 15.0)


def test_on_workers_a_module_is_what_it_is_here(module, tmp_path, client):
    module.helper.level = 5.0
    options = {"out": tmp_path / "sweep.zarr", "seed": [1, 2], "reduce": [module.level], "batch": 1}
    assert tb.sweep(small_workflow(), client=client, **options)["level"].values.tolist() == [5.0, 5.0]


def test_what_cannot_travel_whole_goes_by_its_name_and_is_compared(module):
    module.helper.lock = threading.Lock()
    with pytest.warns(FunctionWarning, match=r"go to workers by their names \(TypeError: cannot pickle"):
        packed = pack(OwnFunctions({"level": module.level}))
    assert unpack(packed).reductions["level"] is module.level
    other = replace(packed, descriptions=json.dumps([{**json.loads(packed.descriptions)[0], "sha256": "0" * 64}]))
    with pytest.raises(ClusterError, match=r"expected the function 'level' of own_reductions\.py on workers as it is"):
        unpack(other)


def test_what_cannot_travel_at_all_is_told(module):
    lock = threading.Lock()
    with pytest.raises(ClusterError, match=r"functions that can travel to workers, found TypeError: .*workers = 0"):
        pack(OwnFunctions({"locked": lambda run: lock.locked()}))
