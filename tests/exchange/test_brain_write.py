"""A brain that is written to a folder is read as an equal one."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import joined_brain, relay_region, small_brain, small_connectome
from twinbrain.errors import ConnectomeError, ExchangeError, SpecError
from twinbrain.network.given import read_trains


@pytest.mark.parametrize("brain", [small_brain(4, coupling=0.5), joined_brain(4)], ids=["ruled", "joined"])
def test_a_written_brain_is_read_as_an_equal_one(brain, tmp_path):
    path = tb.write_brain(brain, tmp_path / "brain")
    assert path == tmp_path / "brain" / "brain.toml"
    read = tb.load_workflow(path)
    assert read.name == "small"
    assert read.run == tb.Run()
    found = read.brain.model_copy(update={"connectome": tb.load_connectome(read.brain.connectome)})
    assert found == brain
    assert found.digest == brain.digest
    assert list(found.regions) == list(brain.regions)


def test_a_written_brain_runs_with_the_files_of_its_drives(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("r.npz", time=[1.0, 2.0], neuron=[0, 0])
    spikes = {"file": "r.npz", "unit": "ms", "weight": "1 nS"}
    region = relay_region().replace(drives=[tb.Drive(population="relay", receptor="ampa", spikes=spikes)])
    path = tb.write_brain(tb.Brain(connectome=small_connectome(1), regions={"*": region}), "folder")
    written = tb.load_workflow(path).brain.regions["*"]
    assert written == region
    monkeypatch.chdir("/")
    assert read_trains(written.drives[0].spikes)[0].tolist() == [1, 2]


def test_a_region_that_stands_in_several_places_is_written_once_and_names_do_not_collide(tmp_path):
    relay = relay_region()
    other = relay.model_copy(update={"name": "test_relay", "summary": "other"})
    regions = {"a": relay, "b": other, "*": relay}
    connectome = tb.Connectome([[0.0] * 3] * 3, [[0.0] * 3] * 3, ["a", "b", "c"])
    path = tb.write_brain(tb.Brain(name="not a file's name/", connectome=connectome, regions=regions), tmp_path / "x")
    assert len(list((tmp_path / "x" / "regions").glob("*.toml"))) == 2
    assert tb.load_workflow(path).brain.regions == regions


def test_regions_whose_names_differ_in_case_have_files_that_differ_in_more(tmp_path):
    regions = {name: relay_region().model_copy(update={"name": f"my/{name}"}) for name in "aA"}
    connectome = tb.Connectome([[0.0] * 2] * 2, [[0.0] * 2] * 2, ["a", "A"])
    path = tb.write_brain(tb.Brain(connectome=connectome, regions=regions), tmp_path / "x")
    assert len({file.name.lower() for file in (tmp_path / "x" / "regions").iterdir()}) == 2
    assert tb.load_workflow(path).brain.regions == regions


def test_a_region_at_a_label_with_brackets_stands_nowhere_else_when_it_was_written(tmp_path):
    """As a pattern, ``M[1]`` would mean ``M1``."""
    regions = {"M[1]": relay_region().replace(name="my/own"), "*": relay_region()}
    connectome = tb.Connectome([[0.0] * 2] * 2, [[0.0] * 2] * 2, ["M[1]", "M1"])
    brain = tb.Brain(connectome=connectome, regions=regions)
    read = tb.load_workflow(tb.write_brain(brain, tmp_path / "x")).brain
    assert read.assignment(connectome.labels) == brain.assignment(connectome.labels)
    again = tb.load_workflow(tb.write_brain(read, tmp_path / "y")).brain
    assert again.regions == read.regions
    with pytest.raises(SpecError, match="the pattern matches no region"):
        read.assignment(["M1", "V"])


def test_a_note_of_several_lines_is_a_comment_and_nothing_else(tmp_path):
    path = tb.write_brain(small_brain(2), tmp_path / "x", note='first\nname = "other"')
    assert path.read_text().startswith('# first\n# name = "other"\n')
    assert tb.load_workflow(path).name == "small"


def test_a_connectome_that_ships_under_a_name_stays_a_name(tmp_path):
    brain = tb.Brain(connectome="tvb-76", regions={"*": relay_region()})
    assert tb.load_workflow(tb.write_brain(brain, tmp_path / "x")).brain == brain
    assert not list(tmp_path.rglob("connectome*"))


def test_a_folder_is_replaced_only_when_that_is_asked_for_and_nothing_half_is_left(tmp_path):
    tb.write_brain(small_brain(3), tmp_path / "x")
    with pytest.raises(ExchangeError, match="expected a path that is free"):
        tb.write_brain(joined_brain(3), tmp_path / "x")
    tb.write_brain(joined_brain(3), tmp_path / "x", overwrite=True)
    assert len(tb.load_workflow(tmp_path / "x" / "brain.toml").brain.projections) == 4
    with pytest.raises(ConnectomeError):
        tb.write_brain(tb.Brain(connectome="nowhere", regions={"*": relay_region()}), tmp_path / "y")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["recorded.npz", "regions/mine.npz"])
def test_a_folder_with_files_of_a_persons_own_is_not_replaced(name, tmp_path):
    folder = tmp_path / "x"
    tb.write_brain(joined_brain(3), folder)
    file = folder / name
    file.unlink(missing_ok=True)
    with file.open("wb") as recorded:
        np.savez(recorded, time=[1.0], neuron=[0])
    with pytest.raises(ExchangeError, match=f"found {name}; move that elsewhere"):
        tb.write_brain(joined_brain(3), folder, overwrite=True)
    with np.load(file) as found:
        assert found["time"] == [1.0]


@pytest.mark.parametrize("name", ["brain.toml", "regions/test_relay.toml"])
def test_a_brain_in_which_a_person_changed_a_file_is_not_replaced(name, tmp_path):
    path = tb.write_brain(joined_brain(3), tmp_path / "x").parent / name
    path.write_text(text := f"# mine\n{path.read_text()}")
    with pytest.raises(ExchangeError, match=rf"found {name} \(which has changed\); move"):
        tb.write_brain(joined_brain(3), tmp_path / "x", overwrite=True)
    assert path.read_text() == text


def test_a_link_gives_way_and_what_it_points_to_stays(tmp_path):
    tb.write_brain(small_brain(3), tmp_path / "kept")
    (tmp_path / "link").symlink_to("kept")
    tb.write_brain(joined_brain(3), tmp_path / "link", overwrite=True)
    assert not (tmp_path / "link").is_symlink()
    assert not tb.load_workflow(tmp_path / "kept/brain.toml").brain.projections


def test_a_brain_with_long_arrays_is_replaced(tmp_path):
    values = tb.Explicit(np.linspace(1, 2, 20), "pF")
    relay = relay_region()
    cells = {name: cell.replace(parameters={"C_m": values}) for name, cell in relay.cells.items()}
    populations = {name: population.replace(size=20) for name, population in relay.populations.items()}
    region = relay.replace(cells=cells, populations=populations)
    brain = tb.Brain(connectome=small_connectome(1), regions={"*": region})
    for overwrite in (False, True):
        path = tb.write_brain(brain, tmp_path / "x", overwrite=overwrite)
        assert (tmp_path / "x" / "regions" / "test_relay.npz").exists()
    assert tb.load_workflow(path).brain.regions == brain.regions
