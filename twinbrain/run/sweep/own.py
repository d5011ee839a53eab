"""A person's own functions in a sweep: what a store keeps of them, and which of them travel to workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from twinbrain.function_state import State, called, state_of
from twinbrain.functions import check_functions, described
from twinbrain.run.sweep.reductions import Reduction
from twinbrain.store.sweep import SweepStore

Builds = dict[str, Callable[..., Any]]


@dataclass(frozen=True)
class OwnFunctions:
    """Functions of the person who runs a sweep; these alone travel to workers as code.

    Parameters
    ----------
    reductions, tasks : mapping of str to callable
        Each by its name.
    states : mapping of str to State
        What each was before any was called, by its kind and name: functions may change what they use.
    """

    reductions: Mapping[str, Reduction] = field(default_factory=dict)
    tasks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    states: Mapping[tuple[str, str], State] = field(default_factory=dict)

    def each(self) -> Iterator[tuple[tuple[str, str], Callable[..., Any]]]:
        """Yield every function, with its kind and name."""
        yield from ((("reduce", name), function) for name, function in self.reductions.items())
        yield from ((("task", name), function) for name, function in self.tasks.items())

    def called(self) -> AbstractContextManager[None]:
        """Return a context within which they are called, as `twinbrain.function_state.called` does."""
        return called(*(function for _, function in self.each()))


def own_functions(reductions: Mapping[str, Reduction], spec: str) -> OwnFunctions:
    """Return functions as they are now: a person's reductions, and the tasks that a workflow, as JSON, names."""
    own = OwnFunctions(reductions, tasks_named(spec))
    return replace(own, states={key: state_of(function) for key, function in own.each()})


def tasks_named(spec: str) -> Builds:
    """Return the tasks that were registered in this process and that a workflow, as JSON, names anywhere.

    A sweep may name tasks in many places: its workflow, its values, its cases.
    """
    if json.loads(spec)["train"] is None:
        return {}
    from twinbrain.learn.tasks.registry import own_tasks

    return {name: build for name, build in own_tasks().items() if json.dumps(name, ensure_ascii=False) in spec}


def functions_kept(own: OwnFunctions) -> str:
    """Return what a store keeps of the functions with which a sweep is begun, as JSON."""
    kept: dict[str, dict[str, Any]] = {"task": {}, "reduce": {}}
    for (kind, name), function in own.each():
        kept[kind][name] = described(function, own.states[kind, name])
    return json.dumps(kept)


def check_own(store: SweepStore, own: OwnFunctions) -> None:
    """Check that the functions are given with which a sweep was begun; it imports none by itself.

    Raises
    ------
    SpecError
        If one is missing, or is another.
    """
    kept = json.loads(store.attrs.get("functions", "{}"))
    for kind, functions, option in (("task", own.tasks, "--task-from"), ("reduce", own.reductions, "--reduce-from")):
        states = {name: own.states[kind, name] for name in functions}
        check_functions(kept.get(kind, {}), functions, option, str(store.location), states)
