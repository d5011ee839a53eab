"""Tasks by name: those that are here, and those that a person has registered."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from twinbrain.class_attributes import is_of_person
from twinbrain.errors import LearnError, Problem, SpecError
from twinbrain.function_state import called
from twinbrain.functions import ending_refused
from twinbrain.learn.options import options_of
from twinbrain.learn.tasks.task import Task
from twinbrain.spec.base import Spec
from twinbrain.spec.suggest import suggestion

Build = Callable[..., Task]
"""Makes a task. Its arguments are the task's options."""

_MODULES = {
    "cue_accumulation": "cue_accumulation",
    "delayed_match": "delayed_match",
    "digits": "digits",
    "gestures": "gestures",
    "intervals": "intervals",
    "mnist": "mnist",
    "nmnist": "nmnist",
    "patterns": "patterns",
    "shd": "heidelberg",
    "ssc": "heidelberg",
    "store_recall": "store_recall",
    "vowels": "vowels",
    "xor": "xor",
}
_registered: dict[str, Build] = {}


def task(name: str | Build, /, **options: Any) -> Task:
    """Return a task.

    Parameters
    ----------
    name : str or callable
        One of `task_names`; or a function of yours, which returns a `Task`.
    **options
        What the task's function takes, as in a file: durations and rates as text with a unit, such as ``dt="2 ms"``.

    Raises
    ------
    SpecError
        If there is no such task, or it has no such option, or an option cannot be right: all that is wrong.
    LearnError
        If it is neither a name nor a function, or its data are missing or damaged.
    """
    if not callable(name) and not isinstance(name, str):
        raise LearnError(
            f"task: expected the name of a task, or a function that makes one, found a {type(name).__name__}; give "
            'options by their names: tb.task("digits", coding="rate")'
        )
    build = name if callable(name) else find_task(name)
    given = task_options(build).parse(options, f"task {build.__name__}")
    return built(build, given)


def built(build: Build, options: Spec) -> Task:
    """Return the task that a function makes of checked options.

    Parameters
    ----------
    build : callable
        From `find_task`.
    options : Spec
        Of the type that `task_options` returned for it.

    Raises
    ------
    LearnError
        If the function returns no task, or as it says itself.
    """
    with ending_refused(build.__name__), called(*([build] if is_of_person(str(build.__module__)) else [])):
        found = build(**{key: getattr(options, key) for key in options.model_fields_set})
    if not isinstance(found, Task):
        raise LearnError(f"{build.__name__}: expected a Task, found {type(found).__name__}; return what Task(…) makes")
    return found


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks that are here or were registered."""
    return tuple(sorted({*_MODULES, *_registered}))


def register_task(build: Build, name: str | None = None) -> Build:
    """Give a task a name, for this process. It can stand above a function as a decorator.

    A function that is made anew, as where a cell of a notebook is run again or a module reloaded, takes the place of
    the one before.

    Parameters
    ----------
    build : callable
        Returns a `Task`. Its arguments are the options; annotations say of which type.
    name : str, optional
        By default that of the function.

    Returns
    -------
    callable
        The same function.

    Raises
    ------
    LearnError
        If another task has the name.
    """
    name = name or build.__name__
    if ":" in name or name in _MODULES or not _is_same(_registered.get(name, build), build):
        raise LearnError(
            f"register_task: expected a name that is free and without a colon, found {name!r}; give another: name="
        )
    _registered[name] = build
    return build


def _is_same(before: Build, now: Build) -> bool:
    """Return whether a function is the one before, or that of the same place in its module, made anew."""
    return before is now or (_place(now) is not None and _place(before) == _place(now))


def _place(build: Build) -> tuple[str, str] | None:
    """Return the module and the name within, where they tell a function from all others."""
    if not isinstance(build, FunctionType | type) or "<" in build.__qualname__:  # "<lambda>", and what a function makes
        return None
    return build.__module__, build.__qualname__


def own_tasks() -> dict[str, Build]:
    """Return the tasks that were registered, by name."""
    return dict(_registered)


@contextmanager
def registering(builds: Mapping[str, Build]) -> Iterator[None]:
    """Give tasks their names for as long as a context lasts.

    Parameters
    ----------
    builds : mapping of str to callable
        Functions, as `register_task` takes them, by name.

    Raises
    ------
    LearnError
        If another task has a name.
    """
    before = own_tasks()
    try:
        for name, build in builds.items():
            register_task(build, name)
        yield
    finally:
        _registered.clear()
        _registered.update(before)


def find_task(name: str) -> Build:
    """Return the function that makes a task.

    Parameters
    ----------
    name : str
        One of `task_names`.

    Raises
    ------
    SpecError
        If there is none, or the name is that of a file or a module: those are for a person to name, and not for a file.
    """
    if ":" in name:
        message = (
            f"expected the name of a task, found {name!r}, which names code; code runs only where a person names it: "
            "write the function's name alone, and give a function that you trust with --task-from FILE.py:FUNCTION, or "
            "in Python with tb.register_task"
        )
        raise SpecError([Problem("task", message)])
    if name in _registered:
        return _registered[name]
    if name not in _MODULES:
        raise SpecError(
            [
                Problem(
                    "task",
                    f"expected the name of a task, found {name!r}; {suggestion(name, task_names())}; or give one of "
                    "yours with --task-from FILE.py:FUNCTION, or in Python with tb.register_task",
                )
            ]
        )
    found: Build = getattr(importlib.import_module(f"twinbrain.learn.tasks.{_MODULES[name]}"), name)
    return found


def task_options(build: Build) -> type[Spec]:
    """Return the declaration of a task's options: a type with a field for each argument of its function.

    Parameters
    ----------
    build : callable
        From `find_task`.
    """
    return options_of(build)
