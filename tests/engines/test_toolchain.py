"""Neither the environment nor the compiler's own defaults change numbers; another compiler has another cache."""

import ctypes
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from twinbrain.engines.brian2.compiler import cache_folder
from twinbrain.engines.brian2.toolchain import (
    EXACT,
    FLAGS,
    LINK_FLAGS,
    compiler_key,
    exact_flags,
    own_environment,
    own_folder,
)
from twinbrain.errors import EngineError
from twinbrain.models.brian import import_brian2

SOURCE = """
extern "C" double half(double x) { return x*0.5; }
extern "C" double lost(double a, double b) { return (a + b) - a; }
"""


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A function that makes a compiler, a script, and names it in CXX."""

    def make(name, text):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("CXX", str(tmp_path / name))

    return make


@pytest.mark.parametrize("asked", ["-ffast-math", "-Ofast", "-funsafe-math-optimizations"])
def test_fast_math_that_is_asked_for_before_our_flags_is_undone(tmp_path, asked):
    (tmp_path / "a.cpp").write_text(SOURCE)
    compiler = sysconfig.get_config_var("CXX").split()[0]
    subprocess.run([compiler, asked, "-fPIC", "-c", "a.cpp", "-o", "a.o", *FLAGS], cwd=tmp_path, check=True)
    subprocess.run([compiler, asked, "-shared", "a.o", "-o", "a.so", *LINK_FLAGS], cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "a.so"))
    library.half.restype = library.lost.restype = ctypes.c_double
    assert library.half(ctypes.c_double(4e-308)) == 2e-308  # a subnormal number
    assert library.lost(ctypes.c_double(1e16), ctypes.c_double(1.0)) == 0.0


def test_variables_that_add_flags_are_dropped_and_given_back(monkeypatch):
    monkeypatch.setenv("CXXFLAGS", "-ffast-math")
    monkeypatch.setenv("LDFLAGS", "-Ofast")
    monkeypatch.setenv("CXX", "ccache 'g ++' -ffast-math -isysroot /sdk")
    monkeypatch.setenv("CC", "-m32")
    monkeypatch.setenv("CPATH", "/headers")
    monkeypatch.delenv("CFLAGS", raising=False)
    before = dict(os.environ)
    with own_environment():
        assert {"CXXFLAGS", "LDFLAGS", "CFLAGS", "CC"}.isdisjoint(os.environ)
        assert os.environ["CXX"] == "ccache 'g ++' -isysroot /sdk"
        assert os.environ["CPATH"] == "/headers"
        os.environ["TWINBRAIN_TEST"] = "stays"
    assert os.environ.pop("TWINBRAIN_TEST") == "stays"
    assert dict(os.environ) == before


def test_a_compiler_beside_the_person_is_named_by_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXX", "ccache ./g++")
    with own_environment():
        assert os.environ["CXX"] == f"ccache {tmp_path}/g++"


def test_compilers_start_in_an_empty_folder_that_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    import_brian2()  # which brings distutils
    from distutils.ccompiler import new_compiler

    compiler = new_compiler()
    compiler.set_executables(compiler_so_cxx=["sh", "-c", f"(pwd; ls -A) > {tmp_path}/said; :"])
    with own_folder():
        compiler.compile(["a.cpp"], output_dir=str(tmp_path))
    [folder] = (tmp_path / "said").read_text().splitlines()
    assert folder != str(tmp_path)
    assert not Path(folder).exists()


def test_flags_in_the_environment_are_no_other_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "g++")
    key = compiler_key()
    monkeypatch.setenv("CXX", "g++ -ffast-math")
    monkeypatch.setenv("CXXFLAGS", "-ffast-math")
    assert compiler_key() == key


def test_other_compilers_and_other_places_of_headers_have_other_folders(compiler, monkeypatch):
    folders = [cache_folder()]
    for name, text in (("one", "echo 1"), ("one-more", "echo 1"), ("two", "echo 2")):
        compiler(name, text)
        folders.append(cache_folder())
    monkeypatch.setenv("CPATH", "/headers")
    folders.append(cache_folder())
    assert len(set(folders)) == 5
    assert len({folder.parent for folder in folders}) == 1


def test_without_a_compiler_what_was_compiled_last_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINBRAIN_CACHE_DIR", str(tmp_path))
    folder = cache_folder()
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert cache_folder() == folder.parent / "none"
    for time, name in enumerate(("newest", "older", folder.name)):
        (folder.parent / name).mkdir(parents=True)
        os.utime(folder.parent / name, (9 - time, 9 - time))
    assert cache_folder() == folder.parent / "newest"


def test_a_file_that_cannot_be_run_is_no_compiler(tmp_path, monkeypatch):
    (tmp_path / "broken").write_bytes(b"\0")
    (tmp_path / "broken").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "broken"))
    assert compiler_key() is None


def test_a_compiler_that_may_be_run_and_not_read_is_one(compiler, monkeypatch):
    def refused(*given, **named):
        raise PermissionError

    compiler("hidden", "echo 1")
    monkeypatch.setattr(Path, "open", refused)
    assert compiler_key() is not None


def test_a_command_that_cannot_be_split_is_refused(monkeypatch):
    monkeypatch.setenv("CXX", "g++ '")
    with pytest.raises(EngineError, match="CXX: expected the command of a compiler"):
        compiler_key()


def test_no_flag_that_decides_about_numbers_is_left_out_where_flags_cannot_be_tested(monkeypatch):
    import_brian2()
    from brian2.codegen import cpp_prefs

    def full(compiler, flag):
        raise OSError("No space left on device")

    monkeypatch.setattr(cpp_prefs, "has_flag", full)
    with exact_flags():
        assert [flag for flag in FLAGS if cpp_prefs.has_flag(None, flag)] == list(EXACT)
    assert cpp_prefs.has_flag is full
