"""What makes a function what it is: its text, and the values that it was given besides.

Two functions of one text compute different things where they close over different values, have other defaults, are
called with other arguments bound, or belong to other objects or classes.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import _lru_cache_wrapper, cached_property, partial
from itertools import chain
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from twinbrain.class_attributes import attributes_of_class
from twinbrain.function_code import code_and_constants

_PLAIN = (str, bytes, bool, int, float, complex, type(None), type(...), range, PurePath, Enum, np.generic)
_DEEPEST = 40
# Looks at functions and classes: those that all use each other have more ways from one to another than can be gone.
_MOST = 1_000
# What an object overrides that is more than its attributes.
_PICKLED_BY = ("__reduce_ex__", "__reduce__", "__getstate__")
# In place of a state that is not known, of which no digest is taken.
_UNKNOWN = object()


def source(function: Callable[..., Any]) -> dict[str, str]:
    """Return what a function is called, the name of its file and the digest of that: see `twinbrain.functions`."""
    while isinstance(function, partial | _lru_cache_wrapper):
        function = function.func if isinstance(function, partial) else function.__wrapped__
    code = function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
    name = getattr(code, "__qualname__", "")
    try:
        file = inspect.getsourcefile(code)
        if file is not None and not _is_of_script(code) and Path(file).is_file():
            content = Path(file).read_bytes()
            return {"function": name, "file": Path(file).name, "sha256": hashlib.sha256(content).hexdigest()}
        text = inspect.getsource(code).encode()
    except (OSError, TypeError):
        return {"function": name, "file": "", "sha256": ""}
    return {"function": name, "file": "", "sha256": hashlib.sha256(text).hexdigest()}


def given(function: Callable[..., Any]) -> dict[str, str]:
    """Return digests of the values that a function was given, by the names of these.

    Arguments that are bound, defaults, its attributes, values that it closes over, attributes of the object that it
    belongs to, those of classes included, its code and that of all that it uses, with constants of their modules, and,
    of a script or a notebook, all globals that it uses. ``""`` where a value has no digest, such as an open file.
    """
    return code_and_constants(function) | {name: _digest_or_none(value) for name, value in _values(function)}


def _is_of_script(code: Any) -> bool:
    return getattr(code, "__module__", "") == "__main__"


def _values(function: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(function, partial):
        yield from _values(function.func)
        yield from ((f"argument {place + 1}", value) for place, value in enumerate(function.args))
        yield from function.keywords.items()
    elif isinstance(function, MethodType):
        yield from _values(function.__func__)
        yield from _values_of_object(function.__self__)
    elif isinstance(function, FunctionType):
        parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
        yield from ((p.name, p.default) for p in parameters if p.default is not p.empty)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                yield name, cell.cell_contents
            except ValueError:  # not filled yet
                continue
        yield from ((name, value) for name, value in vars(function).items() if not name.startswith("__"))
        if _is_of_script(function):
            used = dict.fromkeys(_globals(function.__code__))
            yield from ((name, function.__globals__[name]) for name in used if name in function.__globals__)
    elif isinstance(function, _lru_cache_wrapper):  # what it has kept is no state
        yield from _values(function.__wrapped__)
    elif not isinstance(function, BuiltinFunctionType):
        yield from _values_of_object(function)


def _values_of_object(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object and of its class, or of a class and its own class."""
    if isinstance(value, type):
        yield from attributes_of_class(value)
    else:
        yield from _attributes(value)
    yield from attributes_of_class(type(value))


def _globals(code: CodeType) -> Iterator[str]:
    yield from (found.argval for found in dis.get_instructions(code) if found.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    state = _state(value)
    yield from state.items() if isinstance(state, Mapping) else [(type(value).__name__, state)]


def _state(value: Any) -> Any:
    """Return the state of an object that is nothing but its attributes; of others what they keep is not known."""
    kind = type(value)
    if any(getattr(kind, name) is not getattr(object, name) for name in _PICKLED_BY):
        return _UNKNOWN
    try:
        return value.__reduce_ex__(2)[2] or {}
    except TypeError:  # an open file, a lock
        return _UNKNOWN


def _digest_or_none(value: Any) -> str:
    try:
        return _Digests().of(value)
    except Exception:  # whatever an object of a person's own does when it is looked at
        return ""


class _Digests:
    """Digests of a value and of all that it holds."""

    def __init__(self) -> None:
        self._within: list[int] = []  # what is being looked at, each within the one before
        self._highest = 0  # of these, how far up what was looked at last refers
        self._known: dict[int, tuple[Any, str]] = {}  # with the values, whose numbers are given again otherwise
        self._n = 0

    def of(self, value: Any) -> str:
        """Return the digest of a value."""
        if id(value) in self._within:  # it holds itself, as functions that call each other do
            place = self._within.index(id(value))
            self._highest = min(self._highest, place)
            return f"^{len(self._within) - place}"
        if id(value) in self._known:
            return self._known[id(value)][1]
        self._n += callable(value)
        if len(self._within) == _DEEPEST or self._n > _MOST:
            raise RecursionError
        place = len(self._within)
        before, self._highest = self._highest, place
        self._within.append(id(value))
        parts = list(self._parts(value))
        self._within.pop()
        found = hashlib.sha256(json.dumps([type(value).__qualname__, *parts]).encode()).hexdigest()
        if self._highest >= place:  # it is the same wherever it is met
            self._known[id(value)] = value, found
        self._highest = min(before, self._highest)
        return found

    def _parts(self, value: Any) -> Iterable[Any]:
        if value is _UNKNOWN:
            raise ValueError
        if isinstance(value, _PLAIN):
            return [repr(value)]
        if isinstance(value, ModuleType):
            return [value.__name__]
        if isinstance(value, list | tuple):
            return chain(map(self.of, value), self._of_class(value))
        if isinstance(value, set | frozenset):
            return chain(sorted(map(self.of, value)), self._of_class(value))
        if isinstance(value, Mapping):
            return chain(sorted([self.of(key), self.of(item)] for key, item in value.items()), self._of_class(value))
        if isinstance(value, np.ndarray):
            held = value.tolist() if value.dtype.kind == "O" else None
            of = self.of(held) if held is not None else hashlib.sha256(value.tobytes()).hexdigest()
            return [value.dtype.str, value.shape, of]
        if isinstance(value, type):
            return [source(value), self._named(_values_of_object(value))]
        if isinstance(digest := getattr(value, "digest", None), str):  # connectomes, workflows
            return [digest]
        if hasattr(value, "model_dump_json"):  # other declarations
            return chain([value.model_dump_json()], self._of_class(value))
        if hasattr(value, "to_dict") and hasattr(value, "dims"):  # arrays of xarray
            return [self.of(value.to_dict(data="array"))]
        if isinstance(value, property):
            return [self.of([value.fget, value.fset, value.fdel])]
        if isinstance(value, classmethod | staticmethod):
            return [self.of(value.__func__)]
        if isinstance(value, cached_property):
            return [self.of(value.func)]
        if callable(value):
            return [source(value), self._named(_values(value))]
        return [source(type(value)), self.of(_state(value)), *self._of_class(value)]

    def _named(self, values: Iterable[tuple[str, Any]]) -> list[list[str]]:
        return sorted([name, self.of(value)] for name, value in values)

    def _of_class(self, value: Any) -> Iterator[Any]:
        """Yield the attributes of the class of a value, if it has any."""
        if found := self._named(attributes_of_class(type(value))):
            yield found
