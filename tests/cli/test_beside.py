"""What commands put beside a store replaces what they put there before, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

import twinbrain as tb
from tests.spec.test_write import trained_region
from twinbrain.cli.beside import beside, check_beside, mark_of, may_write, may_write_brain, may_write_region, writing
from twinbrain.cli.console import Console
from twinbrain.cli.places import place_of
from twinbrain.errors import SpecError, StoreError
from twinbrain.store import Location


@pytest.fixture
def location(tmp_path):
    return Location.of(tmp_path / "größe.zarr")


@pytest.fixture
def picture():
    from matplotlib.figure import Figure

    return Figure()


def test_a_figure_of_the_same_store_is_replaced_also_if_both_were_moved(tmp_path, location, picture):
    path = tb.plot.save(picture, tmp_path / "größe.png", source=mark_of(location))
    assert may_write(path, location, Console())
    (tmp_path / "elsewhere").mkdir()
    assert may_write(path, Location.of(tmp_path / "elsewhere" / "größe.zarr"), Console())


def test_figures_of_others_stay_and_it_is_told(tmp_path, location, picture, capsys):
    for name, source in (("mine.png", ""), ("other.png", mark_of(Location.of(tmp_path / "other.zarr")))):
        path = tb.plot.save(picture, tmp_path / name, source=source)
        assert not may_write(path, location, Console(soft_wrap=True))
        assert f"{path} was not written for {location} and stays as it is; move it away" in capsys.readouterr().out
    assert may_write(tmp_path / "free.png", location, Console())


def test_stores_at_urls_go_by_their_whole_address():
    one, other = (mark_of(Location.of(f"s3://{bucket}/rest.zarr")) for bucket in ("a", "b"))
    assert one != other


def test_a_region_is_replaced_with_the_arrays_that_it_names_and_with_no_others(tmp_path, location):
    path = tmp_path / "größe_trained.toml"
    tb.write_region(trained_region(), path, note=mark_of(location))
    assert tb.load_region(path) == trained_region()
    assert may_write_region(path, location, Console())
    np.savez(path.with_suffix(".npz"), mine=1)
    assert not may_write_region(path, location, Console())
    path.unlink()
    assert not may_write_region(path, location, Console())
    path.with_suffix(".npz").unlink()
    assert may_write_region(path, location, Console())


def test_a_folder_is_replaced_unless_something_else_was_put_into_it(tmp_path, location):
    folder = tmp_path / "größe_trained"
    brain = tb.Brain(connectome=tb.Connectome([[0]], [[0]], "A"), regions={"A": trained_region()})
    tb.write_brain(brain, folder, note=mark_of(location))
    assert tb.load_workflow(folder / "brain.toml").brain.regions["A"] == trained_region()
    assert may_write_brain(folder, location, Console())
    for name in ("regions/notes.txt", "mine.toml", "recorded.npz"):
        (folder / name).write_text("mine")
        assert not may_write_brain(folder, location, Console())
        (folder / name).unlink()
    workflow = (folder / "brain.toml").read_text()
    (folder / "brain.toml").write_text(f"{workflow}\n[record]\nspikes = true\n")
    assert not may_write_brain(folder, location, Console())
    (folder / "brain.toml").write_text(workflow)
    tb.write_brain(brain, folder, overwrite=True)
    assert not may_write_brain(folder, location, Console())


def test_a_place_without_a_name_is_none_for_what_stands_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for out in (".", "..", "/", "a/.."):
        with pytest.raises(SpecError, match="--out: expected a path with a name"):
            place_of(out, "a")
    assert beside(Location.of(".")) == tmp_path  # of one that is resumed
    assert mark_of(Location.of(".")) == mark_of(Location.of(tmp_path))


def test_what_cannot_be_put_beside_is_told_before_and_by_name(tmp_path, location):
    (tmp_path / "größe.md").mkdir()
    check_beside(location, figure=True)
    with pytest.raises(StoreError, match=r"größe\.md free for a file beside .*größe\.zarr, found a folder"):
        check_beside(location, figure=True, table=True)
    told = r"the sweep .*größe\.zarr is kept, but größe\.md beside it cannot be written: File too large; make room"
    with pytest.raises(StoreError, match=told), writing(Path("größe.md"), location, "sweep"):
        raise OSError(27, "File too large")


def test_a_run_leaves_a_picture_of_somebody_else_as_it_is(twinbrain, folder):
    (folder / "runs").mkdir()
    (folder / "runs/small.png").write_bytes(b"mine")
    outcome = twinbrain("run", "small.toml")
    assert outcome.code == 0
    assert "runs/small.png was not written for runs/small.zarr and stays as it is" in outcome.out
    assert (folder / "runs/small.png").read_bytes() == b"mine"
