"""A file of a person's own brings what it imports from beside it, and nothing else that lies there."""

import py_compile
import subprocess
import sys

import cloudpickle
import pytest

from twinbrain.beside import import_file
from twinbrain.cache import cache_root


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    """Leave the process as it was."""
    import numba

    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder / "own.py"


def test_what_a_file_imports_may_import_more_from_beside_it(tmp_path):
    (tmp_path / "parts_of_mine").mkdir()
    write(tmp_path / "parts_of_mine", __init__="from parts_of_mine.inner import n", inner="from last_of_mine import n")
    own = write(tmp_path, own="from parts_of_mine import n", last_of_mine="n = 7")
    assert import_file(own).n == 7


def test_a_module_beside_a_file_that_imports_it_when_called_is_found(tmp_path):
    own = write(tmp_path, own="def f():\n    import late_of_mine\n    return late_of_mine.n", late_of_mine="n = 5")
    assert import_file(own).f() == 5


def test_nothing_else_in_the_folder_can_be_imported(tmp_path):
    evil = "raise AssertionError('was run')"
    own = write(tmp_path, own="import json", gmpy2_of_mine=evil, json="import gmpy2_of_mine")
    import_file(own)
    with pytest.raises(ModuleNotFoundError):
        __import__("gmpy2_of_mine")


@pytest.mark.parametrize("name", ["own", "near_of_mine"])
def test_a_compiled_file_beside_the_source_is_not_run(tmp_path, name):
    own = write(tmp_path, own="import near_of_mine\nn = near_of_mine.n", near_of_mine="n = 1")
    text = (tmp_path / f"{name}.py").read_text()
    write(tmp_path, **{name: "n = 666"})
    py_compile.compile(
        str(tmp_path / f"{name}.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True
    )
    write(tmp_path, **{name: text})
    assert import_file(own).n == 1


def test_what_lies_beside_a_file_travels_with_its_functions(tmp_path):
    own = write(
        tmp_path, own="from near_of_mine import f\ndef g():\n    return f()", near_of_mine="def f():\n    return 3"
    )
    data = cloudpickle.dumps(import_file(own).g)
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)())"
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout == b"3\n"


def test_numba_keeps_the_code_of_a_file_and_of_what_it_imports_in_the_cache_alone(tmp_path):
    text = "import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x\n"
    nested = "def g():\n    @numba.njit(cache=True)\n    def h(x):\n        return x\n    return h\n"
    own = import_file(write(tmp_path, own=f"import near_of_mine\n{text}{nested}", near_of_mine=text))
    for function in (own.f, own.near_of_mine.f, own.g()):
        assert function.stats.cache_path.startswith(str(cache_root()))


def test_a_folder_that_a_person_names_for_numba_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    own = write(tmp_path, own="import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x\n")
    assert import_file(own).f.stats.cache_path.startswith(str(tmp_path / "mine"))
