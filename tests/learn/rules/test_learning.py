"""Each rule learns what a readout alone learns badly."""

from functools import cache

import numpy as np
import pytest
import torch

from tests.learn.rules.networks import make, objective, region, whole
from twinbrain.learn.metrics.score import accuracy
from twinbrain.learn.rules.registry import rule
from twinbrain.learn.tasks.xor import xor

SEEDS = (0, 1)
RULES = ("bptt", "feedback_alignment", "kolen_pollack", "direct_feedback_alignment", "eprop", "ottt")


@cache
def task():
    return xor(duration=15.0, period=3.0, n_train=4, n_validation=4, n_test=4)


@cache
def network(seed, trainable):
    """Return two dozen neurons between three channels and two outputs."""
    cell = {"model": "lif_current", "receptors": ["exponential_current"], "parameters": {"t_ref": "1 ms"}}
    hidden = region({"a": cell}, {"a": ("a", 24)}, [])
    chosen = {"weight": "synapse" if trainable == "all" else {"*->readout:*": "synapse"}}
    made = make(hidden, task(), chosen, size={"normal": ["0 pA", "600 pA"]}, seed=seed, precision="float32")
    return made, {name: value.clone() for name, value in made.state_dict().items()}


def learned(name, seed, trainable="all", n_batches=40):
    """Return accuracy and loss after training."""
    made, state = network(seed, trainable)
    made.load_state_dict(state)
    own, goal, batch = rule(name), objective(task()), whole(task())
    own.prepare(made, goal, seed)
    optimiser = torch.optim.Adam([p for p in made.parameters() if p.requires_grad and p.numel()], lr=0.1)
    for _ in range(n_batches):
        optimiser.zero_grad()
        own.learn(made, batch, goal)
        optimiser.step()
        made.keep_signs()
    with torch.no_grad():
        activity = made(batch.inputs)
        return accuracy(activity.output, batch.target, batch.scored), float(goal(activity, batch))


@cache
def readout_alone():
    return np.mean([learned("bptt", seed, "readout") for seed in SEEDS], axis=0)


@pytest.mark.parametrize("name", RULES)
def test_it_learns_exclusive_or(name):
    found, loss = np.mean([learned(name, seed) for seed in SEEDS], axis=0)
    assert found >= 0.8  # chance is 0.5
    assert loss < 0.7 * readout_alone()[1]
