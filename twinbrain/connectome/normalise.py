"""Normalisations of the weights, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.spec.base import suggestion
from twinbrain.spec.connectome import Connectome

Weights = NDArray[np.float64]


def _divide(weight: Weights, scale: Weights) -> Weights:
    # A region without inputs, or a brain without connections, stays as it is.
    return np.divide(weight, scale, out=np.zeros_like(weight), where=scale > 0)


def _log(weight: Weights) -> Weights:
    return _divide(np.log1p(weight), np.log1p(weight).max())


_NORMALISATIONS: dict[str, Callable[[Weights], Weights]] = {
    "none": lambda weight: weight,
    "max": lambda weight: _divide(weight, weight.max()),
    "row": lambda weight: _divide(weight, weight.sum(axis=1, keepdims=True)),
    "total": lambda weight: _divide(weight, weight.sum(axis=1).mean()),
    "log": _log,
}

OF_WHOLE_ROWS = frozenset({"max", "row", "total"})
"""Normalisations that leave the relative weights within each row as they are."""


def normalisation_names() -> list[str]:
    """Return the names that `normalise` knows."""
    return list(_NORMALISATIONS)


def normalise(connectome: Connectome, name: str) -> Connectome:
    """Return the connectome with its weights normalised, which it remembers.

    Parameters
    ----------
    connectome : Connectome
    name : {"none", "max", "row", "total", "log"}
        ``"none"`` leaves all as it is; ``"max"`` makes the greatest weight 1; ``"row"`` makes the inputs of each
        target sum to 1; ``"total"`` makes them sum to 1 on average; ``"log"`` takes log(1 + w), with the greatest 1,
        which tames the range of streamline counts. One after another are remembered as ``"log+row"``; the same one
        twice changes nothing.

    Raises
    ------
    ConnectomeError
        If the name is unknown.
    """
    if name not in _NORMALISATIONS:
        raise ConnectomeError(
            f"expected the name of a normalisation, found {name!r}; {suggestion(name, _NORMALISATIONS)}"
        )
    done = [] if connectome.normalisation == "none" else connectome.normalisation.split("+")
    if name == "none" or done[-1:] == [name]:
        return connectome
    return connectome.replace(
        weight=_NORMALISATIONS[name](connectome.weight.values), normalisation="+".join([*done, name])
    )
