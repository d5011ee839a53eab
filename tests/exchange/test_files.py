import os
from pathlib import Path

import pytest

from twinbrain.errors import ExchangeError
from twinbrain.exchange.files import check_free, optional, written_whole


def written(path, *names, text="before"):
    """Write a folder with files of some names."""
    with written_whole(path, overwrite=False, folder=True) as part:
        for name in names:
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_text(text)


def write_half(path, folder):
    with written_whole(path, overwrite=True, folder=folder) as part:
        (part / "part" if folder else part).write_text("after")
        raise ZeroDivisionError


@pytest.mark.parametrize("folder", [False, True])
def test_what_breaks_off_leaves_nothing_and_keeps_what_stood_there(folder, tmp_path):
    path = tmp_path / "model"
    if folder:
        written(path, "part")
    else:
        path.write_text("before")
    with pytest.raises(ZeroDivisionError):
        write_half(path, folder)
    assert [found.name for found in tmp_path.iterdir()] == ["model"]
    assert (path / "part" if folder else path).read_text() == "before"


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_written_replaces_what_stood_there_as_a_whole(folder, tmp_path):
    path = tmp_path / "deep" / "model"
    for text in ("one", "two"):
        with written_whole(path, overwrite=text == "two", folder=folder) as part:
            (part / text if folder else part).write_text(text)
    assert [found.name for found in path.parent.iterdir()] == ["model"]
    if folder:
        assert sorted(found.name for found in path.iterdir()) == ["two", "written.json"]
    else:
        assert path.read_text() == "two"


@pytest.mark.parametrize("fault", [OSError("no more room"), KeyboardInterrupt()], ids=["full", "stopped"])
@pytest.mark.parametrize("name", ["model", "before"])
def test_a_folder_is_kept_where_another_cannot_take_its_place(name, fault, tmp_path, monkeypatch):
    def fail(*_):
        raise fault

    path = tmp_path / name
    written(path, "part")
    monkeypatch.setattr(Path, "replace", fail)
    with (
        pytest.raises(KeyboardInterrupt if isinstance(fault, KeyboardInterrupt) else ExchangeError),
        written_whole(path, overwrite=True, folder=True) as part,
    ):
        (part / "part").write_text("after")
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert (path / "part").read_text() == "before"
    monkeypatch.undo()
    with written_whole(path, overwrite=True, folder=True) as part:
        (part / "part").write_text("after")
    assert (path / "part").read_text() == "after"


def test_a_folder_that_cannot_be_put_back_is_kept_and_named(tmp_path, monkeypatch):
    def fail(*_):
        monkeypatch.setattr(Path, "rename", fail)
        raise OSError("the disk is gone")

    path = tmp_path / "model"
    written(path, "part")
    monkeypatch.setattr(Path, "replace", fail)
    message = r"put back what stood here, which is now .*_model: the disk is gone"
    with (
        pytest.raises(ExchangeError, match=message) as caught,
        written_whole(path, overwrite=True, folder=True),
    ):
        pass
    (kept,) = tmp_path.glob("*/_model/part")
    assert kept.read_text() == "before"
    assert str(kept.parent) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("thesis.txt", "thesis.txt"),
        ("mine/thesis.txt", "mine/"),
        ("deep/part", "deep/part"),
        ("deep/a/b", "deep/a/"),
        ("deep/own", r"deep/own \(which has changed\)"),
        ("written.json", r"deep/, part, written\.json"),
    ],
)
def test_a_folder_with_anything_else_in_it_is_kept_and_that_is_named(name, found, tmp_path):
    written(tmp_path / "model", "part", "deep/own")
    kept = tmp_path / "model" / name
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    with (
        pytest.raises(ExchangeError, match=f"nothing in it but what was written .*, found {found}; move"),
        written_whole(tmp_path / "model", overwrite=True, folder=True),
    ):
        pass
    assert kept.read_text() == "mine"


def test_files_that_systems_put_everywhere_are_not_in_the_way(tmp_path):
    written(tmp_path / "model", "part", "deep/own")
    for name in (".DS_Store", "deep/.DS_Store", "deep/Thumbs.db", "desktop.ini"):
        (tmp_path / "model" / name).write_text("of the system")
    with written_whole(tmp_path / "model", overwrite=True, folder=True) as part:
        (part / "part").write_text("after")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["part", "written.json"]


def test_what_is_put_into_a_folder_meanwhile_is_kept(tmp_path):
    path = tmp_path / "model"
    written(path)
    with (
        pytest.raises(ExchangeError, match=r"found thesis\.txt; move"),
        written_whole(path, overwrite=True, folder=True),
    ):
        (path / "thesis.txt").write_text("mine")
    assert sorted(found.name for found in tmp_path.rglob("*")) == ["model", "thesis.txt", "written.json"]


def test_a_folder_whose_files_are_told_nowhere_is_kept_but_for_an_empty_one(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    check_free(path, overwrite=True, folder=True)
    (path / "part").write_text("before")
    with pytest.raises(ExchangeError, match=r"before and is told in written\.json, .*, found part; move"):
        check_free(path, overwrite=True, folder=True)


def test_what_was_taken_out_of_a_folder_is_not_missed(tmp_path):
    written(tmp_path / "model", "part", "deep/own")
    (tmp_path / "model/part").unlink()
    check_free(tmp_path / "model", overwrite=True, folder=True)


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    written(tmp_path / "model", "part")
    (tmp_path / "model/part").unlink()
    os.mkfifo(tmp_path / "model/part")
    with pytest.raises(ExchangeError, match=r"found part \(which has changed\)"):
        check_free(tmp_path / "model", overwrite=True, folder=True)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(ExchangeError, match="expected a folder, found the other"):
        write_half(tmp_path / "model", True)


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExchangeError, match="expected a path that can be written"):
        write_half(tmp_path / "file" / "model", False)


def test_a_package_that_is_missing_is_said_how_to_install():
    with pytest.raises(ExchangeError, match=r'pip install "twinbrain\[exchange\]"'):
        optional("no_such_package_here")
