"""Tables in place of what is declared: refused where values would be lost that nobody meant to change.

In TOML, ``"train.input".probability = 0.5``, with the dot outside of the quotes, is a table in place of all of
``train.input``, whose ``rate`` would be its default again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinbrain.errors import Problem, SpecError
from twinbrain.spec.base import Spec
from twinbrain.spec.plasticity import Plasticity
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.suggest import listed
from twinbrain.spec.training import Choice, Trainable

Table = Mapping[str, Any]

# What goes by a name that has to be given: a table with one is a choice of its own, as the name alone is.
_CHOICES = {("train", "task"), ("train", "rule"), ("train", "baseline")}
# Words, of which no number depends.
_WORDS = {"summary", "references"}


def refuse_loss(key: str, there: Any, table: Table, place: Sequence[str]) -> None:
    """Refuse a table in place of one whose other keys would be lost.

    Taken is what is whole by itself: a distribution or explicit values, a task or a rule with its name, what goes by
    another name than before (a region, a surrogate), a declaration that has to give several keys and does, such as that
    of a projection, and what is trained of a kind, by patterns. What could not stand beside the new keys is not lost.

    Parameters
    ----------
    key : str
        As a person wrote it.
    there : Any
        What is declared there, as data or as a declaration.
    table : mapping
        What it is given.
    place : sequence of str
        Where that is, from the root of a workflow on.

    Raises
    ------
    SpecError
        If anything would be lost.
    """
    if _is_value(table) or (tuple(place[:2]) == ("train", "trainable") and len(place) > 2):
        return
    if isinstance(there, tuple | list):
        if any(isinstance(item, Spec | Mapping) for item in there):
            raise _loss(key, ["the rest of the list"], table, there)
        return
    if not isinstance(there, Spec | Mapping):
        return
    if isinstance(there, Spec) and not _has_keys(there, table):
        return  # told where the declaration is made
    before, given = _written(there, there), _written(table, there)
    # No table of a workflow itself is given whole, such as its brain.
    if len(place) > 1 and (_is_whole(there, before, given) or ("name" in given and tuple(place[:2]) in _CHOICES)):
        return
    left_out = [name for name in before if name not in given and name not in _WORDS]
    lacking = [name for name in _required(there) if name not in given]
    if lost := left_out if lacking else [name for name in left_out if _is_lost(name, there, before, given)]:
        raise _loss(key, lost, table, there)
    if isinstance(there, Trainable):
        return
    for name, inner in given.items():
        if isinstance(inner, Mapping):
            refuse_loss(f"{key}.{_quoted(name)}", _part(there, name), inner, (*place, name))


def _part(there: Any, name: str) -> Any:
    """Return what is declared under a key of a declaration; of a list any part, which is like the others."""
    if isinstance(there, tuple | list):
        return next(iter(there), None)
    if isinstance(there, Choice):
        there = there.options
    return there.get(name) if isinstance(there, Mapping) else getattr(there, name, None)


def _written(table: Spec | Table, of: Any) -> dict[str, Any]:
    """Return the keys of a table as a file has them, in which options and parameters stand beside the others."""
    found = table.to_dict() if isinstance(table, Spec) else dict(table)
    apart = "options" if isinstance(of, Choice) else "values" if isinstance(of, Trainable) else None
    inner = found.pop(apart, {}) if apart else {}
    return found | dict(inner if isinstance(inner, Mapping) else {})


def _is_value(table: Table) -> bool:
    """Return whether a table is one value: a distribution, or explicit values."""
    if isinstance(table.get("values"), list | tuple) or isinstance(table.get("file"), str):
        return True
    try:
        Distribution.parse(dict(table))
    except SpecError:
        return False
    return True


def _is_whole(there: Spec | Table, before: Table, given: Table) -> bool:
    """Return whether a table is no change of what is there: by another name, or complete."""
    name = "model" if isinstance(there, Plasticity) else "name"
    if isinstance(given.get(name), str) and given[name] != before.get(name):
        return True
    required = _required(there)
    return len(required) > 1 and required <= given.keys()


def _is_lost(name: str, there: Spec | Table, before: Table, given: Table) -> bool:
    """Return whether a key that was there would say more than a table: no default, and no other way to connect."""
    if not isinstance(there, Spec):
        return True
    beside = _made(there, {**given, name: before[name]})
    return beside is not None and beside != _made(there, given)


def _made(there: Spec, table: Table) -> Spec | None:
    try:
        return type(there).parse(dict(table))
    except SpecError:  # of what is no declaration, which is told where it is made, or of two keys where one may stand
        return None


def _required(there: Spec | Table) -> set[str]:
    fields = type(there).model_fields if isinstance(there, Spec) else {}
    return {name for name, field in fields.items() if field.is_required()}


def _has_keys(there: Spec, table: Table) -> bool:
    return isinstance(there, Choice | Trainable) or table.keys() <= type(there).model_fields.keys()


def _loss(key: str, lost: Sequence[str], table: Table, there: Any) -> SpecError:
    message = (
        f"expected the keys that change, found a table in place of all that {key} declares, which would lose "
        f'{listed(lost)}; write each as one key, in a file between quotes: "{".".join([key, *_inner(table, there)])}" '
        "= …"
    )
    return SpecError([Problem(key, message)])


def _inner(table: Table, there: Any) -> list[str]:
    """Return the rest of a key: the first path in a table to what takes the place of no other table."""
    name, inner = next(iter(table.items()), ("…", None))
    part = _part(there, name)
    if isinstance(inner, Mapping) and inner and isinstance(part, Spec | Mapping | tuple | list):
        return [_quoted(name), *_inner(inner, part)]
    return [_quoted(name)]


def _quoted(part: str) -> str:
    return f"'{part}'" if "." in part else part
