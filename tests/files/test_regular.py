import os
import socket

import pytest

from twinbrain.files import FileError, check_size, damaged, read_bytes
from twinbrain.files.regular import VARIABLE, check_regular


@pytest.fixture
def special(tmp_path, monkeypatch):
    """Return what is no regular file, by its kind."""
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket")
    (tmp_path / "zero").symlink_to("/dev/zero")
    yield {"a pipe": "pipe", "a folder": "folder", "a device": "zero", "a socket": "socket"}
    listening.close()


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device", "a socket"])
def test_only_regular_files_are_read_and_others_are_not_waited_for(special, kind):
    expected = "expected a readable file" if kind == "a socket" else f"expected a regular file, found {kind}"
    for read in (read_bytes, check_regular):
        with pytest.raises(FileError, match=expected):
            read(special[kind], 1000)


@pytest.mark.parametrize("path", ["none", "a\0b", "x" * 5000, "", "none/none"])
def test_a_path_that_leads_nowhere_is_one_message(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match=r"found none|found a folder"):
        read_bytes(path, 1000)


def test_a_file_beyond_its_limit_says_how_to_allow_it(tmp_path, monkeypatch):
    path = tmp_path / "big"
    path.write_bytes(bytes(3_000_001))
    with pytest.raises(FileError, match=rf'a file of at most 1 MB, found 3 MB; .* {VARIABLE}="4 MB"'):
        read_bytes(path, 1_000_000)
    monkeypatch.setenv(VARIABLE, "4 MB")
    assert len(read_bytes(path, 1_000_000)) == 3_000_001
    monkeypatch.setenv(VARIABLE, "much")
    with pytest.raises(FileError, match=f'{VARIABLE}: expected an amount such as "8 GB"'):
        check_size(2, 1, "a file")


def test_whatever_a_library_raises_becomes_one_error_but_our_own_stay():
    with pytest.raises(FileError, match=r"expected a zip, found none that can be read \(boom\)"), damaged("a zip"):
        raise NotImplementedError("boom")
    with pytest.raises(FileError, match=r"^mine$"), damaged("a zip"):
        raise FileError("mine")
