"""What makes a function what it is: its text, and the values that it was given besides.

Two functions of one text compute different things where they close over different values, have other defaults, are
called with other arguments bound, or belong to other objects.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_PLAIN = (str, bytes, bool, int, float, complex, type(None), type(...), range, PurePath, Enum, np.generic)
_DEEPEST = 20
# What an object overrides that is more than its attributes.
_PICKLED_BY = ("__reduce_ex__", "__reduce__", "__getstate__")
# In place of a state that is not known, of which no digest is taken.
_UNKNOWN = object()


def source(function: Callable[..., Any]) -> dict[str, str]:
    """Return what a function is called, the name of its file and the digest of that: see `twinbrain.functions`."""
    while isinstance(function, partial):
        function = function.func
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

    Arguments that are bound, defaults, values that it closes over, attributes of the object that it belongs to and, of
    a script or a notebook, whose text as a whole is not looked at, globals that it uses. ``""`` where a value has no
    digest, such as an open file.
    """
    return {name: _digest_or_none(value) for name, value in _values(function)}


def _is_of_script(code: Any) -> bool:
    return getattr(code, "__module__", "") == "__main__"


def _values(function: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(function, partial):
        yield from _values(function.func)
        yield from ((f"argument {place + 1}", value) for place, value in enumerate(function.args))
        yield from function.keywords.items()
    elif isinstance(function, MethodType):
        yield from _values(function.__func__)
        if not isinstance(function.__self__, type):
            yield from _attributes(function.__self__)
    elif isinstance(function, FunctionType):
        parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
        yield from ((p.name, p.default) for p in parameters if p.default is not p.empty)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                yield name, cell.cell_contents
            except ValueError:  # not filled yet
                continue
        if _is_of_script(function):
            used = dict.fromkeys(_globals(function.__code__))
            yield from ((name, function.__globals__[name]) for name in used if name in function.__globals__)
    elif not isinstance(function, type | BuiltinFunctionType):
        yield from _attributes(function)


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
        return _digest(value, ())
    except Exception:  # whatever an object of a person's own does when it is looked at
        return ""


def _digest(value: Any, within: tuple[int, ...]) -> str:
    """Return the digest of a value, which holds what it is within ``within``."""
    if id(value) in within:  # it holds itself, as functions that call each other do
        return f"^{len(within) - within.index(id(value))}"
    if len(within) == _DEEPEST:
        raise RecursionError
    within = (*within, id(value))
    parts = _parts(value, within)
    return hashlib.sha256(json.dumps([type(value).__qualname__, *parts]).encode()).hexdigest()


def _parts(value: Any, within: tuple[int, ...]) -> Iterable[Any]:
    if value is _UNKNOWN:
        raise ValueError
    if isinstance(value, _PLAIN):
        return [repr(value)]
    if isinstance(value, ModuleType):
        return [value.__name__]
    if isinstance(value, list | tuple):
        return [_digest(item, within) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_digest(item, within) for item in value)
    if isinstance(value, Mapping):
        return sorted([_digest(key, within), _digest(item, within)] for key, item in value.items())
    if isinstance(value, np.ndarray):
        held = value.tolist() if value.dtype.kind == "O" else None
        of = _digest(held, within) if held is not None else hashlib.sha256(value.tobytes()).hexdigest()
        return [value.dtype.str, value.shape, of]
    if isinstance(digest := getattr(value, "digest", None), str):  # connectomes, workflows
        return [digest]
    if hasattr(value, "model_dump_json"):  # other declarations
        return [value.model_dump_json()]
    if hasattr(value, "to_dict") and hasattr(value, "dims"):  # arrays of xarray
        return [_digest(value.to_dict(data="array"), within)]
    if callable(value):
        return [source(value), sorted([name, _digest(item, within)] for name, item in _values(value))]
    return [source(type(value)), _digest(_state(value), within)]
