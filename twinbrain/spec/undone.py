"""What a sweep leaves nothing of: values that each of its points replaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from twinbrain.errors import SpecError
from twinbrain.spec.base import Spec
from twinbrain.spec.called import called_in_list, called_in_table, is_pattern
from twinbrain.spec.keys import Place, full_key
from twinbrain.spec.region import Region
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.training import Choice
from twinbrain.spec.workflow import Workflow


def undoing(workflow: Workflow, places: Sequence[Place], sweep: Sweep) -> str | None:
    """Return a key of a sweep whose values take the place of what was given before, at every point.

    A key that leads into what was given leaves the rest of it, and so does a case that does not name it.

    Parameters
    ----------
    workflow : Workflow
        In which values were given.
    places : sequence of tuple of str
        Where they were given.
    sweep : Sweep
        Its sweep.

    Returns
    -------
    str or None
        None where something is left, at some point.
    """
    undone = [_undone(workflow, place, sweep) for place in places]
    return undone[0] if undone and all(undone) else None


def advice(key: str, sweep: Sweep) -> str:
    """Return what of a sweep to change so that a key has another value, for a message."""
    quoted = f'"{key}"' if "." in key else key
    if key in sweep.parameters:
        return f"sweep.parameters.{quoted}=[...]"
    for i, table in enumerate(sweep.together):
        if key in table:
            return f"sweep.together.{i}.{quoted}=[...]"
    if sweep.samples is not None and key in sweep.samples.parameters:
        return f"sweep.samples.parameters.{quoted}={{ uniform = [...] }}"
    return "sweep.cases={ ... }"


def _undone(workflow: Workflow, place: Place, sweep: Sweep) -> str | None:
    for key in _keys_of_all_points(sweep):
        if _covers(workflow, place, key):
            return key
    in_cases = [next((key for key in case if _covers(workflow, place, key)), None) for case in sweep.cases.values()]
    return in_cases[0] if in_cases and all(in_cases) else None


def _keys_of_all_points(sweep: Sweep) -> Iterator[str]:
    yield from sweep.parameters
    for table in sweep.together:
        yield from table
    yield from sweep.samples.parameters if sweep.samples else ()


def _covers(workflow: Workflow, place: Place, key: str) -> bool:
    """Return whether a key leads to a place, or to what it lies in."""
    try:
        return _leads(workflow, full_key(key), list(place), "")
    except SpecError:  # a key that leads nowhere is told where sweeps are prepared
        return False


def _leads(current: Any, parts: list[str], steps: list[str], last: str) -> bool:
    if isinstance(current, Choice):  # in a file and in a key options stand beside the name
        parts, steps = (names[1:] if names[:1] == ["options"] else names for names in (parts, steps))
    if not parts or not steps:
        return not parts
    if isinstance(current, Region) and parts[0] == "parameters":  # of every cell that gives it
        parts = ["cells", "*", *parts]
    first, step = parts[0], steps[0]
    inner: Any = None
    if isinstance(current, Spec):
        chosen, inner = [first], getattr(current, step, None)
    elif isinstance(current, dict):
        as_it_is = len(parts) == 1 and last != "regions" and not is_pattern(first)
        chosen, inner = [first] if as_it_is else called_in_table(first, current, ""), current.get(step)
    elif isinstance(current, tuple | list):
        chosen = called_in_list(first, current, last, "")
        inner = current[int(step)] if step.isdecimal() and int(step) < len(current) else None
    else:
        chosen = [first]
    return step in chosen and _leads(inner, parts[1:], steps[1:], step)
