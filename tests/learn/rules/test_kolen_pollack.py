import pytest
import torch

import twinbrain as tb
from tests.learn.rules.networks import make, objective, random_task, recurrent, whole
from twinbrain.learn.diagnose.alignment import weight_symmetry
from twinbrain.learn.rules.feedback import trained_synapses
from twinbrain.learn.rules.registry import rule


def train(own, network, task, n_batches, optimiser=torch.optim.Adam, **penalty):
    """Yield the difference of feedback and forward weights after each batch."""
    goal = objective(task, **penalty)
    own.prepare(network, goal, 1)
    steps = optimiser([p for p in network.parameters() if p.numel()], lr=0.1)
    for _ in range(n_batches):
        steps.zero_grad()
        own.learn(network, whole(task), goal)
        steps.step()
        network.keep_signs()
        yield own.feedback(network) - network.all_weights().detach()


def test_feedback_weights_become_the_transposes_of_the_forward_ones():
    # Akrout et al. 2019, section 4: with equal updates and a decay the difference shrinks geometrically.
    task = random_task(n_steps=20, rate=0.3)
    network, own = make(recurrent(), task, size="260 pA"), rule("kolen_pollack", decay=0.1)
    groups = ["e->e:exponential_current", "e->i:exponential_current", "e->readout:delta"]  # of neurons that spike
    differences = list(train(own, network, task, 50, rate_range=(60.0, 200.0), rate_penalty=1.0))
    assert float(differences[-1].norm() / differences[0].norm()) == pytest.approx(0.9**49, rel=0.05)
    angles = weight_symmetry(network, own)
    assert max(angles[name] for name in groups) < 5
    own.prepare(network, objective(task), 1)
    assert min(weight_symmetry(network, own)[name] for name in groups) > 45


def test_the_optimiser_does_not_matter():
    task = random_task(n_steps=20)
    for optimiser in (torch.optim.Adam, torch.optim.SGD):
        network, own = make(recurrent(), task, size="260 pA"), rule("kolen_pollack", decay=0.5)
        differences = list(train(own, network, task, 3, optimiser))
        assert float(differences[2].norm() / differences[1].norm()) == pytest.approx(0.5, rel=1e-3)


def test_without_decay_the_difference_stays():
    task = random_task(n_steps=20)
    network, own = make(recurrent(), task, size="260 pA"), rule("kolen_pollack", decay=0.0)
    first, *_, last = train(own, network, task, 4)
    torch.testing.assert_close(last, first, rtol=1e-9, atol=1e-9)


def test_synapses_that_are_not_trained_have_fixed_feedback():
    task = random_task(n_steps=20)
    network = make(recurrent(), task, {"weight": {"*->readout:*": "synapse"}}, size="260 pA")
    own = rule("kolen_pollack", decay=0.2)
    first, last = list(train(own, network, task, 2))
    fixed = ~trained_synapses(network)
    assert 0 < int(fixed.sum()) < len(fixed)
    assert torch.equal(first[fixed], last[fixed])


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_that_is_no_share_is_refused(decay):
    with pytest.raises(tb.LearnError, match="decay: expected a share from 0 to 1"):
        rule("kolen_pollack", decay=decay)
