"""What cannot be trained is told by a plan, before anything is computed."""

import pytest

import twinbrain as tb
from tests.learn.networks import recurrent
from twinbrain.learn.plan import plan_training
from twinbrain.spec.brain import single_region_brain


def plan(region=None, **train):
    small = {"name": "xor", "n_train": 4, "n_validation": 2, "n_test": 2, "duration": "30 ms"}
    brain = single_region_brain(region or recurrent(sizes=(6, 2)))
    return plan_training(tb.Workflow(name="learns", brain=brain, run={"dt": "1 ms"}, train={"task": small, **train}))


def test_a_rate_that_neurons_cannot_have_is_refused():
    region = recurrent(sizes=(6, 2))
    swift = region.replace(cells=region.cells | {"e": region.cells["e"].replace(parameters={"t_ref": "0 ms"})})
    assert plan(swift, input={"rate": "900 Hz"}).n_train == 4
    for own, most in ((region, 500), (swift, 1000)):
        for rate in ("1100 Hz", "1e300 Hz"):
            with pytest.raises(
                tb.LearnError, match=rf"train.input.rate: expected at most {most} Hz, as often as e can"
            ):
                plan(own, input={"rate": rate})
    assert plan(region, input={"rate": "5000 Hz", "weight": "100 pA"}).n_train == 4


def test_a_training_refuses_such_a_rate_too():
    task = {"name": "xor", "n_train": 4, "n_validation": 2, "n_test": 2}
    with pytest.raises(tb.LearnError, match=r"train.input.rate: expected at most 500 Hz"):
        tb.train(recurrent(sizes=(6, 2)), task, input={"rate": "5 kHz"}, epochs=1)


@pytest.mark.parametrize(
    ("delay", "most"), [("10 s", r"1000 ms \(1,000 steps\)"), ("70 s", "1000 ms"), ("1e300 ms", "1000 ms")]
)
def test_trained_delays_far_beyond_a_trial_are_refused(delay, most):
    message = rf"train.trainable.longest_delay: expected at most {most}.*, where a trial has 30 steps"
    with pytest.raises(tb.SpecError, match=message):
        plan(trainable={"delay": ["e->*"], "longest_delay": delay})


def test_trained_delays_may_be_as_long_as_those_that_are_declared():
    long = recurrent(sizes=(6, 2), delays={("e", "i"): "1500 ms"})
    assert plan(long, trainable={"delay": ["e->i:*"], "longest_delay": "1500 ms"}).n_trained > 0
