"""The unit of McCulloch and Pitts: it fires if enough of its inputs do."""

from __future__ import annotations

from torch import Tensor, nn, tensor

from twinbrain.errors import LearnError

# Weights and threshold of the gates that one unit can be.
GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "and": ((1, 1), 2),
    "or": ((1, 1), 1),
    "nand": ((-1, -1), -1),
    "nor": ((-1, -1), 0),
    "not": ((-1,), 0),
    "majority": ((1, 1, 1), 2),
}


class ThresholdUnit(nn.Module):
    """A unit with fixed weights: 1 if their sum over the inputs that are 1 reaches the threshold, else 0.

    Of the brain it has that neurons are many, all or none, and add what they receive. It has no time, and does not
    learn.

    Parameters
    ----------
    weight : tuple of float
        One an input.
    threshold : float
        What the sum must reach.

    References
    ----------
    McCulloch & Pitts (1943), doi 10.1007/BF02478259. Their inhibition is absolute; here it is a negative weight.
    """

    def __init__(self, weight: tuple[float, ...], threshold: float) -> None:
        super().__init__()
        self.weight: Tensor
        self.register_buffer("weight", tensor(weight))
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Return the unit's answer.

        Parameters
        ----------
        input : Tensor, shape (step, trial, feature)
            0 and 1.

        Returns
        -------
        Tensor, shape (step, trial, 1)
            0 and 1.
        """
        total = input @ self.weight.to(input.dtype)
        return (total >= self.threshold).to(input.dtype)[..., None]


def gate(name: str) -> ThresholdUnit:
    """Return the unit that is a logic gate.

    Parameters
    ----------
    name : {"and", "or", "nand", "nor", "not", "majority"}
        Which gate.

    Raises
    ------
    LearnError
        If no single unit is known to be that gate.
    """
    if name not in GATES:
        raise LearnError(f"gate: expected one of {', '.join(GATES)}, found {name!r}; build others from several units")
    return ThresholdUnit(*GATES[name])
