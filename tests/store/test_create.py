import json
import os

import pytest
import xarray as xr
from zarr.storage import LocalStore

from twinbrain.errors import StoreError
from twinbrain.store import check_target, open_run, resume_run, run_info


def test_a_run_without_windows_can_be_opened(example, path, seen, uninterrupted):
    example.create(path)
    tree = open_run(path)
    assert tree.attrs["status"] == "running"
    assert tree.sizes == {}
    assert tree["spikes"].sizes == {"spike": 0, "window": 0}
    assert seen(path) == uninterrupted(0)


def test_missing_parents_are_made(example, tmp_path):
    example.create(tmp_path / "a" / "b" / "c.zarr")
    open_run(tmp_path / "a" / "b" / "c.zarr")


def test_a_run_is_replaced_on_request_only(example, path, seen, uninterrupted):
    example.commit(example.create(path, probes=[]), range(3))
    before = seen(path)
    for create in (example.create, check_target):
        with pytest.raises(StoreError, match="overwrite=True"):
            create(path)
    assert seen(path) == before
    check_target(path, overwrite=True)
    example.commit(example.create(path, overwrite=True), range(2))
    assert seen(path) == uninterrupted(2)


def test_other_files_in_the_folder_of_a_run_outlive_its_replacement(example, path):
    example.create(path)
    (path / "notes.txt").write_text("mine")
    example.create(path, overwrite=True)
    assert (path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["folder", "zarr group", "broken zarr group", "list", "file"])
def test_what_is_no_run_is_never_replaced(example, path, kind, overwrite):
    path.parent.mkdir()
    if kind == "file":
        path.write_text("mine")
    elif kind == "zarr group":
        xr.Dataset({"x": ("t", [1, 2])}).to_zarr(path, consolidated=False)
    else:
        path.mkdir()
        name, text = {
            "folder": ("mine.txt", "mine"),
            "broken zarr group": ("zarr.json", "{"),
            "list": ("zarr.json", "[1]"),
        }[kind]
        (path / name).write_text(text)
    before = {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()}
    with pytest.raises(StoreError, match="name another path"):
        example.create(path, overwrite=overwrite)
    assert {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()} == before
    for read in (open_run, run_info, resume_run):
        with pytest.raises(StoreError, match=r"expected a (twinbrain )?run"):
            read(path)


def test_missing_paths_and_empty_folders_are_named_as_such(tmp_path):
    for read in (open_run, run_info, resume_run):
        with pytest.raises(StoreError, match=r"found nothing: .*missing\.zarr; check the path"):
            read(tmp_path / "missing.zarr")
        with pytest.raises(StoreError, match="interrupted creation"):
            read(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_another_format_says_which_version_wrote_it(example, path):
    example.create(path)
    root = json.loads((path / "zarr.json").read_text())
    root["attributes"] |= {"twinbrain_format": 3, "twinbrain_version": "9.1"}
    (path / "zarr.json").write_text(json.dumps(root))
    for read in (open_run, run_info, resume_run):
        with pytest.raises(StoreError, match=r"format 2, found format 3, written by twinbrain 9\.1.*open it with that"):
            read(path)
    with pytest.raises(StoreError, match="overwrite=True"):
        example.create(path)
    example.create(path, overwrite=True)


@pytest.mark.parametrize("over_another", [False, True])
def test_a_creation_killed_at_any_write_leaves_what_can_be_created_again(
    example, path, seen, uninterrupted, monkeypatch, over_another
):
    put, n_left = LocalStore._set, 0

    async def counted(self, *args, **options):
        nonlocal n_left
        n_left -= 1
        if n_left < 0:
            raise OSError("killed")
        await put(self, *args, **options)

    for n_writes in (0, 2, 52):
        if over_another:
            example.commit(example.create(path, overwrite=True), [0])
            before = seen(path)
        n_left = n_writes
        with monkeypatch.context() as patch:
            patch.setattr(LocalStore, "_set", counted)
            with pytest.raises(StoreError, match="nothing was recorded"):
                example.create(path, overwrite=over_another)
        if over_another and n_writes == 0:
            assert seen(path) == before
        elif n_writes:
            seen(path)
            with pytest.raises(StoreError, match="creation was interrupted"):
                open_run(path)
            check_target(path)
    example.create(path, overwrite=over_another)
    assert seen(path) == uninterrupted(0)


def test_attributes_that_are_missing_are_named(example, path):
    attributes = example.attributes()
    del attributes["seed"], attributes["spec"]
    with pytest.raises(StoreError, match="found no seed, spec"):
        example.create(path, attrs=attributes)
    assert not path.exists()


def test_paths_may_be_texts_and_relative(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example.commit(example.create("run.zarr"), [0])
    assert os.listdir(tmp_path) == ["run.zarr"]
    assert resume_run("run.zarr")[1].committed == pytest.approx(70.0)
