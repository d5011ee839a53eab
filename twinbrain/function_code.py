"""What a function is, wherever its text lies: what it and all that it uses of a person's own were compiled to.

Files may have changed since Python imported them, on this machine and on others; functions that are there have not.
"""

from __future__ import annotations

import dis
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from twinbrain.class_attributes import attributes_of_class, is_of_person

CODE = "its code"
"""Name of the digest of the code of a function, and of all that it uses."""
_MOST = 10_000  # functions, classes and containers that are looked at
_LARGEST = 1_000_000  # numbers of an array that is a constant
_PLAIN = (str, bytes, bool, int, float, complex, type(None), type(...), range, np.generic)
# Where what is wrapped lies: of decorators, partial functions, methods, properties, and functions of numba.
_WITHIN = ("__wrapped__", "__func__", "func", "py_func", "fget", "fset", "fdel", "args", "keywords")


def code_and_constants(function: Any) -> dict[str, str]:
    """Return digests of the code that a function reaches, under `CODE`, and of each constant that it uses.

    What it reaches are functions and classes of a person's own, in its module and others, also behind decorators and in
    tables of functions; constants are numbers, texts and arrays which their modules and classes hold, and which no
    function or method sets. What libraries hold is not looked at, nor lists and dicts, which many a function fills, nor
    what a function imports when it is called, which may not be there yet, nor names of what lies beside a file.

    Parameters
    ----------
    function : callable
    """
    codes, constants = _reached(function)
    together: dict[str, set[str]] = {}
    for held in constants.values():
        for name, digest in held.items():
            together.setdefault(name, set()).add(digest)  # modules may have names in common
    digests = {name: _digest(sorted(together[name])) for name in sorted(together)}
    return ({CODE: _digest(sorted(set().union(*codes.values())))} if codes else {}) | digests


def by_module(function: Any) -> dict[str, dict[str, str]]:
    """Return what `code_and_constants` does, of each module apart, by its name."""
    codes, constants = _reached(function)
    return {
        module: ({CODE: _digest(sorted(codes[module]))} if module in codes else {}) | constants.get(module, {})
        for module in sorted({*codes, *constants})
    }


def _reached(function: Any) -> tuple[dict[str, set[tuple[str, str]]], dict[str, dict[str, str]]]:
    codes: dict[str, set[tuple[str, str]]] = {}
    constants: dict[str, dict[str, str]] = {}
    waiting, seen = [function], dict[int, Any]()
    while waiting and len(seen) < _MOST:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # kept, so that no other gets its number
        if isinstance(value, FunctionType) and is_of_person(module := _module_of(value)):
            codes.setdefault(module, set()).add((value.__qualname__, _digest_of_code(value.__code__)))
        for module, name, inner in _used(value):
            if _is_constant(inner):
                constants.setdefault(module, {})[name] = _digest(_written(inner))
            else:
                waiting.append(inner)
    return codes, constants


def _used(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield what a value uses, by modules and names; what is no constant is looked at in its turn."""
    if isinstance(value, type):
        held = dict(attributes_of_class(value))
        counts = _set_by(held.values(), "STORE_ATTR")
        kept = ((name, item) for name, item in held.items() if name.rpartition(".")[2] not in counts)
        yield from ((value.__module__, name, item) for name, item in kept)
    elif isinstance(value, Mapping):
        yield from (("", "", item) for item in list(value.values()) if callable(item))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (("", "", item) for item in list(value) if callable(item))
    elif not isinstance(value, ModuleType):
        within = [_attribute(value, name) for name in _WITHIN]
        yield from (("", "", inner) for inner in (*within, type(value)) if _leads_on(inner))
    if isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # not filled yet
                continue
            yield from [("", "", held)] if _leads_on(held) else ()
        if is_of_person(_module_of(value)):
            yield from _globals_used(value)


def _globals_used(function: FunctionType) -> Iterator[tuple[str, str, Any]]:
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    held, known = _held(function.__globals__, names), set[int]()
    while held:
        module, name, value = held.pop()
        if not isinstance(value, ModuleType):
            yield module, name, value
        elif is_of_person(value.__name__) and id(value) not in known:  # of which it uses what its code names
            known.add(id(value))
            held += _held(vars(value), names)


def _held(module: Mapping[str, Any], names: set[str]) -> list[tuple[str, str, Any]]:
    """Return what a module holds under some names; of constants not what Python and functions put there."""
    found = [name for name in names if name in module and not (name.startswith("__") and name.endswith("__"))]
    constants = [name for name in found if _is_constant(module[name])]
    put = _set_by(list(module.values()), "STORE_GLOBAL") if constants else set()
    if folder := os.path.dirname(str(module.get("__file__") or "")):
        put |= {n for n in constants if isinstance(module[n], str) and module[n].startswith(folder)}
    where = str(module.get("__name__", ""))
    return [(where, name, module[name]) for name in found if name not in constants or name not in put]


def _set_by(values: Iterable[Any], how: str) -> set[str]:
    """Return what functions and methods set, such as a count of calls: these are no constants."""
    return {name for value in values for one in _functions_in(value) for name in _stored(one.__code__, how)}


@lru_cache(10_000)
def _stored(code: CodeType, how: str) -> frozenset[str]:
    found = (each for part in _codes(code) for each in dis.get_instructions(part))
    return frozenset(each.argval for each in found if each.opname == how)


def _functions_in(value: Any) -> Iterator[FunctionType]:
    """Yield a function, that which a decorator or a descriptor holds, or those of a class of a person's own."""
    held = vars(value).values() if isinstance(value, type) and is_of_person(value.__module__) else [value]
    for one in list(held):
        within = [_attribute(one, name) for name in _WITHIN]
        yield from (each for each in (one, *within) if isinstance(each, FunctionType))


def _leads_on(value: Any) -> bool:
    return not _is_constant(value) and not isinstance(value, np.ndarray)


def _attribute(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:  # whatever an object of a person's own does when it is asked
        return None


def _module_of(function: FunctionType) -> str:
    """Return the module whose globals a function uses; decorators give it the name of another."""
    return str(function.__globals__.get("__name__", ""))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _digest_of_code(code: CodeType) -> str:
    """Return the digest of what is computed, without where its text stands."""
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    constants = [_digest_of_code(one) if isinstance(one, CodeType) else _written(one) for one in code.co_consts]
    arguments = [code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags]
    return _digest([code.co_code.hex(), code.co_exceptiontable.hex(), names, constants, arguments])


def _is_constant(value: Any) -> bool:
    if type(value) in (tuple, frozenset):
        return all(map(_is_constant, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufcSUmM" and value.size <= _LARGEST
    return isinstance(value, (*_PLAIN, Enum))


def _written(value: Any) -> str:
    """Return a constant as text that is the same in every process."""
    if isinstance(value, tuple):
        return f"({','.join(map(_written, value))})"
    if isinstance(value, frozenset):
        return f"{{{','.join(sorted(map(_written, value)))}}}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    return f"{type(value).__name__} {value!r}"


def _digest(parts: Iterable[Any]) -> str:
    return hashlib.sha256(json.dumps(parts if isinstance(parts, str) else list(parts)).encode()).hexdigest()
