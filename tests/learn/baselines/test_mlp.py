import math

import pytest
import torch

from twinbrain.learn.baselines.mlp import MultilayerPerceptron
from twinbrain.learn.metrics.gradients import gradient_norms

XOR = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
WANTED = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def seeded(seed, *sizes, **options):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return MultilayerPerceptron(*sizes, **options)


def minimise(model, input, wanted, n_iterations):
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=n_iterations, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        error = (model(input[None])[0] - wanted).square().mean()
        error.backward()
        return error

    optimizer.step(closure)
    return closure().item()


def test_two_hidden_units_learn_exclusive_or():
    errors = [minimise(seeded(seed, 2, 1, 2, activation="tanh"), XOR, WANTED, 100) for seed in range(5)]
    # The best that one unit can do is 1/2 everywhere: an error of 1/4. Some starts end in a local minimum.
    assert sum(error < 1e-4 for error in errors) >= 2
    assert minimise(seeded(0, 2, 1, 1, activation="tanh"), XOR, WANTED, 200) > 0.05


def test_the_solution_of_exclusive_or_with_two_rectifiers_by_hand():
    model = MultilayerPerceptron(2, 1, 2)
    with torch.no_grad():
        model.hidden[0].weight.copy_(torch.ones(2, 2))
        model.hidden[0].bias.copy_(torch.tensor([0.0, -1.0]))
        model.readout.weight.copy_(torch.tensor([[1.0, -2.0]]))
        model.readout.bias.zero_()
    assert torch.equal(model(XOR[None])[0], WANTED)


def interpolating(function, n_pieces):
    """Return rectifiers that sum to a function's linear interpolation from 0 to 1: each changes the slope once."""
    knots = torch.linspace(0, 1, n_pieces + 1, dtype=torch.float64)
    values = function(knots)
    slope = values.diff() * n_pieces
    model = MultilayerPerceptron(1, 1, n_pieces).double()
    with torch.no_grad():
        model.hidden[0].weight.fill_(1.0)
        model.hidden[0].bias.copy_(-knots[:-1])
        model.readout.weight[0] = torch.cat([slope[:1], slope.diff()])
        model.readout.bias[0] = values[0]
    return model


def test_one_hidden_layer_approximates_a_function_as_closely_as_wanted():
    # Universal approximation (Cybenko 1989, 10.1007/BF02551274; Hornik et al. 1989, 10.1016/0893-6080(89)90020-8), here
    # by hand: the error of linear interpolation is at most h² max|f''| / 8, f the sine of 2 π x.
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    wanted = torch.sin(2 * math.pi * x)
    for n_pieces in (16, 64, 256):
        model = interpolating(lambda knots: torch.sin(2 * math.pi * knots), n_pieces)
        error = (model(x[None])[0] - wanted).abs().max().item()
        bound = (2 * math.pi / n_pieces) ** 2 / 8
        assert 0.75 * bound < error <= bound


def test_more_hidden_units_learn_a_function_more_closely():
    x = torch.linspace(-math.pi, math.pi, 64, dtype=torch.float64)[:, None]
    errors = [minimise(seeded(0, 1, 1, n, activation="tanh").double(), x, torch.sin(2 * x), 60) for n in (1, 12)]
    assert errors[0] > 0.3 > 0.01 > errors[1]


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_vanishes_with_depth_in_sigmoid_layers_and_less_in_rectified_ones(seed):
    def falls_to(activation):
        """Return the share of the gradient at the last hidden layer that is left at the first."""
        model = seeded(seed, 16, 1, 64, activation=activation, n_layers=10)
        for layer in model.hidden[::2]:  # the initial weights that keep variance: He et al. 2015, Glorot & Bengio 2010
            gain = torch.nn.init.calculate_gain(activation)
            torch.nn.init.normal_(
                layer.weight, 0, gain / layer.in_features**0.5, generator=torch.Generator().manual_seed(seed)
            )
        found = torch.randn(1, 8, 16, generator=torch.Generator().manual_seed(seed))
        states = {}
        for depth, (weights, output) in enumerate(zip(model.hidden[::2], model.hidden[1::2], strict=True)):
            states[f"{depth}"] = found = output(weights(found))
        norms = gradient_norms(model.readout(found).square().sum(), states)["norm"].values[:, 0]
        return norms[0] / norms[-1]

    # A sigmoid's slope is 1/4 at most: nine layers take at least a factor of 4^9 with weights of unit gain.
    assert falls_to("sigmoid") < 1e-4
    assert falls_to("relu") > 1e-2
