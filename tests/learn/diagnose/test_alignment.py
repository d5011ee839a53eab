import numpy as np
import pytest
import torch

from tests.learn.rules.networks import make, objective, random_task, recurrent, whole
from twinbrain.learn.diagnose.alignment import ALL, alignment, angle
from twinbrain.learn.rules.registry import rule


@pytest.fixture(scope="module")
def setting():
    task = random_task(n_steps=30)
    return make(recurrent(), task, ("weight", "C_m"), size="260 pA"), whole(task), objective(task)


def of(name, setting, **options):
    own = rule(name, **options)
    own.prepare(setting[0], setting[2], 1)
    return alignment(*setting, own)


def test_the_gradient_lies_at_no_angle_to_itself_and_all_else_at_some(setting):
    found = {name: of(name, setting).angle.sel(group=ALL) for name in ("bptt", "eprop", "feedback_alignment")}
    assert found["bptt"] == 0
    assert 1 < found["eprop"] < found["feedback_alignment"] < 180


def test_every_group_and_parameter_has_an_angle(setting):
    found = of("eprop", setting)
    assert "lif_current.C_m" in found.group
    assert "input->e:exponential_current" in found.group
    assert float(found.angle.sel(group="e->readout:delta")) == pytest.approx(0, abs=1e-6)


def test_symmetry_is_that_of_what_carries_errors_back(setting):
    assert of("bptt", setting).symmetry.sel(group="e->e:exponential_current") == 0
    assert of("feedback_alignment", setting).symmetry.sel(group="e->e:exponential_current") > 45
    direct = of("direct_feedback_alignment", setting).symmetry
    assert np.isnan(direct.sel(group="e->e:exponential_current"))
    assert direct.sel(group="e->readout:delta") > 45


def test_network_and_rule_are_left_as_they_were(setting):
    network = setting[0]
    own = rule("kolen_pollack", decay=0.5)
    own.prepare(network, setting[2], 1)
    before = {name: value.clone() for name, value in (network.state_dict() | own.state_dict()).items()}
    network.zero_grad(set_to_none=True)
    alignment(*setting, own)
    after = network.state_dict() | own.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_small_angles_are_not_rounded_away():
    a = torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert angle(a, torch.tensor([1.0, 1e-9])) == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert angle(a, -a) == 180
    assert np.isnan(angle(a, 0 * a))


def test_delays_have_an_angle_too():
    task = random_task(n_steps=20)
    network, own, goal = make(recurrent(), task, ("weight", "delay")), rule("feedback_alignment"), objective(task)
    own.prepare(network, goal, 1)
    assert "delay" in alignment(network, whole(task), goal, own).group
