"""The multilayer perceptron."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


class MultilayerPerceptron(nn.Module):
    """Layers of units with a smooth or rectified output, trained by backpropagation.

    Of the brain it has intermediate layers, and rates in place of spikes. It has no time: each step is answered from
    what is in that step alone.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Features, outputs, and units of each hidden layer.
    activation : {"sigmoid", "tanh", "relu"}
        Output of a hidden unit.
    n_layers : int, optional
        Hidden layers.

    References
    ----------
    Rumelhart, Hinton & Williams (1986), doi 10.1038/323533a0; the rectifier: Nair & Hinton (2010), ICML 27.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, n_hidden: int, activation: str = "relu", n_layers: int = 1
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *[n_hidden] * n_layers]
        self.hidden = nn.Sequential(
            *(
                layer
                for before, after in pairwise(sizes)
                for layer in (nn.Linear(before, after), ACTIVATIONS[activation]())
            )
        )
        self.readout = nn.Linear(n_hidden, n_outputs)

    def forward(self, input: Tensor) -> Tensor:
        """Return the outputs: input (step, trial, feature), output (step, trial, output)."""
        return self.readout(self.hidden(input))
