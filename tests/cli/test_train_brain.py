"""A trained brain is written as a folder beside the training."""

import json

import pytest

import twinbrain as tb
from tests.cli.small import REGION

PAIR = """
[run]
dt = "1 ms"

[brain]
connectome = "pair.npz"
regions = { "*" = "quiet.toml" }

[[brain.projections]]
source = "V1.exc"
target = "V2.exc"
receptor = "exponential_current"
connect = { probability = 1.0 }
weight = "200 pA"
delay = "3 ms"

[train]
epochs = 1
batch_size = 16
task = { name = "xor", n_train = 16, n_validation = 8, n_test = 8 }
trainable = { weight = { "V1.*->V2.*" = "region" } }
input = { region = "V1" }
readout = { region = "V2" }
"""


@pytest.mark.slow
def test_a_trained_brain_is_a_workflow_beside_its_training(twinbrain, folder):
    (folder / "quiet.toml").write_text(REGION.partition("[[drives]]")[0])
    (folder / "pair.toml").write_text(PAIR)
    tb.write_connectome(tb.Connectome([[0, 0], [1, 0]], [[0, 0], [9, 0]], ["V1", "V2"]), folder / "pair.npz")
    arguments = ("train", "pair.toml", "--out", "out/pair.zarr", "--no-figure", "--json")
    for more in (("--replay", 0), ("--overwrite", "--replay", 2)):
        outcome = twinbrain(*arguments, *more)
        assert outcome.code == 0, outcome
    told = json.loads(outcome.out)
    assert told["brain"] == "out/pair_trained/brain.toml"
    assert " 0 of " in told["replay"]
    written = tb.load_workflow(folder / told["brain"])
    assert written.run.dt == 1.0
    assert {"input"} < set(written.brain.regions["V1"].populations)
    again = twinbrain("run", told["brain"], "--set", "run.duration=20 ms", "--engine", "reference", "--out", "run.zarr")
    assert again.code == 0
