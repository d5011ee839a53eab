import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.examples import RELAY, relay_region, small_brain
from twinbrain.run.prepare import build_network, prepare
from twinbrain.run.simulate import stored_workflow
from twinbrain.spec.record import Record, StateRecord

WORKFLOW = """
region = "relay.toml"

[run]
duration = "20 ms"
engine = "reference"
"""


def workflow(**run):
    run = {"duration": "30 ms", "window": "10 ms", "engine": "reference", "seed": 3} | run
    brain = tb.Brain(connectome=tb.Connectome([[0.0]], [[0.0]], ["a"]), regions={"*": relay_region()})
    return tb.Workflow(name="some", run=tb.Run(**run), brain=brain)


def test_a_region_a_brain_and_a_workflow_can_be_simulated(simulate):
    region = simulate("region.zarr")
    assert region.attrs["workflow"] == "test_relay"
    assert region.attrs["status"] == "complete"
    assert dict(region.twin.rates("10 ms").sizes) == {"time": 3, "region": 1}
    assert simulate("brain.zarr", model=small_brain(1), duration="20 ms", record=None).attrs["workflow"] == "small"
    assert simulate("workflow.zarr", model=workflow(), duration="20 ms").attrs["workflow"] == "some"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_workflow_can_be_given_by_the_path_of_its_file(tmp_path, monkeypatch, kind):
    (tmp_path / "relay.toml").write_text(RELAY)
    (tmp_path / "alone.toml").write_text(WORKFLOW)
    monkeypatch.chdir(tmp_path)
    run = tb.simulate(kind("alone.toml"), out="run.zarr", duration="10 ms")
    assert (run.attrs["workflow"], run.attrs["engine"], run.attrs["duration"]) == ("alone", "reference", 10.0)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(tb.SpecError, match="expected a workflow, a brain, a region or the name"):
        tb.simulate(7, out=tmp_path / "run.zarr")


@pytest.mark.parametrize(
    ("table", "use"),
    [("sweep", "tb.sweep"), ("train", "tb.train")],
)
def test_a_workflow_of_a_sweep_or_a_training_is_no_single_run(tmp_path, table, use):
    tables = {"sweep": {"parameters": {"coupling": [0.5, 1.0]}}, "train": {"task": "xor"}}
    many = tb.Workflow(**workflow().to_dict() | {"brain": workflow().brain, table: tables[table]})
    with pytest.raises(tb.SpecError, match=f"^{table}: expected a workflow of one run, .*; give it to {use}"):
        tb.simulate(many, out=tmp_path / "run.zarr")
    assert not list(tmp_path.iterdir())


def test_a_run_of_more_steps_than_can_be_counted_is_refused(simulate, tmp_path):
    with pytest.raises(
        tb.SpecError, match=r"run.duration: expected at most 59.6 hours \(2,147,352,576 steps of 0.1 ms"
    ):
        simulate("long.zarr", duration="60 h")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", [lambda p: tb.open_run(p), lambda p: tb.simulate(relay_region(), out=p)])
def test_a_path_with_a_nul_is_refused(verb):
    with pytest.raises(tb.StoreError, match=r"found one with a NUL in it: 'a.x00b.zarr'"):
        verb("a\0b.zarr")


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(simulate, same, contents, whole):
    one, again, other = whole, simulate("again.zarr"), simulate("other.zarr", seed=4)
    same(one, again)
    assert len(one["spikes"]["neuron"]) > 50
    for name in ("/spikes/time_step", "/state/0_v_izhikevich_2007/v"):
        assert contents(one)[name] != contents(other)[name]


def test_rates_of_an_opened_run_tell_which_populations_they_are_of(whole):
    assert whole["rate"]["start"].dims == ("population",)
    assert whole["rate"]["start"].values.tolist() == whole["network"]["start"].values.tolist()


def test_drives_are_drawn_by_a_seed_of_their_own(simulate, contents, whole):
    assert contents(simulate("same.zarr", drive_seed=whole.attrs["seed"])) == contents(whole)
    other = simulate("other.zarr", drive_seed=whole.attrs["seed"] + 1)
    assert other["network"].identical(whole["network"])
    assert contents(other) != contents(whole)


@pytest.mark.parametrize("window", ["1 s", "7 ms"])
def test_the_length_of_windows_does_not_change_results(simulate, contents, whole, window):
    expected, found = contents(whole), contents(simulate("other.zarr", window=window))
    for name in found:
        if not name.startswith("/checkpoint"):
            assert found[name] == expected[name], name


def test_the_stored_spec_makes_the_run_again(simulate, same, tmp_path):
    run = simulate(model=small_brain(2), duration="20 ms", seed=8)
    found = stored_workflow(run)
    assert found.digest == run.attrs["digest"]
    same(tb.simulate(found, out=tmp_path / "again.zarr"), run)


def test_attributes_say_what_the_run_was(whole):
    attributes = whole.attrs
    assert attributes["seed"] == 3
    assert attributes["engine"] == "reference"
    assert [attributes[name] for name in ("dt", "duration", "window", "committed")] == [0.1, 30.0, 10.0, 30.0]
    assert json.loads(attributes["versions"])["brian2"]


def test_a_plain_xarray_opens_the_run(simulate, tmp_path):
    simulate(duration="10 ms")
    with xr.open_datatree(tmp_path / "run.zarr", engine="zarr") as tree:
        assert tree["network"].attrs["n_neurons"] == 28
        assert tree["network"]["label"].values.tolist() == ["test/relay", "test/relay"]
        assert tree["rate"]["rate"].shape == (10, 2)


def test_rates_are_the_spikes_counted(simulate):
    run = simulate(record=Record(rate_bin="5 ms"))
    steps, neuron = (run["spikes"][name].values for name in ("time_step", "neuron"))
    for population, (start, size) in enumerate(((0, 20), (20, 8))):
        own = steps[(neuron >= start) & (neuron < start + size)]
        expected = np.bincount(own // 50, minlength=6) / (size * 5e-3)
        np.testing.assert_array_equal(run["rate"]["rate"].values[:, population], expected.astype(np.float32))


def test_spikes_are_left_out_if_not_wanted_and_the_rest_is_the_same(simulate, contents, whole):
    record = Record(spikes=False, state=(StateRecord(variable="v", neurons=2, interval="0.4 ms"),))
    found, expected = simulate(record=record), whole
    assert "spikes" not in found.children
    assert found.attrs["status"] == "complete"
    for name in ("/rate/rate", "/state/0_v_izhikevich_2007/v"):
        assert contents(found)[name] == contents(expected)[name]


def test_samples_are_in_the_unit_that_stands_beside_them():
    equations = """
        dr/dt = (r_0 - r)/tau : Hz
        ds/dt = (V*V - s)/tau : volt**2
        dq/dt = (Q - q)/tau : coulomb
        R_m = R*s/V/V : ohm
        r_0 : Hz
        V : volt
        Q : coulomb
        R : ohm
        tau : second
    """
    model = {
        "equations": equations,
        "threshold": "r > 10*Hz",
        "reset": "r = 0*Hz",
        "parameters": {"r_0": "5 Hz", "V": "3 mV", "Q": "2 pC", "R": "40 Mohm", "tau": "0.1 ms"},
    }
    region = tb.Region.parse(
        {
            "name": "test/units",
            "models": {"m": model},
            "cells": {"c": {"model": "m"}},
            "populations": {"p": {"cell": "c", "size": 1}},
        }
    )
    record = {"state": [{"variable": name, "interval": "5 ms"} for name in ("r", "s", "q", "R_m")]}
    run = tb.simulate(region, duration="5 ms", engine="reference", record=record)
    found = {name: tb.analysis.state(run, name) for name in ("r", "s", "q", "R_m")}
    told = {name: (float(values[-1, 0]), values.attrs["units"]) for name, values in found.items()}
    expected = {"r": (5, "Hz"), "s": (9, "mV**2"), "q": (2000, "pA*ms"), "R_m": (40, "Mohm")}
    for name, (value, unit) in expected.items():
        assert told[name] == (pytest.approx(value), unit)


def test_samples_are_the_engines_own_values(whole):
    from twinbrain.engines.reference import prepare as reference

    model = stored_workflow(whole)
    simulation = reference(build_network(prepare(model)))
    v = whole["state/0_v_izhikevich_2007"]
    assert v["neuron"].values.tolist() == [0, 1]
    assert v["v"].shape == (75, 2)
    for k in range(75):
        simulation.advance(4)
        state = simulation.state()
        np.testing.assert_array_equal(v["v"].values[k], state.variables["izhikevich_2007/v"][:2])


def test_another_engine_can_be_chosen_and_gives_the_same(simulate, contents, whole):
    reference, brian = whole, simulate(engine="brian2-numpy")
    assert brian.attrs["engine"] == "brian2-numpy"
    assert contents(reference) == contents(brian)


def test_stimuli_replace_the_workflows(simulate, whole):
    pulse = tb.Stimulus(
        name="p",
        population="local",
        receptor="exponential_current",
        rate="5 kHz",
        weight="300 pA",
        start="10 ms",
        duration="20 ms",
    )
    quiet, driven = whole, simulate(stimuli=[pulse])
    before, during = slice(0, 10), slice(10, 30)
    local = [run["rate"]["rate"].values[:, 1] for run in (quiet, driven)]
    np.testing.assert_array_equal(local[1][before], local[0][before])
    assert local[1][during].mean() > 2 * local[0][during].mean()


def test_two_stimuli_of_one_name_are_refused(simulate):
    pulse = tb.Stimulus(
        name="p",
        population="local",
        receptor="exponential_current",
        rate="1 kHz",
        weight="9 pA",
        start="0 ms",
        duration="9 ms",
    )
    with pytest.raises(tb.SpecError, match=r"stimuli\[1\]\.name: another stimulus is 'p' too"):
        simulate(stimuli=[pulse, pulse])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"duration": "30.05 ms"}, r"run\.duration: expected a whole number of steps of 0\.1 ms, found 30\.05 ms"),
        ({"dt": "0.7 ms"}, r"run\.duration: expected a whole number of steps of 0\.7 ms"),
        ({"window": "0.01 ms"}, r"run\.window: expected a whole number of steps"),
        ({"window": "20.5 ms"}, r"run\.window: expected a whole number of bins of 1 ms"),
        ({"record": Record(rate_bin="0.25 ms")}, r"record\.rate_bin: expected a whole number of steps"),
        ({"record": Record(rate_bin="7 ms")}, r"run\.duration: expected a whole number of bins of 7 ms"),
        ({"duration": "1e308 ms"}, r"run\.duration: expected at most 59\.6 hours"),
        *(
            (
                {"record": Record(state=(StateRecord(variable="v", interval=interval),))},
                r"record\.state\[0\]\.interval: expected at most 2,147,352,576 steps of 0\.1 ms, found 1e\+",
            )
            for interval in ("1e18 ms", "1e308 ms")
        ),
        ({"duration": "0 ms"}, r"duration: .*greater than 0"),
        ({"duration": "60"}, r"duration: .*without a unit"),
        ({"duration": "60 mV"}, r"duration: .*another dimension"),
        ({"seed": -1}, r"seed: "),
        ({"engine": "brain2"}, r"run\.engine: unknown engine 'brain2'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(simulate, tmp_path, changes, message):
    with pytest.raises(tb.TwinbrainError, match=message):
        simulate(**changes)
    assert not list(tmp_path.iterdir())


def test_a_run_over_the_memory_limit_is_refused_before_it_is_built(tmp_path):
    def progress(*arguments):
        raise AssertionError

    with pytest.raises(tb.PlanError, match=r"expected a run that fits into 0\.1 GB"):
        tb.simulate(workflow(memory_limit="100 MB"), out=tmp_path / "run.zarr", progress=progress)
    assert not list(tmp_path.iterdir())


def test_a_run_is_replaced_only_if_told_and_asked_before_the_build(simulate, same, whole, tmp_path):
    def progress(*arguments):
        raise AssertionError

    simulate(seed=4)
    with pytest.raises(tb.StoreError, match=r"found a run.*overwrite=True"):
        simulate(progress=progress)
    assert tb.open_run(tmp_path / "run.zarr").attrs["seed"] == 4
    same(simulate(overwrite=True), whole)


def test_a_place_that_cannot_be_written_is_named(simulate, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(tb.StoreError, match=r"cannot write the run .*file/run\.zarr"):
        simulate("file/run.zarr")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_disk_is_named(simulate, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", disk], check=False).returncode:
        pytest.skip("only root may mount a disk")
    try:
        with pytest.raises(tb.StoreError, match=r"Read-only file system.*name a place that can be written to"):
            simulate("disk/run.zarr")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_progress_tells_of_each_stage_from_its_start_to_its_end(simulate):
    told = {}
    simulate(duration="10 ms", progress=lambda what, done, total: told.setdefault(what, []).append((done, total)))
    assert list(told) == ["build", "compile", "simulate"]
    for calls in told.values():
        done, total = zip(*calls, strict=True)
        assert list(done) == sorted(done)
        assert len(set(total)) == 1
        assert done[-1] == total[-1]
    assert told["simulate"][0] == (0, 100)
