import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbrain.errors import LearnError
from twinbrain.learn.baselines.perceptron import Perceptron, learn

XOR = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def blank(n_inputs):
    unit = Perceptron(n_inputs, 1)
    with torch.no_grad():
        for parameter in unit.parameters():
            parameter.zero_()
    return unit.double()


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_features=st.integers(1, 6),
    n_trials=st.integers(2, 30),
    margin=st.floats(0.05, 0.5),
)
def test_on_separable_examples_mistakes_stay_within_novikoffs_bound(seed, n_features, n_trials, margin):
    generator = torch.Generator().manual_seed(seed)
    plane = torch.randn(n_features + 1, generator=generator, dtype=torch.float64)
    plane /= plane.norm()
    points = torch.randn(n_trials, n_features, generator=generator, dtype=torch.float64)
    extended = torch.cat([points, torch.ones(n_trials, 1, dtype=torch.float64)], 1)
    distance = extended @ plane
    kept = distance.abs() >= margin
    points, extended, distance = points[kept], extended[kept], distance[kept]
    if not len(points):
        return
    unit = blank(n_features)
    found = learn(unit, points, (distance > 0).double(), max_epochs=100_000)
    assert found.converged
    assert found.n_mistakes <= (extended.norm(dim=1).max() / distance.abs().min()) ** 2
    assert torch.equal(unit(points[None])[0, :, 0] > 0, distance > 0)


@pytest.mark.parametrize(("wanted", "converges"), [([0, 0, 0, 1], True), ([0, 1, 1, 1], True), ([0, 1, 1, 0], False)])
def test_and_and_or_are_learned_and_exclusive_or_is_not(wanted, converges):
    unit = blank(2)
    found = learn(unit, XOR.double(), torch.tensor(wanted), max_epochs=200)
    assert found.converged is converges
    right = (unit(XOR.double()[None])[0, :, 0] > 0).int() == torch.tensor(wanted)
    assert right.all().item() is converges
    if not converges:
        assert found.n_mistakes >= found.n_epochs == 200  # no time through is without a mistake


def test_examples_that_are_right_change_nothing():
    unit = blank(2)
    learn(unit, XOR.double(), torch.tensor([0, 0, 0, 1]))
    before = {name: value.clone() for name, value in unit.state_dict().items()}
    assert learn(unit, XOR.double(), torch.tensor([0, 0, 0, 1])).n_mistakes == 0
    assert all(torch.equal(before[name], value) for name, value in unit.state_dict().items())


def test_the_rule_refuses_several_units():
    with pytest.raises(LearnError, match="each alone"):
        learn(Perceptron(2, 2), XOR, torch.tensor([0, 1, 1, 0]))
