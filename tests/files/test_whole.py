"""Files that are written whole or not at all."""

import os

import pytest

from twinbrain.files import write_whole


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path):
    other, link, dangling = tmp_path / "other", tmp_path / "link", tmp_path / "dangling"
    other.write_bytes(b"mine")
    link.symlink_to(other)
    dangling.symlink_to(tmp_path / "nothing")
    write_whole({link: b"new", dangling: b"too"})
    assert (link.read_bytes(), dangling.read_bytes(), other.read_bytes()) == (b"new", b"too", b"mine")
    assert not link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["dangling", "link", "other"]


def test_of_files_that_cannot_all_be_written_none_changes(tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(b"before")
    with pytest.raises(OSError, match="No such file"):
        write_whole({kept: b"after", tmp_path / "no folder" / "other": b""})
    assert kept.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["kept"]


def test_a_file_may_be_read_by_whom_any_new_file_may(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_whole({tmp_path / "whole": b""})
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_of_that_name_stays(tmp_path):
    (tmp_path / "place").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole({tmp_path / "place": b"text"})
    assert os.listdir(tmp_path) == ["place"]
