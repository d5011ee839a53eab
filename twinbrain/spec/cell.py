"""A cell class: a neuron model, its receptors and its parameters."""

from __future__ import annotations

from twinbrain.spec.base import Spec
from twinbrain.spec.distinct import Names
from twinbrain.spec.quantity import Value


class Cell(Spec):
    """A neuron model with receptors and parameters.

    Parameters
    ----------
    model : str
        Name of a neuron model, of the library or of the region's own ``models``.
    receptors : tuple of str
        Names of receptors, of the library or of the region's own ``receptors``.
    parameters : dict of str to value
        Parameters of the model and of its receptors; a distribution makes neurons differ, and so
        do explicit values, one for each neuron of the population that has the cell.
    initial : dict of str to value
        State at time zero.
    references : tuple of str
        Where the parameters come from.
    """

    summary: str = ""
    references: tuple[str, ...] = ()
    model: str
    receptors: Names = ()
    parameters: dict[str, Value] = {}
    initial: dict[str, Value] = {}
