"""Every path that a user gives may begin with the home folder, and may be text or a path object."""

from pathlib import Path

import numpy as np
import pytest

import twinbrain as tb
from tests.cli.small import write_files
from tests.examples import small_brain
from twinbrain import plot
from twinbrain.paths import url_in, user_path
from twinbrain.spec.load import load_profile
from twinbrain.store import Location


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder with the small workflow; the working folder is another."""
    for name in ("home", "elsewhere"):
        (tmp_path / name).mkdir()
    write_files(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    yield tmp_path / "home"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_home_that_nobody_knows_stays_as_it_is():
    assert user_path("~nobody-of-this-name/run.zarr") == Path("~nobody-of-this-name/run.zarr")


@pytest.mark.parametrize("path", ["s3://b/c.npz", "/lab/s3:/b/c.npz", Path("https://b/c.npz"), "GS:/b/c.npz"])
def test_a_url_is_seen_in_a_path(path):
    assert url_in(path).endswith("b/c.npz")
    assert url_in(path)[0] in "shG"


@pytest.mark.parametrize("path", ["c.npz", "/lab/c:/d.npz", "s3/c.npz", "runs3:/x", "a s3:b"])
def test_other_paths_are_no_urls(path):
    assert url_in(path) == ""


FROM_DISK = [
    (lambda url: tb.load_connectome(f"{url}.npz"), tb.ConnectomeError),
    (lambda url: tb.read_connectome(f"{url}.tsv"), tb.ConnectomeError),
    (lambda url: tb.load_region(f"{url}.toml"), tb.SpecError),
    (lambda url: tb.load_workflow(f"{url}.toml"), tb.SpecError),
    (lambda url: tb.task("shd", folder=url), tb.LearnError),
    (lambda url: tb.task("nmnist", folder=url), tb.LearnError),
    (lambda url: tb.write_region(tb.load_region("cortex/column"), f"{url}.toml"), tb.SpecError),
    (lambda url: tb.write_connectome(tb.load_connectome("tvb-76"), f"{url}.npz"), tb.ConnectomeError),
    (lambda url: tb.write_brain(small_brain(2), url), tb.ExchangeError),
    (lambda url: tb.write_sonata(tb.load_region("cortex/column"), url), tb.ExchangeError),
    (lambda url: plot.save(None, f"{url}.png"), tb.SpecError),
]


@pytest.mark.parametrize(("call", "error"), FROM_DISK)
@pytest.mark.parametrize("url", ["s3://bucket/x", "http:/host/x"])
def test_a_url_where_files_of_this_machine_alone_are_taken_is_told_and_makes_no_folder(home, call, error, url):
    with pytest.raises(error, match=r"of this machine, found what looks like a URL, (s3|http):/"):
        call(url)


@pytest.mark.parametrize("of", [str, Path])
def test_a_run_is_kept_and_opened_in_the_home_folder(home, of):
    run = tb.simulate(of("~/small.toml"), out=of("~/runs/small.zarr"))
    assert run.attrs["status"] == "complete"
    assert (home / "runs/small.zarr").is_dir()
    assert tb.open_run(of("~/runs/small.zarr")).attrs["digest"] == run.attrs["digest"]
    assert tb.resume(of("~/runs/small.zarr")).attrs["status"] == "complete"
    assert plot.save(plot.raster(run), of("~/raster.png")) == home / "raster.png"


def test_a_url_of_a_file_may_name_the_home_folder(home):
    assert Location.of("file://~/run.zarr").path == home / "run.zarr"


@pytest.mark.parametrize("of", [str, Path])
def test_models_are_written_to_and_read_from_the_home_folder(home, of):
    region = tb.load_region(of("~/pair.toml"))
    tb.write_region(region, of("~/again.toml"))
    assert tb.load_region(home / "again.toml") == region
    connectome = tb.load_connectome(of("~/weights.tsv"))
    assert tb.read_connectome(of("~/weights.tsv"), length="~/weights_length.tsv").n_regions == 3
    tb.write_connectome(connectome, of("~/weights.npz"))
    brain = tb.Brain(connectome="~/weights.npz", regions={"*": region})
    assert tb.write_brain(brain, of("~/brain")) == home / "brain/brain.toml"
    (home / "profile.toml").write_text('walltime = "2 h"\n')
    assert load_profile(of("~/profile.toml")).walltime == 2 * 3600e3


@pytest.mark.parametrize("of", [str, Path])
def test_models_are_exchanged_by_files_in_the_home_folder(home, of):
    region = tb.load_region("~/pair.toml")
    tb.write_sonata(region, of("~/sonata"), drives="drop")
    assert tb.read_sonata(of("~/sonata")).n_neurons == 12
    with pytest.raises(tb.ExchangeError, match="expected a path that is free"):
        tb.write_nir(tb.load_region("cortex/column"), of("~/sonata"))  # before it is said that NIR cannot express it


def test_files_that_a_toml_file_names_may_lie_in_the_home_folder(home):
    np.save(home / "rate.npy", np.full((40, 1), 900.0))
    text = (home / "small.toml").read_text()
    text = text.replace('"weights.tsv"', '"~/weights.tsv"').replace('"pair.toml"', '"~/pair.toml"')
    (home / "moved").mkdir()
    (home / "moved/small.toml").write_text(text)
    assert tb.load_workflow("~/moved/small.toml").brain.regions["*"].name == "test/pair"
    assert tb.simulate("~/moved/small.toml", out="~/moved.zarr").attrs["status"] == "complete"


def test_folders_of_content_may_lie_in_the_home_folder(home, monkeypatch):
    (home / "lab/regions").mkdir(parents=True)
    (home / "pair.toml").rename(home / "lab/regions/mine.toml")
    monkeypatch.setenv("TWINBRAIN_PATH", "~/lab")
    assert tb.load_region("mine").name == "test/pair"
