"""What makes a function what it is: its text, and all that it uses of a person's own.

Two functions of one text compute different things where they close over different values, have other defaults, are
called with other arguments bound, belong to other objects or classes, or where other things bear the names that they
use: functions, classes and settings of their modules.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, partial
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from twinbrain.class_attributes import attributes_of_class, is_of_person
from twinbrain.function_code import Stored, attributes_of_code, digest_of_code, globals_of, stored_by
from twinbrain.value_digest import Digests, module_of

OWN = ""
"""In place of a module: what a function was given itself."""
CODE = "its code"
_MOST = 10_000  # globals that are looked at
_OF_PYTHON = frozenset(
    ("__annotations__", "__builtins__", "__cached__", "__doc__", "__file__", "__loader__", "__name__", "__package__")
) | {"__path__", "__spec__"}
_FILLED = (list, dict, set, bytearray, deque, np.ndarray)

State = dict[str, dict[str, str]]
"""Digests of what a function was given itself (`OWN`), and of what bears the names that it uses, module by module."""
_BEFORE: dict[tuple[str, str, str], str | None] = {}
"""Digests that what functions use had before a call, by those that it had afterwards; None of what was not there."""


def source(function: Callable[..., Any]) -> dict[str, str]:
    """Return what a function is called, the name of its file and the digest of that: see `twinbrain.functions`."""
    while isinstance(function, partial | _lru_cache_wrapper):
        function = function.func if isinstance(function, partial) else function.__wrapped__
    code = function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
    name = getattr(code, "__qualname__", "")
    try:
        file = inspect.getsourcefile(code)
        if file is not None and getattr(code, "__module__", "") != "__main__" and Path(file).is_file():
            content = Path(file).read_bytes()
            return {"function": name, "file": Path(file).name, "sha256": hashlib.sha256(content).hexdigest()}
        text = inspect.getsource(code).encode()
    except (OSError, TypeError):
        return {"function": name, "file": "", "sha256": ""}
    return {"function": name, "file": "", "sha256": hashlib.sha256(text).hexdigest()}


def state_of(function: Callable[..., Any]) -> State:
    """Return digests of all that a function computes with, as it is in this process now.

    What a function was given are its code, defaults, attributes, values that it closes over, arguments that are bound,
    and attributes of the object that it belongs to and of its class. Names that it uses, and those that functions of a
    person's own use which it reaches, are looked up in their modules, whatever they mean: functions, classes,
    settings, numbers, tables, what is imported from libraries. What these functions set themselves does not count, such
    as counts of calls, nor what was found to change in calls (`called`); nor does what they import when they are
    called, which may not be there yet.

    Parameters
    ----------
    function : callable

    Returns
    -------
    dict
        By modules and names. ``""`` in place of a digest where a value has none, such as an open file.
    """
    return _as_before(function, state_now(function))


def _as_before(function: Callable[..., Any], state: State) -> State:
    """Return a state with what calls have changed as it was before them."""
    where, found = _where(function), State()
    for module, names in state.items():
        before = {name: _BEFORE.get((module or where, name, digest), digest) for name, digest in names.items()}
        if kept := {name: digest for name, digest in before.items() if digest is not None}:
            found[module] = kept
    return found


@contextmanager
def called(*functions: Callable[..., Any]) -> Iterator[None]:
    """Within it, functions are called: what these change of what they use, from now on counts as it was before.

    Parameters
    ----------
    *functions : callable
    """
    before = [state_now(function) for function in functions]
    try:
        yield
    finally:
        for function, was in zip(functions, before, strict=True):
            where, counted = _where(function), _as_before(function, was)
            for module, names in state_now(function).items():
                for name, digest in names.items():
                    if digest != was.get(module, {}).get(name):
                        _BEFORE[module or where, name, digest] = counted.get(module, {}).get(name)


def _where(function: Any) -> str:
    """Return where the name of what a function was given itself stands, in place of a module."""
    return f"{getattr(function, '__module__', '')} {getattr(function, '__qualname__', type(function).__qualname__)}"


def state_now(function: Callable[..., Any]) -> State:
    """Return what `state_of` does, with what calls have changed as they left it."""
    found, functions = _state(function, Stored())
    stored = stored_by(functions)
    return _state(function, stored)[0] if stored != Stored() else found


def given(state: State) -> dict[str, str]:
    """Return digests by names of which those of modules are written with them: ``"module.name"``."""
    return {
        name if module == OWN else f"{_written(module)}.{name}": digest
        for module, names in state.items()
        for name, digest in names.items()
    }


def _written(module: str) -> str:
    """Return the name of a module; those of files that a person names are paths."""
    return Path(module).stem if os.sep in module else module


def _state(function: Any, stored: Stored) -> tuple[State, list[FunctionType]]:
    digests = Digests(stored.own)
    own = {name: digests.of(value) for name, value in _own(function, digests)}
    found: State = {OWN: own} if own else {}
    looked_at = 0
    for user in _growing(digests.functions):
        for module, name, value in _used(user):
            names = found.setdefault(module, {})
            if name in names or _is_stored(stored, user, module, name, value):
                continue
            without = {one for where, holder, one in stored.attributes if (where, holder) == (module, name)}
            value = ("module", value.__name__) if isinstance(value, ModuleType) else _beside(user, value)
            names[name] = digests.of(value, without) if looked_at < _MOST else ""
            looked_at += 1
    functions = [one for key, one in digests.functions.items() if key not in digests.setters]
    return {module: names for module, names in found.items() if names}, functions


def _is_stored(stored: Stored, user: FunctionType, module: str, name: str, value: Any) -> bool:
    """Return whether functions set what bears a name, put something in it, or set it as an attribute of its module."""
    if (module, name) in stored.names or ((module, name) in stored.filled and isinstance(value, _FILLED)):
        return True
    holders = (user.__globals__.get(holder) for _, holder, one in stored.attributes if one == name)
    return any(isinstance(holder, ModuleType) and holder.__name__ == module for holder in holders)


def _growing(functions: dict[int, FunctionType]) -> Iterator[FunctionType]:
    """Yield functions, and those that were found meanwhile."""
    place = 0
    while place < len(functions):
        new = list(functions.values())[place:]
        place += len(new)
        yield from new


def _own(function: Any, digests: Digests) -> Iterator[tuple[str, Any]]:
    if isinstance(function, partial):
        yield from _own(function.func, digests)
        yield from ((f"argument {place + 1}", value) for place, value in enumerate(function.args))
        yield from function.keywords.items()
    elif isinstance(function, MethodType):
        yield from _own(function.__func__, digests)
        yield from _of_object(function.__self__)
    elif isinstance(function, FunctionType):
        digests.meet(function)
        yield CODE, digest_of_code(function.__code__)
        parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
        yield from ((p.name, p.default) for p in parameters if p.default is not p.empty)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                yield name, cell.cell_contents
            except ValueError:  # not filled yet
                continue
        yield from ((name, value) for name, value in vars(function).items() if not name.startswith("__"))
    elif isinstance(function, _lru_cache_wrapper):  # what it has kept is no state
        yield from _own(function.__wrapped__, digests)
    elif not isinstance(function, BuiltinFunctionType):
        yield from _of_object(function)


def _of_object(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object and of its class, or of a class and its own class."""
    if isinstance(value, type):
        yield from attributes_of_class(value)
    elif type(getattr(value, "__dict__", None)) is dict and not hasattr(type(value), "__slots__"):
        yield from vars(value).items()
    else:
        yield type(value).__name__, value
    yield from attributes_of_class(type(value))


def _used(function: FunctionType) -> Iterator[tuple[str, str, Any]]:
    """Yield what a function uses of its module, and of other modules of a person's own, with where it stands."""
    held, module = function.__globals__, module_of(function)
    waiting = [(module, name, held[name]) for name in globals_of(function.__code__) if name in held]
    attributes, known = sorted(attributes_of_code(function.__code__)), set[str]()
    while waiting:
        module, name, value = waiting.pop()
        if name in _OF_PYTHON:
            continue
        is_own = isinstance(value, ModuleType) and is_of_person(value.__name__)
        if not (is_own and value.__name__ == f"{module}.{name}"):  # which is there from when anything first imports it
            yield module, name, value
        if is_own and value.__name__ not in known:
            known.add(value.__name__)  # of which it uses what its code names
            waiting += [(value.__name__, one, vars(value)[one]) for one in attributes if one in vars(value)]


def _beside(user: FunctionType, value: Any) -> Any:
    """Return a path without the folder of its module, which may lie elsewhere on other machines; others as they are."""
    folder = os.path.dirname(str(user.__globals__.get("__file__") or ""))
    if folder and isinstance(value, str | PurePath) and str(value).startswith(folder):
        return "beside", type(value).__name__, str(value).removeprefix(folder)
    return value
