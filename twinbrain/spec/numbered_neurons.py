"""Numbers of neurons as labels of what is given neuron by neuron."""

from __future__ import annotations

from collections import Counter
from typing import Any

import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.labelled import is_of_pandas
from twinbrain.spec.plain_labels import plain_labels


def refuse_other_neurons(value: Any, what: str, *, one_is_for_all: bool = False) -> None:
    """Refuse numbers of neurons as labels, where neurons are taken by their places, and these are other numbers.

    Parameters
    ----------
    value : array_like
        As it was given: its dimension or index, or a level of it, is called "neuron".
    what : str
        What it is, for a message.
    one_is_for_all : bool
        Whether all neurons get what is given of one.

    Raises
    ------
    SpecError
        If they do not count from 0 on, among equal labels of the other levels, as those of neurons that were selected,
        or of which some did not spike; or if there is neuron 0 alone, and all would get what is of it.
    """
    if (index := _neurons_of(value)) is None:
        return
    labels = plain_labels(index.get_level_values("neuron"))
    found = labels.tolist()
    are_numbers = labels.dtype.kind in "iu" or (labels.dtype.kind == "f" and all(map(float.is_integer, found)))
    if are_numbers and (found != _places_among(index) or (one_is_for_all and found == [0])):
        raise SpecError(
            f"expected {what} with neurons 0, 1, 2, … as they are numbered, found {found[:3]}{'…' * (len(found) > 3)}; "
            "give each neuron its own (.reindex, with an empty list or 0 for those without), or give .values, which "
            f"are taken by their places{', one for all' * (one_is_for_all and len(found) == 1)}"
        )


def _neurons_of(value: Any) -> Any | None:
    """Return the index of which the labels, or those of a level, are called "neuron"."""
    if isinstance(value, xr.DataArray):
        if "neuron" not in value.coords or value["neuron"].ndim != 1:
            return None
        return value.indexes.get("neuron", value["neuron"].to_index().rename("neuron"))
    axes = value.axes if is_of_pandas(value) else ()
    return next((axis for axis in axes if "neuron" in axis.names), None)


def _places_among(index: Any) -> list[int]:
    """Return the place of each label among those that are alike in all levels but "neuron"."""
    if index.nlevels == 1:
        return list(range(len(index)))
    places, before = [], Counter[Any]()
    for other in index.droplevel("neuron"):
        places.append(before[other])
        before[other] += 1
    return places
