"""Labels of an index of pandas as numbers, times of NumPy or texts, which can be held against each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


def plain_labels(index: Any) -> NDArray[Any]:
    """Return the labels of an index of pandas in a type of NumPy that tells what they are.

    Parameters
    ----------
    index : pandas.Index
        Numbers and times may stand in it as objects, as categories, or as times of a zone, periods or intervals, for
        which the time or the number counts at which they begin.

    Returns
    -------
    ndarray
        Of objects where they are texts, tuples (of a MultiIndex), or of several kinds.
    """
    if hasattr(index, "levels"):
        if index.nlevels > 1:
            return np.asarray(index.to_numpy())
        index = index.get_level_values(0)
    if hasattr(index, "categories"):
        index = index.astype(object)
    if index.dtype.kind == "O":
        index = index.infer_objects()
        index = index.astype("datetime64[s]") if index.inferred_type == "date" else index
    if hasattr(index, "left"):
        index = index.left
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    if getattr(index, "tz", None) is not None:
        index = index.tz_convert(None)
    return np.asarray(index.to_numpy())


def are_texts(labels: NDArray[Any]) -> bool:
    """Return whether labels are names, which have no order of their own."""
    return labels.dtype.kind in "SUT" or all(isinstance(label, str | bytes) for label in labels.tolist())


def ascend(labels: NDArray[Any]) -> bool:
    """Return whether each label is at least the one before; of what cannot be compared, none is.

    Of several levels, those of names have no order: the others ascend among labels of the same names.
    """
    if labels.dtype.kind in "biufmM":
        return bool((labels[1:] >= labels[:-1]).all())
    rows = dict[tuple[Any, ...], list[Any]]()
    for label in labels.tolist():
        parts = label if isinstance(label, tuple) else (label,)
        names = tuple(part if isinstance(part, str | bytes) else None for part in parts)
        if isinstance(label, tuple):
            rows.setdefault(names, []).append(tuple(part for part in parts if not isinstance(part, str | bytes)))
        else:
            rows.setdefault((), []).append(label)
    try:
        return all(one <= other for row in rows.values() for one, other in pairwise(row))
    except TypeError:
        return False
