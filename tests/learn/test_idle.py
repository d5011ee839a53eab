"""A plan tells what a training takes no notice of, and only that."""

from dataclasses import replace

import pytest
import torch

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from tests.learn.rules.networks import make, objective, whole
from twinbrain.learn.attach import attach
from twinbrain.learn.idle import idle_settings
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.plan import plan_training
from twinbrain.learn.rules.registry import rule, rule_names
from twinbrain.learn.surrogate import surrogate_gradient
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.record import Record
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

SMALL = {"name": "xor", "n_train": 4, "n_validation": 2, "n_test": 2}
TASK = which_channels(n_trials=6, n_steps=12, n_classes=2)


def workflow(region=None, run=None, record=None, **train):
    return tb.Workflow(
        name="learns",
        brain=single_region_brain(region or recurrent(sizes=(6, 2))),
        run={"dt": "1 ms", **(run or {})},
        record=record or {},
        train={"task": SMALL, **train},
    )


def test_a_training_all_of_whose_settings_act_has_no_notes():
    acts = {"window": "5 ms", "surrogate": {"name": "sigmoid"}, "clip": 0.5, "rate_range": ["2 Hz", "9 Hz"]}
    given = workflow(run={"seed": 3, "memory_limit": "1 GB"}, rate_penalty=0.1, input={"rate": "20 Hz"}, **acts)
    assert plan_training(given).notes == ()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"run": {"drive_seed": 4}}, "run.drive_seed"),
        ({"run": {"duration": "5 s"}}, "run.duration"),
        ({"run": {"window": "2 s"}}, "run.window"),
        ({"run": {"engine": "torch"}}, "run.engine"),
        ({"run": {"on_breakdown": "mark"}}, "run.on_breakdown"),
        ({"run": {"engine": "torch", "precision": "float32"}}, "run.precision"),
        ({"record": Record(rate_bin="5 ms")}, "record"),
        ({"robustness": False}, "train.robustness"),
        ({"window": "5 ms", "rule": "eprop"}, "train.window"),
        ({"surrogate": {"name": "sigmoid"}, "rule": "frozen_hidden"}, "train.surrogate"),
        ({"rate_range": ["2 Hz", "9 Hz"]}, "train.rate_range"),
        ({"trainable": {"weight": "synapse", "longest_delay": "9 ms"}}, "train.trainable.longest_delay"),
        ({"input": {"weight": "90 pA", "rate": "9 Hz"}}, "train.input.rate"),
    ],
)
def test_what_has_no_effect_is_told(changes, where):
    assert any(note.startswith(f"{where}: it has no effect") for note in plan_training(workflow(**changes)).notes)


def test_ends_that_are_there_are_not_made_anew():
    region = attach(recurrent(sizes=(6, 2)), tb.task("xor", dt="1 ms"), InputSpec(), ReadoutSpec())
    given = workflow(region, input={"probability": 0.5}, readout={"time_constant": "9 ms"})
    notes = [note.partition(":")[0] for note in idle_settings(given)]
    assert notes == ["train.input.probability", "train.readout.time_constant"]


def test_robustness_counts_in_a_sweep():
    assert list(idle_settings(workflow(robustness=False), swept=True)) == []


@pytest.mark.parametrize("name", [*rule_names(), "frozen_hidden", "shuffled_errors"])
def test_settings_are_idle_of_a_rule_that_changes_by_the_same_bits_with_others(name, one_thread):
    task = replace(TASK, n_channels=TASK.n_channels + rule(name).extra_channels(TASK))
    lowered = make(recurrent(sizes=(6, 2)), task, size="600 pA").lowered
    trainable = Trainable(weight={"*": "synapse"})

    def change(window=None, surrogate="atan"):
        own, goal = rule(name), objective(task)
        spike_grad = surrogate_gradient(Surrogate(name=surrogate))  # step by step: nothing is compiled
        net = TrainableNetwork(lowered, trainable, spike_grad, "float64", window)
        own.prepare(net, goal, 1)
        own.learn(net, whole(task), goal)
        return [torch.zeros_like(p) if p.grad is None else p.grad for p in net.parameters()]

    usual = change()
    others = {"window": change(window=2), "surrogate": change(surrogate="fast_sigmoid")}
    same = [key for key, found in others.items() if all(map(torch.equal, found, usual))]
    assert tuple(same) == rule(name).idle


@pytest.mark.parametrize(
    ("train", "where"),
    [
        ({"window": "0.1 ms"}, "train.window"),
        ({"trainable": {"delay": ["e->e*"], "longest_delay": "0.5 ms"}}, "train.trainable.longest_delay"),
    ],
)
def test_times_below_a_step_are_refused(train, where):
    with pytest.raises(tb.SpecError, match=rf"{where}: expected a step of 1 ms at least, found 0"):
        plan_training(workflow(**train))
