"""Rosenblatt's perceptron, and the rule by which it learns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn, no_grad

from twinbrain.errors import LearnError


class Perceptron(nn.Module):
    """A layer of threshold units with weights that can be learned, and nothing hidden before it.

    `forward` gives the sums, before the threshold, so that the harness can train it by gradient as it trains all
    others; `learn` is Rosenblatt's own rule.

    Of the brain it has that synapses change, by what is at both their ends, and only after mistakes. It has one layer:
    what no plane can separate it cannot tell apart, such as exclusive or.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Features, and units.

    References
    ----------
    Rosenblatt (1958), doi 10.1037/h0042519.
    """

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.readout = nn.Linear(n_inputs, n_outputs)

    def forward(self, input: Tensor) -> Tensor:
        """Return the sums: input (step, trial, feature), output (step, trial, output)."""
        return self.readout(input)


@dataclass(frozen=True)
class Learned:
    """What became of learning by the perceptron's rule.

    Parameters
    ----------
    n_mistakes : int
        How often weights were changed, in all.
    n_epochs : int
        How often the examples were gone through.
    converged : bool
        Whether the last time was without a mistake.
    """

    n_mistakes: int
    n_epochs: int
    converged: bool


@no_grad()
def learn(perceptron: Perceptron, input: Tensor, label: Tensor, *, max_epochs: int = 1000) -> Learned:
    """Learn from mistakes: add an example that should have fired the unit to its weights, subtract one that should not.

    From weights of 0, and if a plane separates the examples, there are at most (R / γ)² mistakes, where R is the length
    of the longest example and γ the largest distance from a plane (through the origin) to the example nearest to it,
    with a 1 appended to each example for the bias (Novikoff 1962).

    Parameters
    ----------
    perceptron : Perceptron
        Of one output; its weights are changed.
    input : Tensor, shape (trial, feature)
        Examples.
    label : Tensor, shape (trial,)
        1 where the unit should fire, else 0.
    max_epochs : int, optional
        When to give up.

    Raises
    ------
    LearnError
        If the perceptron has more than one output.
    """
    weight, bias = perceptron.readout.weight, perceptron.readout.bias
    if weight.shape[0] != 1:
        raise LearnError(
            f"perceptron: expected 1 output, found {weight.shape[0]}; the rule is about one unit, so learn each alone"
        )
    total = 0
    for epoch in range(1, max_epochs + 1):
        mistakes = 0
        for example, wanted in zip(input, label, strict=True):
            if error := float(wanted) - float(weight[0] @ example + bias[0] > 0):
                weight[0] += error * example
                bias[0] += error
                mistakes += 1
        total += mistakes
        if not mistakes:
            return Learned(total, epoch, converged=True)
    return Learned(total, max_epochs, converged=False)
