import pytest

import twinbrain as tb
from tests.learn.small import rates_task
from twinbrain.learn.baselines.baseline import baseline
from twinbrain.learn.baselines.fit import fit
from twinbrain.learn.baselines.matched import check_baseline
from twinbrain.spec.training import Choice


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1}, "train.baseline: lstm: dropout: input should be less than 1, found 1"),
        ({"dropout": True}, "dropout: expected no truth value here, found true"),
        ({"input_noise": "much"}, "input_noise: input should be a valid number"),
        ({"weight_decay": -1}, "weight_decay: input should be greater than or equal to 0"),
        ({"view": ["flat"]}, "view: input should be 'spikes', 'frames'"),
    ],
)
def test_an_option_of_another_type_is_one_error(options, message):
    with pytest.raises(tb.SpecError, match=message):
        check_baseline(Choice(name="lstm", options=options))


def test_options_are_taken_as_they_are_written():
    found = check_baseline(Choice(name="lstm", options={"dropout": 0.3, "view": "flat"}))
    assert (found.dropout, found.view, found.input_noise) == (0.3, "flat", 0.0)


@pytest.mark.parametrize("option", ["input_noise", "weight_decay", "dropout"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_noise_that_is_no_number_is_refused_before_training(option, value):
    task = rates_task(n_trials=(3, 3, 3))
    with pytest.raises(tb.LearnError, match="expected finite input_noise and weight_decay of at least 0 and a dropout"):
        fit(baseline("mlp-relu", task, n_parameters=50), task, **{option: value})
