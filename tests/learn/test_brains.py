"""A brain learns through the synapses between its regions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.learn.brains import joined
from tests.learn.networks import which_channels
from twinbrain.errors import LearnError
from twinbrain.learn.attach import attach
from twinbrain.learn.export import export_brain
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.plan import plan_training
from twinbrain.learn.threads import single_thread
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

TASK = which_channels(n_trials=60, n_steps=50)
PAIR = {"labels": ("A", "B"), "in_degree": 8, "weight": "600 pA"}


@pytest.fixture(autouse=True)
def _one_thread():
    with single_thread():
        yield


def network_of(brain, trained, readout="B", dt=1.0):
    attached = attach(brain, TASK, InputSpec(region="A", weight="400 pA", probability=0.5), ReadoutSpec(region=readout))
    return TrainableNetwork(lower(attached, dt=dt, seed=3), Trainable.parse(trained), Surrogate(), "float64")


def run(network, n=6, inputs=None):
    inputs = torch.as_tensor(TASK.train.spikes(np.arange(n), TASK.n_channels)) if inputs is None else inputs
    return network(inputs)


def test_a_pattern_may_name_the_only_region_that_another_stands_for():
    attached = attach(joined(), TASK, InputSpec(region="A"), ReadoutSpec(region="A"))
    assert list(attached.regions) == ["A", "*"]
    assert {"input", "readout"} < set(attached.regions["A"].populations)
    alone = attach(joined(("A", "B")), TASK, InputSpec(region="A"), ReadoutSpec(region="B"))
    assert set(alone.regions) == {"A", "B"}
    with pytest.raises(LearnError, match=r"train.input.region: expected the pattern '\*' to fit one region, found 4"):
        attach(joined(), TASK, InputSpec(), ReadoutSpec(region="A"))


def test_a_brain_is_trained_whole_whatever_its_connectome_is_called():
    ends = {"input": {"region": "A"}, "readout": {"region": "B"}}
    connectome = joined().connectome
    plans = [
        plan_training(
            tb.Workflow(
                name="named",
                run={"dt": "1 ms"},
                brain=joined().replace(
                    connectome=tb.Connectome(connectome.weight, connectome.length, "ABCD", name=name)
                ),
                train={"task": "xor", "trainable": ["weight"], **ends},
            )
        )
        for name in ("single", "trio")
    ]
    assert plans[0] == plans[1]
    assert plans[0].n_neurons == 4 * (16 + 4) + plans[0].n_channels + plans[0].n_outputs


def test_what_is_attached_already_stays():
    attached = attach(joined(), TASK, InputSpec(region="A"), ReadoutSpec(region="B"))
    assert attach(attached, TASK, InputSpec(), ReadoutSpec()) == attached
    with pytest.raises(LearnError, match=r"test/recurrent.A: populations.input: expected 15 neurons, .* found 12"):
        attach(attached, replace(TASK, n_channels=15), InputSpec(), ReadoutSpec())


def test_a_task_is_attached_to_a_real_connectome():
    region = next(iter(joined().regions.values()))
    brain = tb.Brain(
        connectome="tvb-76",
        regions={"rA1": region, "*": region},
        long_range=tb.LongRange(in_degree=4, weight="60 pA"),
    )
    network = TrainableNetwork(
        lower(attach(brain, TASK, InputSpec(region="rA1"), ReadoutSpec(region="rA2")), dt=1.0, seed=1),
        Trainable.parse({"weight": {"rA1.*->rA2.*": "region"}}),
        Surrogate(),
    )
    assert len(network.lowered.layout.regions) == 76
    assert sum(weights.gain.numel() for weights in network.tables()) == 1
    assert run(network, n=1).spikes.shape == (50, 1, 76 * 20 + TASK.n_channels + TASK.n_outputs)


def test_spikes_reach_another_region_when_the_tract_lets_them():
    network = network_of(joined(**PAIR), ["weight"])
    inputs = torch.as_tensor(TASK.train.spikes(np.arange(6), TASK.n_channels))
    with torch.no_grad():
        spikes = run(network, inputs=inputs).spikes
    first = {p.label: p for p in network.lowered.network.populations if p.population == "e"}
    source, target = (spikes[:, :, first[label].start : first[label].stop] for label in "AB")
    length = network.lowered.brain.connectome.length.sel(source="A", target="B")
    delay = round(float(length) / 10)
    began = [int(np.flatnonzero(part.sum(dim=(1, 2)).numpy())[0]) for part in (source, target)]
    assert began[1] >= began[0] + delay + 1
    assert target.sum() > 20


def test_the_gradient_goes_back_along_the_tract_and_no_further_than_its_delay():
    network = network_of(joined(**PAIR), {"weight": {"A.*->B.*": "synapse"}})
    inputs = torch.as_tensor(TASK.train.spikes(np.arange(6), TASK.n_channels)).double().requires_grad_()
    found = run(network, inputs=inputs).output
    of_inputs, *of_weights = torch.autograd.grad(
        found[-1].sum(), [inputs, *(p for p in network.parameters() if p.numel())]
    )
    assert [(g != 0).float().mean() > 0.5 for g in of_weights] == [True]
    length = network.lowered.brain.connectome.length.sel(source="A", target="B")
    # Input, tract and readout take their delay and a step each.
    late = round(float(length) / 10) + 1 + 2 * 2
    assert (of_inputs[-late:] == 0).all()
    assert (of_inputs[:-late] != 0).any()


def test_a_pair_of_regions_has_one_factor():
    labels = ("A", "B", "C")
    network = network_of(joined(labels), {"weight": {"[AC].*->B.*": "region"}})
    with torch.no_grad():
        before = export_brain(network)
        for weights in network.tables():
            weights.gain += torch.arange(1.0, 1.0 + len(weights.gain))
        after = export_brain(network)
    factors = {}
    for one, other in zip(before.projections, after.projections, strict=True):
        factor = other.weight.values / one.weight.values
        factors.setdefault((one.source[0], one.target[0]), []).append(factor)
    found = {pair: np.concatenate(own) for pair, own in factors.items()}
    changed = sorted(float(np.median(own)) for own in found.values())
    np.testing.assert_allclose(changed, [1, 1, 1, 1, np.e, np.e**2], rtol=1e-3)
    assert all(np.ptp(own) < 1e-3 * own.mean() for own in found.values())


def test_a_brain_learns_through_the_synapses_of_one_tract_alone():
    task = which_channels(n_trials=120, n_steps=60)
    trained = tb.train(
        joined(sizes=(48, 8), in_degree=12, weight="400 pA"),
        task,
        seed=1,
        input={"region": "A", "weight": "400 pA", "probability": 0.5},
        readout={"region": "B"},
        trainable={"weight": {"A.*->B.*": "synapse"}},
        learning_rate=0.1,
        epochs=12,
        batch_size=30,
    )
    # By guessing, 20 of 30 trials would be right once in ten thousand times.
    assert trained.score > 2 / 3
    assert float(trained.curves["accuracy"].sel(split="validation")[0]) < 0.5
    replayed = trained.replay("reference", 3)
    assert replayed.mismatched == 0
    assert replayed.n_spikes > 100
    begun = lower(attach(trained.setup.network.lowered.brain, task, InputSpec(), ReadoutSpec()), dt=1.0, seed=1)
    before = export_brain(TrainableNetwork(begun, Trainable.parse(["weight"]), Surrogate(), "float64"))
    changed = {
        projection.key
        for one, projection in zip(before.projections, trained.model.projections, strict=True)
        if not np.allclose(one.weight.values, projection.weight.values, rtol=1e-3)
    }
    assert changed == {"A.e->B.e:exponential_current"}
