"""Convolutional networks, over time and over images."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad


class TemporalConvolution(nn.Module):
    """Two convolutions over time that look back only, and a readout at every step.

    Of the brain it has receptive fields, and one detector at many places: here at all times. It remembers as far as its
    kernels reach, `reach` steps, and no further.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Features, outputs, and channels of each convolution.
    kernel : int, optional (steps)
        Width of each; the second one skips so that both together reach over ``kernel`` squared steps.

    References
    ----------
    Fukushima (1980), doi 10.1007/BF00344251; over time: Waibel et al. (1989), doi 10.1109/29.21701.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_hidden: int, kernel: int = 5) -> None:
        super().__init__()
        self.kernel = kernel
        self.reach = kernel**2
        self.first = nn.Conv1d(n_inputs, n_hidden, kernel)
        self.second = nn.Conv1d(n_hidden, n_hidden, kernel, dilation=kernel)
        self.activation = nn.ModuleList([nn.ReLU(), nn.ReLU()])
        self.readout = nn.Linear(n_hidden, n_outputs)

    def forward(self, input: Tensor) -> Tensor:
        """Return the outputs: input (step, trial, feature), output (step, trial, output)."""
        found = input.permute(1, 2, 0)
        found = self.activation[0](self.first(pad(found, (self.kernel - 1, 0))))
        found = self.activation[1](self.second(pad(found, (self.kernel * (self.kernel - 1), 0))))
        return self.readout(found.permute(2, 0, 1))


class ImageConvolution(nn.Module):
    """Two convolutions over an image, each followed by the maximum over 2 × 2, and a readout.

    Of the brain it has receptive fields of one kind all over the visual field, and complex cells. It has no time.

    Parameters
    ----------
    n_inputs, n_outputs, n_hidden : int
        Pixels of a square image, outputs, and channels of the first convolution; the second has twice as many.

    References
    ----------
    Fukushima (1980), doi 10.1007/BF00344251; LeCun et al. (1989), doi 10.1162/neco.1989.1.4.541.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_hidden: int) -> None:
        super().__init__()
        self.side = round(n_inputs**0.5)
        self.image = nn.Sequential(
            nn.Conv2d(1, n_hidden, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(n_hidden, 2 * n_hidden, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.readout = nn.Linear(2 * n_hidden * (self.side // 4) ** 2, n_outputs)

    def forward(self, input: Tensor) -> Tensor:
        """Return the outputs: input (step, trial, pixel), output (step, trial, output)."""
        step, trial, _ = input.shape
        found = self.image(input.reshape(step * trial, 1, self.side, self.side))
        return self.readout(found).reshape(step, trial, -1)
