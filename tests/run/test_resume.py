import json
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import joined_brain, small_brain
from tests.roots import edit_root
from tests.spec.test_write import trained_region


@pytest.mark.parametrize(("step", "committed"), [(100, 10.0), (200, 20.0)])
def test_an_interrupted_run_stops_at_the_end_of_a_window_and_resumes_to_the_same_bits(
    simulate, same, interrupt_at, whole, tmp_path, step, committed
):
    with pytest.raises(tb.RunInterrupted, match=f"stopped at {committed:g} ms of 30 ms of model time"):
        simulate(progress=interrupt_at(step))
    stopped = tb.open_run(tmp_path / "run.zarr")
    assert (stopped.attrs["status"], stopped.attrs["committed"]) == ("interrupted", committed)
    resumed = tb.resume(tmp_path / "run.zarr")
    assert (resumed.attrs["status"], resumed.attrs["committed"]) == ("complete", 30.0)
    same(resumed, whole)


def test_a_brain_interrupted_after_each_window_resumes_to_the_same_bits(simulate, same, interrupt_at, tmp_path):
    brain = small_brain(3)
    with pytest.raises(tb.RunInterrupted):
        simulate(model=brain, progress=interrupt_at(100))
    with pytest.raises(tb.RunInterrupted):
        tb.resume(tmp_path / "run.zarr", progress=interrupt_at(200))
    same(tb.resume(tmp_path / "run.zarr"), simulate("whole.zarr", model=brain))


def test_a_brain_whose_regions_are_joined_one_by_one_resumes_to_the_same_bits(simulate, same, interrupt_at, tmp_path):
    brain = joined_brain(3)
    with pytest.raises(tb.RunInterrupted):
        simulate(model=brain, progress=interrupt_at(100))
    whole = simulate("whole.zarr", model=brain)
    same(tb.resume(tmp_path / "run.zarr"), whole)
    assert whole["spikes"].sizes["spike"] > 20


def test_a_region_file_with_arrays_resumes_to_the_same_bits_without_them(
    simulate, same, interrupt_at, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    files = tb.write_region(trained_region(), "column.toml")
    Path("alone.toml").write_text('region = "column.toml"\n', "utf-8")
    whole = simulate("whole.zarr", model="alone.toml")
    assert whole["spikes"].sizes["spike"] > 20
    with pytest.raises(tb.RunInterrupted):
        simulate(model="alone.toml", progress=interrupt_at(100))
    for file in files:
        file.unlink()  # a run keeps what it was made from
    same(tb.resume(tmp_path / "run.zarr"), whole)


def test_asked_while_the_network_is_built_it_stops_before_the_first_window(
    simulate, same, interrupt_at, whole, tmp_path
):
    with pytest.raises(tb.RunInterrupted, match="stopped at 0 ms"):
        simulate(progress=interrupt_at(1, what="build"))
    assert tb.open_run(tmp_path / "run.zarr").attrs["status"] == "interrupted"
    same(tb.resume(tmp_path / "run.zarr"), whole)


def test_asked_in_the_last_window_it_completes(simulate, interrupt_at):
    assert simulate(progress=interrupt_at(300)).attrs["status"] == "complete"


def test_asked_twice_it_stops_at_once_and_resumes_from_the_last_window(simulate, same, interrupt_at, whole, tmp_path):
    with pytest.raises(KeyboardInterrupt) as stop:
        simulate(progress=interrupt_at(200, n_times=2))
    assert not isinstance(stop.value, tb.RunInterrupted)
    assert tb.open_run(tmp_path / "run.zarr").attrs["committed"] == 10.0
    same(tb.resume(tmp_path / "run.zarr"), whole)


def test_a_run_that_crashed_resumes_from_the_last_window(simulate, same, whole, tmp_path):
    def crash(what, done, total):
        if what == "simulate" and done == 300:
            raise RuntimeError("a crash")

    with pytest.raises(RuntimeError, match="a crash"):
        simulate(progress=crash)
    assert tb.open_run(tmp_path / "run.zarr").attrs["committed"] == 20.0
    same(tb.resume(tmp_path / "run.zarr"), whole)


def test_a_schedulers_signal_stops_at_the_end_of_a_window_too(simulate, tmp_path):
    def progress(doing, done, total):
        if doing == "simulate" and done == 100:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(tb.RunInterrupted, match=r"stopped at 10 ms"):
        simulate(progress=progress)
    assert tb.open_run(tmp_path / "run.zarr").attrs["status"] == "interrupted"


def test_the_handlers_of_the_program_are_given_back(simulate, interrupt_at):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(tb.RunInterrupted):
        simulate(progress=interrupt_at(100))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_run_in_another_thread_leaves_signals_to_the_program(simulate, same, whole):
    found = []
    thread = threading.Thread(target=lambda: found.append(simulate("thread.zarr")))
    before = signal.getsignal(signal.SIGINT)
    thread.start()
    while thread.is_alive():
        assert signal.getsignal(signal.SIGINT) is before
        thread.join(0.05)
    same(found[0], whole)


def test_a_complete_run_is_returned_as_it_is(simulate, same, tmp_path):
    complete = simulate()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run.zarr").rglob("*")}
    same(tb.resume(tmp_path / "run.zarr"), complete)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run.zarr").rglob("*")} == before


def test_a_spec_that_was_changed_is_refused(simulate, interrupt_at, tmp_path):
    with pytest.raises(tb.RunInterrupted):
        simulate(progress=interrupt_at(200))
    spec = json.loads(tb.open_run(tmp_path / "run.zarr").attrs["spec"])
    spec["run"]["drive_seed"] = 99
    edit_root(tmp_path / "run.zarr", spec=json.dumps(spec))
    with pytest.raises(tb.SpecError, match=r"run\.zarr: expected the workflow .* that this run was started with"):
        tb.resume(tmp_path / "run.zarr")


def test_a_run_begun_with_other_versions_is_resumed_on_request_only(simulate, same, interrupt_at, whole, tmp_path):
    path = tmp_path / "run.zarr"
    with pytest.raises(tb.RunInterrupted):
        simulate(progress=interrupt_at(100))
    versions = json.loads(tb.open_run(path).attrs["versions"])
    edit_root(path, versions=json.dumps(versions | {"numpy": "1.0", "zarr": "0.1"}))
    with pytest.raises(tb.StoreError, match=r"begun with: numpy 1\.0, found 2.*other_versions=True") as error:
        tb.resume(path)
    assert "zarr 0.1" not in str(error.value)  # it cannot be seen in the bits
    resumed = tb.resume(path, other_versions=True)
    same(resumed, whole)
    assert json.loads(resumed.attrs["resumed_with"])["numpy"] == versions["numpy"]


def test_what_is_no_run_cannot_be_resumed(tmp_path):
    with pytest.raises(tb.StoreError, match="found nothing"):
        tb.resume(tmp_path / "none.zarr")


def given_inputs(folder):
    """Return stimuli of files, of values and of noise that act across windows."""
    np.savez(folder / "spikes.npz", time=np.arange(0.0, 24.0), neuron=np.arange(24) % 20)
    np.save(folder / "current.npy", 100 * np.random.default_rng(0).normal(size=(8, 500)))
    on = {"start": "5 ms", "duration": "25 ms"}
    spikes = {"file": "spikes.npz", "unit": "ms", "weight": "5 nS"}
    return tuple(
        tb.Stimulus.parse(given | on)
        for given in (
            {"name": "spikes", "population": "relay", "receptor": "ampa", "spikes": spikes},
            {
                "name": "current",
                "population": "local",
                "waveform": {"file": "current.npy", "unit": "pA", "interval": "0.2 ms"},
            },
            {"name": "noise", "population": "local", "noise": 2},
            {"name": "sine", "population": "relay", "sine": {"amplitude": "90 pA", "frequency": "70 Hz"}},
        )
    )


def test_a_run_with_given_inputs_resumes_to_the_same_bits_from_another_folder(
    simulate, same, interrupt_at, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    stimuli = given_inputs(tmp_path)
    undisturbed = simulate("whole.zarr", stimuli=stimuli)
    with pytest.raises(tb.RunInterrupted):
        simulate(stimuli=stimuli, progress=interrupt_at(100))
    monkeypatch.chdir("/")
    same(tb.resume(tmp_path / "run.zarr"), undisturbed)


def test_a_run_whose_given_input_has_changed_is_not_resumed(simulate, interrupt_at, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(tb.RunInterrupted):
        simulate(stimuli=given_inputs(tmp_path), progress=interrupt_at(100))
    np.save(tmp_path / "current.npy", np.zeros(500))
    with pytest.raises(tb.SpecError, match=r"stimuli\.current: waveform\.file: .*current\.npy: .*the file has changed"):
        tb.resume(tmp_path / "run.zarr")


@pytest.mark.parametrize("precision", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_a_run_in_torch_resumes_to_the_same_bits(simulate, same, interrupt_at, tmp_path, precision):
    chosen = {"engine": "torch", "precision": precision, "model": small_brain(3)}
    with pytest.raises(tb.RunInterrupted):
        simulate(progress=interrupt_at(100), **chosen)
    same(tb.resume(tmp_path / "run.zarr"), simulate("whole.zarr", **chosen))
