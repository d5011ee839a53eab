"""Compiled code is put into the cache whole, loaded only if it is still whole, and failures are one error."""

import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from twinbrain.engines.brian2.extensions import is_whole, put_in_place, whole_extensions
from twinbrain.errors import EngineError
from twinbrain.models.brian import import_brian2


@contextmanager
def building(folder, monkeypatch, build, create=None):
    """Brian2's manager, with other ways to build a library and to make an extension."""
    import_brian2()
    from brian2.codegen.runtime.cython_rt.extension_manager import cython_extension_manager as manager

    monkeypatch.setattr(manager, "_load_module", build)
    monkeypatch.setattr(manager, "create_extension", create or manager.create_extension)
    with whole_extensions(folder):
        yield manager


def loads(content=b"library"):
    """Return what builds libraries as Brian2 does, under the name that it is given, and the paths it was asked for."""
    asked = []

    def load(path, *, lib_dir):
        asked.append(Path(path))
        if not Path(path).exists():
            Path(lib_dir, "left.o").touch()
            Path(path).write_bytes(content)
        return f"module of {Path(path).read_bytes()!r}"

    return load, asked


def test_a_library_is_built_aside_and_found_again(tmp_path, monkeypatch):
    load, asked = loads()
    library = tmp_path / "a.so"
    with building(tmp_path, monkeypatch, load) as manager:
        for _ in range(2):
            assert manager._load_module(str(library), lib_dir=str(tmp_path)) == "module of b'library'"
    assert asked[0].parent.parent == tmp_path
    assert asked[1] == library
    assert is_whole(library)
    assert {path.name for path in tmp_path.iterdir()} == {"a.so", "a.so.sha256"}


@pytest.mark.parametrize("content", [b"", b"lib", b"lobrary"])
def test_a_damaged_library_is_built_anew(tmp_path, monkeypatch, content):
    load, _ = loads()
    library = tmp_path / "a.so"
    (tmp_path / "built").write_bytes(b"library")
    put_in_place(tmp_path / "built", library)
    library.write_bytes(content)
    assert not is_whole(library)
    with building(tmp_path, monkeypatch, load) as manager:
        assert manager._load_module(str(library), lib_dir=str(tmp_path)) == "module of b'library'"
    assert is_whole(library)


@pytest.mark.parametrize("seal", [None, b"", b"\xff"])
def test_a_library_whose_digest_is_missing_or_damaged_is_not_whole(tmp_path, seal):
    (tmp_path / "a.so").write_bytes(b"library")
    if seal is not None:
        (tmp_path / "a.so.sha256").write_bytes(seal)
    assert not is_whole(tmp_path / "a.so")


def test_a_build_that_stops_leaves_no_library(tmp_path, monkeypatch):
    def stops(path, *, lib_dir):
        Path(path).touch()
        raise KeyboardInterrupt

    with building(tmp_path, monkeypatch, stops) as manager, pytest.raises(KeyboardInterrupt):
        manager._load_module(str(tmp_path / "a.so"), lib_dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_fails_is_one_error_with_what_the_compiler_said(tmp_path, monkeypatch, capsys):
    def fails(code):
        sys.stderr.write(f"{tmp_path}/a.so: a long story\nld: final link failed:\n  No space left on device\n")
        raise ValueError("Command '[g++, ...]' failed")

    with building(tmp_path, monkeypatch, None, fails) as manager, pytest.raises(EngineError) as found:
        manager.create_extension("code")
    assert f"into {tmp_path}, found: ld: final link failed:; No space left on device. See" in str(found.value)
    assert "TWINBRAIN_CACHE_DIR" in str(found.value)
    assert capsys.readouterr() == ("", "")


def test_code_that_cython_rejects_is_not_left_out(tmp_path, monkeypatch):
    with (
        building(tmp_path, monkeypatch, None, lambda code: None) as manager,
        pytest.raises(EngineError, match="Cython cannot translate"),
    ):
        manager.create_extension("code")


def test_the_error_comes_out_of_what_brian2_wraps_it_in(tmp_path):
    brian2 = import_brian2()
    from brian2.core.base import BrianObjectException

    def wrap(cause):
        raise BrianObjectException("An error occurred when preparing an object.", owner) from cause

    owner = brian2.NeuronGroup(1, "v : 1")
    with pytest.raises(EngineError, match="full"), whole_extensions(tmp_path):
        wrap(EngineError("full"))
    with pytest.raises(BrianObjectException), whole_extensions(tmp_path):
        wrap(ValueError())


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "cython").touch()
    with (
        pytest.raises(EngineError, match=r"cython/key, found: .*Not a directory.*TWINBRAIN_CACHE_DIR"),
        whole_extensions(tmp_path / "cython/key"),
    ):
        pass
