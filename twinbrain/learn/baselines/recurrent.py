"""Recurrent networks of rates: Elman's, and the two with gates."""

from __future__ import annotations

from torch import Tensor, nn, no_grad


class Recurrent(nn.Module):
    """A recurrent layer and a readout at every step."""

    layer: nn.RNNBase

    def __init__(self, layer: nn.RNNBase, n_outputs: int) -> None:
        super().__init__()
        self.layer = layer
        self.readout = nn.Linear(layer.hidden_size, n_outputs)

    def forward(self, input: Tensor) -> Tensor:
        """Return the outputs: input (step, trial, feature), output (step, trial, output)."""
        return self.readout(self.layer(input)[0])


class Elman(Recurrent):
    """Rates that see the input and themselves a step ago.

    Of the brain it has recurrence. A rate is replaced at every step: there is no membrane, so the memory lies in the
    weights, and the gradient of the past grows or shrinks by them at every step.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Features, outputs, and rates.

    References
    ----------
    Elman (1990), doi 10.1207/s15516709cog1402_1; of its gradients: Bengio et al. (1994), doi 10.1109/72.279181.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_hidden: int) -> None:
        super().__init__(nn.RNN(n_inputs, n_hidden), n_outputs)


class LongShortTermMemory(Recurrent):
    """Cells that keep what they hold until a gate lets it go.

    Memory is a state that adds, as a membrane does, with a time constant that the input sets. Nothing in the brain is
    known to multiply so freely. The bias of the forget gate begins at 1.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Features, outputs, and cells.

    References
    ----------
    Hochreiter & Schmidhuber (1997), doi 10.1162/neco.1997.9.8.1735; the forget gate: Gers et al. (2000),
    doi 10.1162/089976600300015015; its bias: Jozefowicz et al. (2015), ICML 32.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_hidden: int) -> None:
        super().__init__(nn.LSTM(n_inputs, n_hidden), n_outputs)
        forget = slice(n_hidden, 2 * n_hidden)  # Gates are in the order input, forget, cell, output.
        with no_grad():
            self.layer.get_parameter("bias_ih_l0")[forget] = 1.0
            self.layer.get_parameter("bias_hh_l0")[forget] = 0.0


class GatedRecurrentUnit(Recurrent):
    """Rates that move towards a new value as fast as a gate says.

    A leaky integrator with a time constant of its own at each step.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Features, outputs, and rates.

    References
    ----------
    Cho et al. (2014), arXiv 1406.1078.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_hidden: int) -> None:
        super().__init__(nn.GRU(n_inputs, n_hidden), n_outputs)
