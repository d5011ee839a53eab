"""Keys of a sweep that lead to one place, where the later would undo what the earlier gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import combinations

from twinbrain.errors import SpecError
from twinbrain.spec.axes import Axis
from twinbrain.spec.keys import Place


def check_places(places: Mapping[str, Sequence[Place]], axes: Sequence[Axis]) -> None:
    """Refuse keys of which one undoes another at a point.

    A key that leads into what another gave before adds to it, such as to a region that a case has put in place of
    another; and within one table a key may make an exception of what another gave to many.

    Parameters
    ----------
    places : mapping of str to sequence of tuple of str
        Where each key leads, in the order in which they are given values.
    axes : sequence of Axis
        Of the sweep.

    Raises
    ------
    SpecError
        If keys of two axes give a value to the same place, or one replaces all that another key gave.
    """
    axis_of = {key: axis.name for axis in axes for key in axis.columns}
    for (earlier, before), (later, after) in combinations(places.items(), 2):
        ends = set(after)
        undone = [place for place in before if _is_within(place, ends)]
        if not undone or (axis_of[earlier] == axis_of[later] and len(undone) < len(before)):
            continue
        what = ".".join(undone[0])
        if undone[0] in ends:
            raise SpecError(f"{earlier!r} and {later!r} both give a value to {what}; give it values once")
        raise SpecError(
            f"{later!r} replaces {what}, to which {earlier!r} gives a value before; put {later!r} first, or leave one "
            "out"
        )


def _is_within(place: Place, others: Set[Place]) -> bool:
    """Return whether a place is one of others, or lies in one."""
    return any(place[:n] in others for n in range(1, len(place) + 1))
