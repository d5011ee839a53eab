import pytest
import torch

import twinbrain as tb
from tests.learn.rules.networks import (
    SIZE,
    assert_same,
    by_autodiff,
    by_rule,
    chain,
    make,
    objective,
    random_task,
    recurrent,
    region,
    whole,
)
from twinbrain.learn.diagnose.memory import memory
from twinbrain.learn.rules.feedback import without_gradient
from twinbrain.learn.rules.registry import rule

# Model, receptors, parameters that are trained besides the weights, and the weight of the input.
CELLS = [
    ("lif_current", "exponential_current", None, ("C_m", "tau_exponential_current"), "260 pA"),
    ("alif", "delta", None, ("beta", "tau_a"), "3 mV"),
    ("adex", "ampa", "gaba_a", ("tau_w", "b", "V_T"), "6 nS"),
]


@pytest.mark.parametrize(("model", "receptor", "inhibition", "parameters", "size"), CELLS, ids=lambda v: str(v))
def test_it_is_the_gradient_with_the_spikes_detached_that_reach_other_neurons(
    model, receptor, inhibition, parameters, size
):
    # As the authors check theirs: Bellec et al. 2020, equation 1 against automatic differentiation.
    task = random_task()
    network = make(recurrent(model, receptor, inhibition), task, ("weight", *parameters), size=size)
    assert 5 < network(whole(task).inputs).spikes[:, :, : network.input.start].sum() < 1500
    expected = by_autodiff(network, task, without_gradient(network, but_to_readout=True))
    assert_same(by_rule(rule("eprop"), network, task), expected)


def test_errors_of_a_regression_meet_the_eligibility_of_their_own_time():
    task = random_task(kind="regression")
    network = make(recurrent(), task, size="260 pA")
    expected = by_autodiff(network, task, without_gradient(network, but_to_readout=True))
    assert_same(by_rule(rule("eprop"), network, task), expected)


@pytest.mark.parametrize(("model", "receptor"), [("lif_current", "exponential_current"), ("adex", "ampa")])
def test_of_one_population_without_recurrence_it_is_backpropagation_through_time(model, receptor):
    task = random_task()
    network = make(chain(1, model, receptor), task, ("weight", "C_m"), size=SIZE[receptor])
    assert_same(by_rule(rule("eprop"), network, task), by_autodiff(network, task))


def test_a_penalty_of_rates_is_a_signal_of_its_own():
    task = random_task()
    network = make(chain(1), task, size="260 pA")
    penalty = {"rate_range": (1.0, 10.0), "rate_penalty": 0.3}
    without, with_ = by_rule(rule("eprop"), network, task), by_rule(rule("eprop"), network, task, **penalty)
    assert max(float((with_[name] - without[name]).abs().max()) for name in with_) > 1e-4
    # The penalty counts the readout too, which never spikes; backpropagation passes a little through it.
    assert_same(with_, by_autodiff(network, task, **penalty), rtol=1e-5)


def test_with_random_feedback_it_is_direct_feedback_alignment():
    task = random_task()
    network = make(recurrent("alif", "delta"), task, ("weight", "beta"), size="3 mV")
    found = by_rule(rule("eprop", feedback="random"), network, task, seed=5)
    assert_same(found, by_rule(rule("direct_feedback_alignment"), network, task, seed=5))


def test_shared_weights_get_the_sum_over_those_who_share():
    task = random_task()
    for trainable in ({"weight": {"*": "population"}, "C_m": "population"}, {"weight": "region"}):
        network = make(recurrent(), task, trainable, size="260 pA")
        expected = by_autodiff(network, task, without_gradient(network, but_to_readout=True))
        assert_same(by_rule(rule("eprop"), network, task), expected)


def test_what_is_held_for_the_way_back_does_not_grow_with_the_steps():
    task = random_task()
    network, goal = make(recurrent(), task, size="260 pA"), objective(task)
    held = {}
    for name in ("eprop", "bptt"):
        own = rule(name)
        own.prepare(network, goal, 1)
        held[name] = memory(network, whole(task), goal, own, [16, 48]).held.values
    assert held["eprop"][0] == held["eprop"][1]
    assert held["bptt"][1] > 2 * held["bptt"][0]


def test_a_readout_whose_memory_differs_between_outputs_is_refused():
    mixed = region(
        {
            "e": {"model": "lif_current", "receptors": ["exponential_current"]},
            "readout": {
                "model": "leaky_integrator",
                "receptors": ["delta"],
                "parameters": {"g_L": {"uniform": ["2 nS", "9 nS"]}},
            },
        },
        {"e": ("e", 5), "readout": ("readout", 3)},
        [("e", "readout", "delta", "1 mV", "1 ms")],
    )
    task = random_task()
    with pytest.raises(tb.LearnError, match="eprop: expected a readout of leaky integrators that are all alike"):
        by_rule(rule("eprop"), make(mixed, task, into=("e",)), task)


def test_an_unknown_feedback_is_named():
    with pytest.raises(tb.LearnError, match="did you mean 'symmetric'"):
        rule("eprop", feedback="symmetrical")


def test_gradients_in_single_precision_are_near_those_in_double():
    task = random_task()
    single, double = (make(recurrent(), task, size="260 pA", precision=p) for p in ("float32", "float64"))
    torch.testing.assert_close(single.all_weights(), double.all_weights().float())
    assert_same(by_rule(rule("eprop"), single, task), by_rule(rule("eprop"), double, task), rtol=1e-4)
