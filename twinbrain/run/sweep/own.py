"""A person's own functions in a sweep: what a store keeps of them, and which of them travel to workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """

    reductions: Mapping[str, Reduction] = field(default_factory=dict)
    tasks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def tasks_named(spec: str) -> Builds:
    """Return the tasks that were registered in this process and that a workflow, as JSON, names anywhere.

    A sweep may name tasks in many places: its workflow, its values, its cases.
    """
    if json.loads(spec)["train"] is None:
        return {}
    from twinbrain.learn.tasks.registry import own_tasks

    return {name: build for name, build in own_tasks().items() if json.dumps(name, ensure_ascii=False) in spec}


def functions_kept(spec: str, own: Mapping[str, Reduction]) -> str:
    """Return what a store keeps of the functions with which a sweep is begun, as JSON."""
    kept = {"task": tasks_named(spec), "reduce": own}
    return json.dumps({kind: {name: described(f) for name, f in found.items()} for kind, found in kept.items()})


def check_own(store: SweepStore, own: Mapping[str, Reduction]) -> None:
    """Check that the functions are given with which a sweep was begun; it imports none by itself.

    Raises
    ------
    SpecError
        If one is missing, or is another.
    """
    kept = json.loads(store.attrs.get("functions", "{}"))
    check_functions(kept.get("task", {}), tasks_named(store.attrs["spec"]), "--task-from", str(store.location))
    check_functions(kept.get("reduce", {}), own, "--reduce-from", str(store.location))
