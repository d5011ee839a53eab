"""A sweep computes all its points from the files with which it was begun."""

from pathlib import Path

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import small_connectome
from twinbrain.network.given import read_trains
from twinbrain.run.sweep.assign import assigned
from twinbrain.run.sweep.create import check_same, open_or_create, prepare_sweep
from twinbrain.run.sweep.files import pinned_sweep
from twinbrain.run.sweep.kept import kept_digest
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location

GIVEN = {"name": "given", "regions": "TH-*", "population": "relay", "receptor": "ampa"}
GIVEN |= {"start": "0 ms", "duration": "10 ms"}


def spikes(file):
    return {"file": file, "unit": "ms", "weight": "3 nS"}


@pytest.fixture
def files(workflow, tmp_path, monkeypatch):
    """The workflow with given spikes, in a folder with files to sweep."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate("ab"):
        tb.write_connectome(small_connectome(2).replace(weight=np.full((2, 2), i + 1.0)), f"{name}.npz")
        (tmp_path / f"{name}.csv").write_text(f"time,neuron\n{i + 2},0\n")
    cortex = workflow.brain.regions["CX-*"]
    tb.write_region(cortex, "a.toml")
    tb.write_region(cortex.replace(summary="Another."), "b.toml")
    given = Stimulus.parse(GIVEN | {"spikes": spikes("a.csv")})
    return workflow.replace(stimuli=(given,), run=workflow.run.replace(engine="reference"))


SWEPT = [
    ("connectome", ["a.npz", "b.npz"], "b.npz"),
    ("regions.CX-*", ["a.toml", "b.toml"], "b.toml"),
    ("stimuli.given.spikes.file", ["a.csv", "b.csv"], "b.csv"),
    ("stimuli.given.spikes", [spikes("a.csv"), spikes("b.csv")], "b.csv"),
]


@pytest.mark.parametrize(("key", "values", "file"), SWEPT)
def test_a_point_whose_file_has_changed_is_refused(files, key, values, file, tmp_path):
    pinned = files.replace(sweep=pinned_sweep(Sweep(parameters={key: values})))
    point_workflow(pinned, {key: values[1]})
    (tmp_path / file).write_bytes((tmp_path / f"a.{file.split('.')[1]}").read_bytes())
    assert pinned_sweep(Sweep(parameters={key: values})) != pinned.sweep
    point_workflow(pinned, {key: values[0]})
    with pytest.raises(tb.SpecError, match=rf"{file}: expected the contents with which the sweep was begun"):
        point_workflow(pinned, {key: values[1]})


def test_points_are_of_their_files_whatever_the_working_folder(files, monkeypatch):
    pinned = [files.replace(sweep=pinned_sweep(Sweep(parameters={key: values}))) for key, values, _ in SWEPT]
    monkeypatch.chdir("/")
    connectome, region, *given = (
        point_workflow(workflow, {key: values[1]}) for workflow, (key, values, _) in zip(pinned, SWEPT, strict=True)
    )
    assert connectome.brain.connectome.weight.values[0, 0] == 2
    assert region.brain.regions["CX-*"].summary == "Another."
    assert [read_trains(workflow.stimuli[0].spikes)[0].tolist() for workflow in given] == [[3], [3]]


def test_another_file_of_spikes_takes_the_place_of_one_that_is_pinned(files):
    declared = files.stimuli[0].spikes.replace(sha256="0" * 64)
    pinned = files.replace(stimuli=(files.stimuli[0].replace(spikes=declared),))
    assert assigned(pinned, {"stimuli.given.spikes.weight": "1 nS"}).stimuli[0].spikes.sha256 == "0" * 64
    assert assigned(pinned, {"stimuli.given.spikes.file": "b.csv"}).stimuli[0].spikes.sha256 is None


def test_a_sweep_goes_on_with_the_files_with_which_it_was_begun_and_no_others(files):
    declared = declared_sweep(files, {"stimuli.given.spikes.file": ["a.csv", "b.csv"]}, reduce=["mean_rates"])[0]
    prepared = prepare_sweep(declared, {})
    store = open_or_create(prepared, Location.of("sweep.zarr"), overwrite=False)
    check_same(store, prepared.workflow)
    Path("b.csv").write_text("time,neuron\n4,0\n")
    changed = prepared.workflow.replace(sweep=pinned_sweep(prepared.workflow.sweep))
    with pytest.raises(tb.SpecError, match=r"a changed one: sweep\.files\.file\.b\.csv\.sha256: '.* before, '.* now"):
        check_same(store, changed)


def test_a_sweep_of_trainings_goes_on_with_the_files_of_drives_with_which_it_was_begun(tmp_path, monkeypatch):
    def prepared():
        return prepare_sweep(declared_sweep(workflow, {"seed": [1, 2]})[0], {})

    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("time,neuron\n2,0\n")
    region = tb.load_region("learning/leaky")
    given = {"file": "a.csv", "unit": "ms", "weight": "400 pA"}
    drive = tb.Drive(population="exc", receptor="exponential_current", spikes=given)
    train = {"task": {"name": "xor", "duration": "20 ms"}, "epochs": 1}
    brain = tb.Brain(connectome=small_connectome(1), regions={"*": region.replace(drives=[drive])})
    workflow = Workflow(name="small", brain=brain, run=tb.Run(dt="1 ms"), train=train)
    begun = prepared()
    store = open_or_create(begun, Location.of("sweep.zarr"), overwrite=False)
    kept_digest(point_workflow(begun.workflow, {"seed": 2}))
    Path("a.csv").write_text("time,neuron\n4,0\n")
    with pytest.raises(tb.SpecError, match=r"spikes\.file: .*/a\.csv: .*the file has changed"):
        kept_digest(point_workflow(begun.workflow, {"seed": 2}))
    with pytest.raises(tb.SpecError, match=r"a changed one: .*spikes\.sha256 of .*/a\.csv: '.* before, '.* now"):
        check_same(store, prepared().workflow)


def test_a_file_that_is_missing_is_told_before_anything_runs():
    with pytest.raises(tb.ConnectomeError, match=r"c\.npz: expected a file, found none"):
        pinned_sweep(Sweep(parameters={"connectome": ["c.npz"]}))
