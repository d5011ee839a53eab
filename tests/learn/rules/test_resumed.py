"""Whatever the rule, a training that was stopped after an epoch goes on to the same bits."""

import pytest

import twinbrain as tb
from tests.cli.small import REGION
from twinbrain.learn.rules.registry import rule_names

TASK = {"name": "xor", "n_train": 8, "n_validation": 4, "n_test": 4, "duration": "20 ms"}


class Stopped(Exception):
    """Stands for a process that is gone."""


def stop(what, done, total):
    if (what, done) == ("train", 1):
        raise Stopped


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    path = tmp_path_factory.mktemp("region") / "pair.toml"
    path.write_text(REGION.partition("[[drives]]")[0])
    return tb.load_region(path)


@pytest.mark.parametrize("rule", rule_names())
def test_what_a_calibration_has_scaled_is_the_rule_s_own_measure_again(rule, region, tmp_path):
    """Without a weight of the input, input and readout are scaled when a training begins, and not when it goes on."""
    settings = {"rule": rule, "epochs": 2, "batch_size": 4, "seed": 3, "dt": "1 ms", "trainable": ["weight"]}
    path = tmp_path / "stopped.zarr"
    whole = tb.train(region, TASK, progress=False, **settings)
    with pytest.raises(Stopped):
        tb.train(region, TASK, out=path, progress=stop, **settings)
    again = tb.resume_training(path, progress=False)
    assert again.model == whole.model
    assert again.curves.drop_vars("seconds").equals(whole.curves.drop_vars("seconds"))
