"""Links beside a stranger's store: what is written there takes the link's place, and never what it points to."""

import os

import pytest
from matplotlib.figure import Figure

from twinbrain import plot
from twinbrain.cli import contents
from twinbrain.errors import SpecError


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine"
    path.write_text("mine")
    return path


def test_a_figure_beside_a_store_overwrites_nothing_through_a_link(tmp_path, mine):
    (tmp_path / "x.png").symlink_to(mine)
    plot.save(Figure(), tmp_path / "x.png")
    assert mine.read_text() == "mine"
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_without_a_suffix_is_a_png(tmp_path):
    assert plot.save(Figure(), tmp_path / "x") == tmp_path / "x.png"
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_region_is_not_begun_where_a_link_leads_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions" / "lab").mkdir(parents=True)
    (tmp_path / "regions" / "lab" / "new.toml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpecError, match="expected a name that is free"):
        contents.new("lab/new", "learning/leaky")
    assert os.listdir(tmp_path) == ["regions"]
