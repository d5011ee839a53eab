"""Matrices that are filled on one side of the diagonal alone: half of what goes both ways, or a directed chain."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np

from twinbrain.errors import ConnectomeError, ExchangeWarning, shortened
from twinbrain.spec.connectome import Connectome

Triangle = Literal["mirror", "directed"]


def with_triangle(connectome: Connectome, triangle: str | None, name: object) -> Connectome:
    """Return what a file means whose weights are on one side of the diagonal alone; others as they are.

    Parameters
    ----------
    connectome : Connectome
        As it was read.
    triangle : {"mirror", "directed"} or None
        ``"mirror"`` takes each weight for both directions, and its length; ``"directed"`` takes the weights as they
        stand. None does so too, with an ``ExchangeWarning`` if there are more than two regions.
    name : object
        What to call the file.

    Raises
    ------
    ConnectomeError
        If it is something else, or there is nothing to mirror.
    """
    if triangle not in (None, *get_args(Triangle)):
        raise ConnectomeError(f"expected triangle as one of {', '.join(get_args(Triangle))}, found {triangle!r}")
    weight, length = connectome.weight.values, connectome.length.values
    above, below = np.triu(weight, 1).any(), np.tril(weight, -1).any()
    if triangle == "mirror":
        if above and below:
            raise ConnectomeError("expected weights on one side of the diagonal, found some on both; drop triangle")
        own = np.where((weight > 0) | (weight.T <= 0), length, length.T)
        both = np.where(own > 0, own, np.maximum(length, length.T))
        weight = np.maximum(weight, weight.T)
        return connectome.replace(weight=weight, length=both, normalisation=connectome.normalisation)
    if triangle is None and above != below and len(weight) > 2:
        text = (
            f"{name}: read as directed, since all its weights are {'above' if above else 'below'} the diagonal; if "
            "they are of both directions (MRtrix writes one triangle unless it is given -symmetric), read it with "
            'triangle="mirror" and write that with tb.write_connectome; triangle="directed" says that they are not'
        )
        warnings.warn(shortened(text), ExchangeWarning, stacklevel=3)
    return connectome
