"""Sweeps whose points train."""

import shutil

import numpy as np
import pytest

import twinbrain as tb
from tests.learn.study import TASK, small_study
from twinbrain.errors import LearnError, RunInterrupted, SpecError, StoreError
from twinbrain.learn.measures import empty_measures
from twinbrain.learn.metrics.network_cost import network_cost
from twinbrain.run.sweep.assign import assigned
from twinbrain.run.sweep.create import prepare_sweep
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.run.sweep.training import train_point
from twinbrain.store import Location, is_training
from twinbrain.store.claim import claimed

C_M = "regions.*.parameters.C_m"
CASES = {
    "alike": {C_M: "200 pF"},
    "unlike, trained": {
        C_M: {"lognormal": ["200 pF", 0.5]},
        "train.trainable": {"weight": "synapse", "C_m": "neuron"},
    },
    "LSTM": {"train.baseline": "lstm", "train.learning_rate": 0.005},
}


@pytest.fixture
def sweep(out):
    """Sweep the small study in this process."""

    def call(workflow=None, **options):
        return tb.sweep(workflow or small_study(), **({"out": out, "workers": 0} | options))

    return call


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The small study in three cases, with two seeds, and all labels or half."""
    return tb.sweep(
        small_study(),
        out=tmp_path_factory.mktemp("study") / "study.zarr",
        workers=0,
        cases=CASES,
        seed=[0, 1],
        **{"train.labels": [1.0, 0.5]},
    ).load()


def test_results_are_the_same_numbers_whatever_is_trained(swept):
    assert set(empty_measures()) == set(swept.data_vars) - {"status", "seconds", "error", "task_name", "label_share"}
    assert (swept["label_share"] == swept["labels"]).all()
    assert (swept["task_name"] == small_study().train.task.name).all()
    assert swept["accuracy"].dims == ("case", "seed", "labels")
    assert swept["case"].values.tolist() == list(CASES)
    assert (swept["status"] == 1).all()
    always = set(empty_measures()) - {"squared_error", "mean_rate"}
    assert all(np.isfinite(swept[name].where(swept["case"] != "LSTM", drop=True)).all() for name in always)
    assert np.isnan(swept["squared_error"]).all()


def test_a_plan_tells_what_no_training_takes_notice_of():
    study = small_study().replace(record={"rate_bin": "5 ms"})
    workflow, own = declared_sweep(study, {"drive_seed": [1, 2], "seed": [1, 2]}, keep_runs=True, batch=5)
    found = [note.partition(":")[0] for note in prepare_sweep(workflow, own).notes]
    assert found == ["sweep.batch", "run.drive_seed", "record"]


def test_without_robustness_no_network_is_disturbed_and_all_else_is_the_same(sweep, swept):
    cases = {name: CASES[name] for name in ("alike", "LSTM")}
    plain = sweep(cases=cases, seed=[1], **{"train.robustness": [False]}).load()
    assert np.isnan(plain["disturbed"]).all()
    whole = swept.sel(case=list(cases), seed=1, labels=1.0)
    np.testing.assert_array_equal(plain["accuracy"].squeeze(), whole["accuracy"])
    comparison = tb.compare_conditions(plain)
    assert comparison.sizes["disturbance"] == 0
    assert tb.plot.comparison_figure(comparison).axes
    assert "alike" in tb.plot.comparison_table(comparison)


def test_a_point_is_what_training_alone_gives(swept):
    values = CASES["unlike, trained"] | {"seed": 1, "train.labels": 0.5}
    trained = tb.train(point_workflow(small_study(), values))
    point = swept.sel(case="unlike, trained", seed=1, labels=0.5)
    assert point["accuracy"] == trained.score
    done = trained.curves.sel(split="validation")
    assert point["validation_loss"] == done["loss"].min()
    assert point["validation_accuracy"] == done["accuracy"][int(done["loss"].values.argmin())]
    assert (point["epochs"], point["chance"]) == (2, 0.5)
    assert len(trained.setup.task.train) == TASK["n_train"] // 2
    trials = trained.setup.task.test
    spikes, _ = trained.activity(trials, np.arange(len(trials)))
    cost = network_cost(trained.network.lowered.network, spikes)
    # No weight has become 0, so all synapses count.
    assert point["synaptic_operations"] == pytest.approx(cost.operations.acs)
    assert point["energy"] == pytest.approx(cost.energy() / 1e3)


def test_a_baseline_has_the_parameters_of_the_network_that_it_stands_for(swept):
    fit = tb.train_baseline(point_workflow(small_study(), CASES["LSTM"] | {"seed": 0}))
    point = swept.sel(case="LSTM", seed=0, labels=1.0)
    assert point["accuracy"] == fit.scores["test"]
    assert point["n_parameters"] == fit.n_parameters
    np.testing.assert_allclose(fit.n_parameters, swept["n_parameters"].sel(case="alike", seed=0, labels=1.0), rtol=0.1)


def test_a_baseline_is_not_trained_as_a_brain_nor_a_brain_as_a_baseline():
    with pytest.raises(LearnError, match=r"'lstm'; use tb\.train_baseline, or sweep it"):
        tb.train(small_study(baseline="lstm"))
    with pytest.raises(LearnError, match="expected the name of a baseline"):
        tb.train_baseline(small_study())


def test_contrasts_stay_with_the_cases_that_they_are_of():
    workflow = tb.load_workflow("diversity")
    two = {name: {"train.epochs": 1} for name in ("leaky, alike: 5 ms", "leaky, spread: 5 ms", "LSTM")}
    found, _ = declared_sweep(workflow, {"seed": [0, 1]}, cases=two)
    assert found.sweep.contrasts == {"parameters, leaky cells": ("leaky, spread", "leaky, alike")}
    found, _ = declared_sweep(workflow, {"seed": [0, 1]}, cases={"LSTM": {}})
    assert found.sweep.contrasts == {}


def test_regions_tasks_and_lists_are_swept(sweep):
    found = sweep(
        **{"regions.*": ["learning/leaky"], "train.task": ["xor"], "train.task.gate": ["and", "or"]},
        together=[{"train.trainable": [["weight"], ["weight", "C_m"]], "train.epochs": [1, 1]}],
    )
    assert found["accuracy"].dims == ("regions", "task", "gate", "trainable")
    assert found["trainable"].values.tolist() == ['["weight"]', '["weight", "C_m"]']
    assert (found["status"] == 1).all()
    n = found["n_parameters"].values.ravel()
    assert n[1] - n[0] == 120


def test_a_point_that_fails_is_recorded_and_the_others_stand(sweep):
    found = sweep(cases={"good": {}, "bad": {"train.input.receptor": "ampa"}}, **{"train.epochs": [1]}).load()
    assert found["status"].values.ravel().tolist() == [1, 2]
    assert "train.input.receptor" in str(found["error"].sel(case="bad").values[0])
    assert np.isnan(found["accuracy"].sel(case="bad")).all()


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"train.baseline": ["lstn"]}, LearnError, "unknown baseline 'lstn'; did you mean 'lstm'"),
        ({"train.baseline": [{"name": "lstm", "dropuot": 1}]}, LearnError, "no option 'dropuot'; did you mean 'drop"),
        ({"train.baseline": [{"name": "lstm", "view": "frame"}]}, SpecError, "view: input should be .*'frames'"),
        ({"train.task": ["xer"]}, SpecError, "xer"),
        ({"train.task.gates": ["or"]}, SpecError, "gates"),
        ({"train.surrogate.name": ["atom"]}, LearnError, "atom"),
        ({"regions.*.projections.0.delay": ["0.4 ms"]}, SpecError, r"delay: expected at least one step \(1 ms\)"),
        ({"seed": [0], "reduce": ["mean_rates"]}, SpecError, "expected none in a sweep of trainings"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_trained(sweep, out, values, error, text):
    with pytest.raises(error, match=text):
        sweep(**values)
    assert not out.exists()


@pytest.mark.parametrize("cases", [["LSTM"], ["LSTM", "alike"], ["alike", "LSTM"]])
def test_a_baseline_needs_the_network_that_it_stands_for(cases):
    delay = {"regions.*.projections.0.delay": "0.4 ms"}
    workflow, own = declared_sweep(small_study(), delay, cases={name: CASES[name] for name in cases})
    with pytest.raises(SpecError, match=r"sweep, at .*delay: expected at least one step"):
        prepare_sweep(workflow, own)


def test_the_first_network_is_built_though_a_baseline_comes_first():
    cases = {"LSTM": CASES["LSTM"], "bad": {"train.input.receptor": "ampa"}}
    workflow, own = declared_sweep(small_study(), {}, cases=cases)
    with pytest.raises(SpecError, match=r"sweep, at train.input.receptor = ampa.*train\.input\.receptor"):
        prepare_sweep(workflow, own)


def test_an_interrupted_sweep_goes_on_to_the_same_results(sweep, out, monkeypatch):
    options = {"cases": {"alike": {}, "LSTM": CASES["LSTM"]}, "seed": [0, 1]}
    whole = sweep(out=out.with_name("whole.zarr"), **options).load()
    begun = []

    def stop_after_two(state):
        begun.append(state.now)
        if state.now == 2:
            raise RunInterrupted("enough")

    with pytest.raises(RunInterrupted):
        sweep(progress=stop_after_two, **options)
    assert (tb.open_sweep(out)["status"] == 1).sum() == 2
    resumed = tb.resume_sweep(out, workers=0).load()
    for name in ("accuracy", "validation_loss", "synaptic_operations", "disturbed"):
        np.testing.assert_array_equal(resumed[name], whole[name])


def test_kept_trainings_can_be_opened(sweep, out):
    cases = {name: CASES[name] for name in ("LSTM", "alike")}
    found = sweep(keep_runs=True, seed=[0], cases=cases, **{"train.epochs": [1]}).sel(case="alike")
    kept = Location.of(out).child("runs").child("000001.zarr")
    assert is_training(kept)
    assert tb.open_training(str(kept)).score == found["accuracy"].values.item()
    assert tb.check_store(out).damaged == ()  # of a baseline, nothing is kept
    kept.path.rename(out.parent / "elsewhere.zarr")
    (damage,) = tb.check_store(out).damaged
    assert damage.place == f"{kept}/zarr.json"
    sweep(out=out.parent / "other.zarr", keep_runs=True, seed=[1], **{"train.epochs": [1]})
    shutil.copytree(out.parent / "other.zarr/runs/000000.zarr", kept.path)
    (damage,) = tb.check_store(out).damaged
    assert "expected what was kept of point 1" in damage.message


def test_a_kept_training_that_someone_goes_on_with_is_left_to_them(out):
    location = Location.of(out / "runs" / "000000.zarr")
    with (
        claimed(location, "training"),
        pytest.raises(StoreError, match="expected to be alone in writing the training"),
    ):
        train_point(small_study(), {}, location, {})


def test_options_of_a_task_are_keys_of_their_own():
    changed = assigned(small_study(), {"train.task.gate": "or", "train.rule": {"name": "bptt"}})
    assert changed.train.task.options == {key: value for key, value in TASK.items() if key != "name"} | {"gate": "or"}


def test_workers_compute_the_same(swept, client, out):
    found = tb.sweep(small_study(), out=out, client=client, cases=CASES, seed=[1])
    for name in ("accuracy", "validation_loss", "disturbed"):
        np.testing.assert_array_equal(found[name].sel(seed=1), swept[name].sel(seed=1, labels=1.0))
