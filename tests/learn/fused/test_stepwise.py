from dataclasses import replace

import pytest
import snntorch.surrogate
import torch

import twinbrain as tb
from tests.learn.fused.programs import NAMES, example
from twinbrain.engines.torch.render import render
from twinbrain.learn.fused.stepwise import surrogate_step
from twinbrain.learn.fused.threshold import read_threshold
from twinbrain.models.algebra import Statement


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_engine_to_the_bit(name):
    program, state, constants, arrived = example(name, 60)
    plain, step = render(program), surrogate_step(program, snntorch.surrogate.atan())
    arrived.requires_grad_()
    expected, n_spikes = state, 0
    for given in arrived:
        now = dict(zip(program.jumps, given.unbind(1), strict=True))
        expected, spiked = plain(expected, constants, now)
        state, spikes = step(state, constants, now)
        assert spikes.dtype == torch.float64
        assert torch.equal(spikes, spiked.double())
        assert all(torch.equal(state[variable], expected[variable]) for variable in program.state)
        n_spikes += int(spiked.sum())
    assert n_spikes > 10


def test_conditions_in_threshold_and_reset_are_those_of_every_neuron():
    program, state, constants, arrived = example("adex", 60)
    reset = (Statement("_t9", "indicator((w > 1.0) and (w < 90.0 or v > 0.0))"), Statement("w", "w + 30.0*_t9 + 1.0"))
    program = replace(program, threshold="(v > -50.0) and (w < 50.0 or w > 60.0)", reset=(*reset, *program.reset[-1:]))
    plain, step = render(program), surrogate_step(program, snntorch.surrogate.atan())
    arrived.requires_grad_()
    n_spikes = 0
    for given in arrived:
        now = dict(zip(program.jumps, given.unbind(1), strict=True))
        expected, spiked = plain(state, constants, now)
        state, spikes = step(state, constants, now)
        assert torch.equal(spikes, spiked.double())
        assert all(torch.equal(state[variable], expected[variable]) for variable in program.state)
        n_spikes += int(spiked.sum())
    assert n_spikes > 10


def test_a_spike_has_the_gradient_of_the_surrogate_at_its_scaled_distance():
    program, state, constants, arrived = example("lif_current", 1)
    state["v"] = state["v"].requires_grad_()
    step = surrogate_step(program, snntorch.surrogate.fast_sigmoid(slope=3))
    now = dict(zip(program.jumps, arrived[0].unbind(1), strict=True))
    new, spikes = step(state, constants | {"_scale": torch.tensor(5.0)}, now)
    (found,) = torch.autograd.grad(spikes.sum(), state["v"])
    before_reset = torch.where(spikes > 0, torch.nan, new["v"])
    distance = (before_reset - constants["V_th"]) / 5.0
    expected = constants["k5"] / 5.0 / (3.0 * distance.abs() + 1.0) ** 2
    known = torch.isfinite(expected)
    assert known.sum() > 5
    assert torch.allclose(found[known].detach(), expected[known].detach(), rtol=1e-6)


def test_a_refractory_neuron_has_no_gradient_of_its_spikes():
    program, state, constants, arrived = example("lif_current", 1)
    state["refractory_left"] = torch.full_like(state["v"], 5.0)
    arrived.requires_grad_()
    now = dict(zip(program.jumps, arrived[0].unbind(1), strict=True))
    _, spikes = surrogate_step(program, snntorch.surrogate.atan())(state, constants, now)
    (found,) = torch.autograd.grad(spikes.sum(), arrived)
    assert not found.any()


@pytest.mark.parametrize(("name", "variable"), [("alif", "a"), ("adex", "w"), ("izhikevich_2003", "u")])
def test_what_a_spike_adds_to_adaptation_has_its_gradient_and_the_reset_potential_has_none(name, variable):
    program, state, constants, arrived = example(name, 100)
    step = surrogate_step(program, snntorch.surrogate.fast_sigmoid(slope=3))
    for given in arrived:
        now = dict(zip(program.jumps, given.unbind(1), strict=True))
        before, (state, spikes) = state, step(state, constants, now)
        if spikes.any():
            break
    potential = before["v"].clone().requires_grad_()
    new, spikes = step(before | {"v": potential}, constants, now)
    # The same step, did no neuron spike.
    unreached = replace(program, threshold="v > 1e9")
    silent, _ = surrogate_step(unreached, snntorch.surrogate.heaviside())(before | {"v": potential}, constants, now)

    def slope(values):
        return torch.autograd.grad(values.sum(), potential, retain_graph=True)[0]

    spiked = spikes > 0
    added = (new[variable] - silent[variable]).detach()[spiked]
    by_spike = slope(new[variable] - silent[variable])
    assert added.min() > 0
    assert torch.allclose(by_spike[spiked], added * slope(spikes)[spiked])
    assert by_spike[~spiked].any()
    assert torch.equal(slope(new["v"])[~spiked], slope(silent["v"])[~spiked])


def test_of_several_comparisons_the_membrane_potential_s_is_the_distance():
    program, *_ = example("hodgkin_huxley", 1)
    threshold = read_threshold(program)
    assert threshold.margin == "v - (V_th)"
    assert threshold.gate == "(below > 0.5) and (refractory_left <= 0.0)"


@pytest.mark.parametrize("text", ["v == V_th", "(v > V_th) or (w > 1.0)", "(v > V_th) and (v > w)"])
def test_a_threshold_without_one_distance_is_named(text):
    program, *_ = example("adex", 1)
    with pytest.raises(tb.LearnError, match="expected a threshold such as v > V_th"):
        surrogate_step(replace(program, threshold=text), snntorch.surrogate.atan())
