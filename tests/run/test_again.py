"""A call that is made twice, as the cell of a notebook, is no error; and a place need not be named."""

import subprocess
import sys
from pathlib import Path

import pytest

import twinbrain as tb
from tests.cli.small import write_files
from tests.learn.small import rates_task
from tests.roots import edit_root
from twinbrain.run import simulate as module


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def must_not_be_built(*arguments):
    raise AssertionError("nothing is to be computed")


def test_a_complete_run_of_the_same_workflow_is_opened(folder, monkeypatch):
    first = tb.simulate("small.toml", out="run.zarr", seed=3)
    monkeypatch.setattr(module, "build_network", must_not_be_built)
    again = tb.simulate("small.toml", out="run.zarr", seed=3)
    assert again.identical(first)
    assert again.twin.path == str(folder / "run.zarr")
    with pytest.raises(AssertionError, match="nothing is to be computed"):
        tb.simulate("small.toml", out="run.zarr", seed=3, overwrite=True)


def test_a_run_of_another_workflow_or_version_is_not_taken_for_it():
    tb.simulate("small.toml", out="run.zarr", seed=3)
    for changed in ({"seed": 4}, {"seed": 3, "duration": "20 ms"}):
        with pytest.raises(tb.StoreError, match=r"found a run: run\.zarr; replace it with overwrite=True"):
            tb.simulate("small.toml", out="run.zarr", **changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "versions", lambda engine: {"twinbrain": "0.0.1"})
        with pytest.raises(tb.StoreError, match="found a run"):
            tb.simulate("small.toml", out="run.zarr", seed=3)
    edit_root(Path("run.zarr"), resumed_with='{"numpy": "1.0"}')
    with pytest.raises(tb.StoreError, match="found a run"):
        tb.simulate("small.toml", out="run.zarr", seed=3)
    assert tb.simulate("small.toml", out="run.zarr", seed=4, overwrite=True).attrs["seed"] == 4


def test_a_complete_training_of_the_same_task_is_opened(monkeypatch):
    def train(**settings):
        task = rates_task(n_trials=(12, 6, 6))
        return tb.train(
            tb.load_region("pair.toml"), task, out="trained.zarr", **{"epochs": 1, "batch_size": 6} | settings
        )

    first = train()
    seen = []
    again = train(progress=lambda *told: seen.append(told))
    assert seen == []
    assert again.curves.identical(first.curves)
    assert again.model == first.model
    with pytest.raises(tb.StoreError, match="found a training"):
        train(epochs=2)
    assert train(epochs=2, overwrite=True).curves.sizes["epoch"] == 2


def test_forks_have_places_of_their_own_and_remove_those_alone():
    program = """
import multiprocessing, os, sys
from twinbrain.store import place_for
def place(_):
    found = place_for(None, "run").path
    found.mkdir()
    return str(found)
if __name__ == "__main__":
    own = place(None)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        others = pool.map(place, range(4), chunksize=1)
        pool.close()
        pool.join()
    assert len({own, *others}) == 5
    assert not any(map(os.path.exists, others))
    if not os.fork():
        sys.exit()
    os.wait()
    assert os.path.exists(own)
    print(own)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert not Path(done.stdout.strip() or ".").exists(), done.stderr


def test_without_a_place_runs_last_as_long_as_the_process(folder):
    program = """
import twinbrain as tb
runs = [tb.simulate("small.toml", seed=seed) for seed in (1, 2)]
sweep = tb.sweep("small.toml", coupling=[0.5, 1.0], workers=0)
assert all(tb.open_run(run.twin.path).attrs["seed"] == seed for run, seed in zip(runs, (1, 2)))
print(*(run.twin.path for run in runs), sweep.encoding["source"], sep="\\n")
"""
    before = sorted(folder.iterdir())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    places = done.stdout.split()
    assert len(set(places)) == 3, done.stderr
    assert not any(Path(place).exists() for place in places)
    assert sorted(folder.iterdir()) == before


def test_a_sweep_on_a_cluster_needs_a_place():
    with pytest.raises(tb.SpecError, match="out: expected a place that all workers of the cluster reach"):
        tb.sweep("small.toml", coupling=[0.5], cluster="tcp://127.0.0.1:1")


def test_what_is_printed_is_one_line():
    workflow = tb.load_workflow("small.toml")
    region = workflow.brain.regions["*"]
    run = tb.simulate(workflow)
    assert str(region) == "<region test/pair: 12 neurons in 2 populations>"
    assert str(workflow.brain) == "<brain without a name: connectome weights.tsv, 1 kind of region>"
    assert str(workflow) == f"<workflow small: 0.04 s, {workflow.brain}>"
    assert repr(run.twin) == f"<run of small: 0.04 of 0.04 s, complete, at {run.twin.path}>"
    trained = tb.train(region, rates_task(n_trials=(12, 6, 6)), epochs=1, batch_size=6)
    assert str(trained).startswith("<test/pair trained on rates by bptt: 1 epoch, validation accuracy ")
    assert all("\n" not in str(thing) for thing in (region, workflow, trained, run.twin))
