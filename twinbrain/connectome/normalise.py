"""Normalisations of the weights, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.arguments import check_connectome
from twinbrain.errors import ConnectomeError
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.suggest import suggestion

Weights = NDArray[np.float64]


def _divide(weight: Weights, scale: Weights) -> Weights:
    if not np.isfinite(scale).all():
        raise ConnectomeError(
            "expected weights whose sums are finite, found larger ones; divide them by a number first"
        )
    # A region without inputs, or a brain without connections, stays as it is.
    return np.divide(weight, scale, out=weight.copy(), where=scale > 0)


def _sums(weight: Weights) -> Weights:
    """Return what reaches each target from others: nothing follows from the weight of a region on itself."""
    with np.errstate(over="ignore"):  # refused by `_divide`
        return np.asarray((weight * ~np.eye(len(weight), dtype=bool)).sum(axis=1, keepdims=True))


def _mean(sums: Weights) -> Weights:
    with np.errstate(over="ignore"):
        return np.asarray(sums.mean())


def _log(weight: Weights) -> Weights:
    return _divide(np.log1p(weight), np.log1p(weight).max())


_NORMALISATIONS: dict[str, Callable[[Weights], Weights]] = {
    "none": lambda weight: weight,
    "max": lambda weight: _divide(weight, weight.max()),
    "row": lambda weight: _divide(weight, _sums(weight)),
    "total": lambda weight: _divide(weight, _mean(_sums(weight))),
    "log": _log,
}

_CLOSE = 1e-6

OF_WHOLE_ROWS = frozenset({"max", "row", "total"})
"""Normalisations that leave the relative weights within each row as they are."""


def normalisation_names() -> list[str]:
    """Return the names that `normalise` knows."""
    return list(_NORMALISATIONS)


def check_names(normalisation: str) -> str:
    """Return what a file says of its normalisation.

    Raises
    ------
    ConnectomeError
        If a name of it is unknown.
    """
    for name in normalisation.split("+"):
        if name not in _NORMALISATIONS:
            hint = suggestion(name, _NORMALISATIONS)
            raise ConnectomeError(f"expected the normalisation of a file by its names, found {name!r}; {hint}")
    return normalisation


def _holds(weight: Weights, name: str) -> bool:
    """Return whether weights are as a normalisation leaves them; those of a part of a connectome are not."""
    if name == "log":
        return bool(weight.max() == 0 or abs(weight.max() - 1) < _CLOSE)
    return bool(np.allclose(_NORMALISATIONS[name](weight), weight, rtol=_CLOSE, atol=0))


def normalise(connectome: Connectome, name: str) -> Connectome:
    """Return the connectome with its weights normalised, which it remembers.

    Parameters
    ----------
    connectome : Connectome
    name : {"none", "max", "row", "total", "log"}
        ``"none"`` leaves all as it is; ``"max"`` makes the greatest weight 1; ``"row"`` makes the inputs of each
        target from others sum to 1; ``"total"`` makes them sum to 1 on average; ``"log"`` takes log(1 + w), with the
        greatest 1, which tames the range of streamline counts. One after another are remembered as ``"log+row"``; the
        same one twice changes nothing, unless the weights are not as it left them: they are normalised anew then.

    Raises
    ------
    ConnectomeError
        If the name is unknown, or it is no connectome.
    """
    check_connectome(connectome)
    if name not in _NORMALISATIONS:
        raise ConnectomeError(
            f"expected the name of a normalisation, found {name!r}; {suggestion(name, _NORMALISATIONS)}"
        )
    done = [] if connectome.normalisation == "none" else connectome.normalisation.split("+")
    if name == "none":
        return connectome
    if done[-1:] == [name]:
        if _holds(connectome.weight.values, name):
            return connectome
        if name == "log":  # what it was of is not known
            raise ConnectomeError(
                f"expected weights of which the greatest is 1, since {connectome.name or 'the connectome'} says that "
                f"they are normalised by 'log', found {connectome.weight.values.max():g}; replace(normalisation='none')"
            )
        done.pop()
    return connectome.replace(
        weight=_NORMALISATIONS[name](connectome.weight.values), normalisation="+".join([*done, name])
    )
