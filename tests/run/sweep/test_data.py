"""A sweep of trainings computes all its points from the data set with which it was begun."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import small_connectome
from twinbrain.learn.tasks.data_files import FILES, data_digest
from twinbrain.learn.tasks.registry import find_task, task_names, task_options
from twinbrain.run.sweep.create import check_same, open_or_create, prepare_sweep
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location


def write(folder, shift):
    """Write a small N-MNIST: of each digit two recordings to learn from, and one to test, of one event each."""
    shutil.rmtree(folder, ignore_errors=True)
    for part, n in (("Train", 2), ("Test", 1)):
        for digit in range(10):
            (own := Path(folder) / part / str(digit)).mkdir(parents=True)
            for i in range(n):
                (own / f"{i}.bin").write_bytes(np.array([digit, shift, 0, 0, 9], np.uint8).tobytes())


@pytest.fixture
def workflow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("data", 0)
    write("other", 1)
    task = {"name": "nmnist", "folder": "data", "duration": "3 ms", "validation": 0.5}
    return Workflow(
        name="small",
        brain=tb.Brain(connectome=small_connectome(1), regions={"*": tb.load_region("learning/leaky")}),
        run=tb.Run(dt="1 ms", seed=1),
        train={"task": task, "epochs": 1},
    )


SWEPT = [
    {"seed": [1, 2]},
    {"train.task.folder": ["other", "data"]},
    {"train.task": [{"name": "nmnist", "folder": "data", "duration": "3 ms"}, "xor"]},
]


@pytest.mark.parametrize("swept", SWEPT)
def test_a_point_whose_data_set_has_changed_is_refused(workflow, swept):
    prepared = prepare_sweep(declared_sweep(workflow, swept)[0], {})
    store = open_or_create(prepared, Location.of("sweep.zarr"), overwrite=False)
    point = {key: values[-1 if key == "train.task.folder" else 0] for key, values in swept.items()}
    point_workflow(prepared.workflow, point)
    write("data", 2)
    with pytest.raises(tb.SpecError, match=r"the data set in .*data: expected the contents with which the sweep was"):
        point_workflow(prepared.workflow, point)
    again = prepare_sweep(declared_sweep(workflow, swept)[0], {})
    with pytest.raises(tb.SpecError, match=r"a changed one: sweep\.files\.folder\..*data\.sha256: '.* before, '.* now"):
        check_same(store, again.workflow)
    write("data", 0)  # as it was
    point_workflow(prepared.workflow, point)


def test_points_are_of_their_data_set_whatever_the_working_folder(workflow, tmp_path, monkeypatch):
    prepared = prepare_sweep(declared_sweep(workflow, {"seed": [1, 2]})[0], {})
    monkeypatch.chdir("/")
    assert point_workflow(prepared.workflow, {"seed": 2}).train.task.options["folder"] == str(tmp_path / "data")


def test_a_file_of_the_data_set_that_cannot_be_read_is_named(workflow):
    (file := Path("data/Test/3/0.bin")).unlink()
    file.mkdir()
    with pytest.raises(tb.SpecError, match=r"data: Test/3/0\.bin: expected a regular file, found a folder"):
        prepare_sweep(declared_sweep(workflow, {"seed": [1, 2]})[0], {})


def test_what_else_lies_in_the_folder_may_change(workflow):
    before = data_digest("data")
    Path("data/notes.txt").write_text("mine")
    assert data_digest("data") == before
    Path("data/Test/9/0.bin").rename("data/Test/9/1.bin")
    assert data_digest("data") != before
    assert data_digest(".") is None


def test_each_task_that_reads_a_folder_has_its_files_in_the_digest():
    assert set(FILES) == {name for name in task_names() if "folder" in task_options(find_task(name)).model_fields}
