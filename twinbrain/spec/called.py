"""What parts of a declaration are called in a key: a region by its pattern, its name or its family."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from twinbrain.errors import Problem, SpecError
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.labels import label_meant, matching
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import suggestion

# What a part of a list is called, beside its number.
_NAMES_OF: dict[str, Callable[[Any], set[str]]] = {
    "stimuli": lambda stimulus: {stimulus.name},
    "drives": lambda drive: {drive.population},
    "projections": lambda projection: {projection.name or "", f"{projection.source}->{projection.target}"} - {""},
}


def called_in_table(wanted: str, table: Mapping[str, Any], where: str) -> list[str]:
    """Return the keys of a table that a part of a key means: a region goes by its name, its family and its label too.

    Raises
    ------
    SpecError
        If there are none.
    """
    names = {
        key: {key, label_meant(key)} | ({item.name, item.name.split("/")[0]} if isinstance(item, Region) else set())
        for key, item in table.items()
    }
    return _called(wanted, names, where)


def called_in_list(wanted: str, items: Sequence[Any], what: str, where: str) -> list[str]:
    """Return the places in a list, as texts, that a part of a key means: a number first, then names.

    Parameters
    ----------
    wanted : str
        The part of a key.
    items : sequence
        The list.
    what : str
        Its own name, such as ``"drives"``.
    where : str
        Where it stands, for the message.

    Raises
    ------
    SpecError
        If there are none.
    """
    numbers = [str(i) for i in range(len(items))]
    if wanted in numbers:  # though another may have that name
        return [wanted]
    names_of = _NAMES_OF.get(what, lambda item: set())
    names = {number: {number} | names_of(item) for number, item in zip(numbers, items, strict=True)}
    ends = [end for item in items if what == "projections" for end in (item.source, item.target)]
    return _called(wanted, names, where, {label_and_population(end)[0] for end in ends})


def is_pattern(part: str) -> bool:
    """Return whether a part of a key may mean several names."""
    return any(character in part for character in "*?[")


def _called(wanted: str, names: Mapping[str, Iterable[str]], where: str, labels: Collection[str] = ()) -> list[str]:
    # "*" is all, though one of a brain's patterns may be just that.
    if wanted != "*" and (found := [key for key, own in names.items() if wanted in own]):
        return found
    if found := [key for key, own in names.items() if matching(wanted, own, labels)]:
        return found
    known = {name for own in names.values() for name in own}
    raise SpecError([Problem(where, f"nothing here is called {wanted!r}; {suggestion(wanted, known)}")])
