"""What the code of a function says: the digest of it, which globals it uses, and what it sets.

Code as it was compiled, and not its text: files may have changed since Python imported them.
"""

from __future__ import annotations

import dis
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

# Methods that change what they belong to.
_CHANGING = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "fill", "insert", "itemset", "pop", "popitem"),
    *("popleft", "put", "remove", "resize", "setdefault", "sort", "update"),
}
# Methods that make an object what it is.
_MAKING = frozenset(("__init__", "__init_subclass__", "__new__", "__post_init__", "__set_name__", "__setstate__"))
# Methods by which a person sets something.
_SETTING = frozenset(("__delattr__", "__delete__", "__delitem__", "__set__", "__setattr__", "__setitem__"))
# Instructions that put nothing upon the stack.
_WITHOUT_RESULT = (
    *("CACHE", "COPY_FREE_VARS", "DELETE", "DICT", "END", "EXTENDED_ARG", "JUMP", "KW_NAMES", "LIST_APPEND"),
    *("LIST_EXTEND", "MAKE_CELL", "MAP_ADD", "NOP", "NOT_TAKEN", "POP", "PRECALL", "RAISE", "RERAISE", "RESUME"),
    *("RETURN", "SET_ADD", "SET_UPDATE", "STORE"),
)
_NULL_FIRST = sys.version_info < (3, 13)  # whether Python puts its mark of a call before the function that is called


@dataclass(frozen=True)
class Origin:
    """Where a value on the stack of Python comes from.

    Parameters
    ----------
    name : str
        The global that it is, or is part of; ``""`` for the object to which a method belongs.
    attribute : str
        The attribute of it, the last where there are several; ``""`` for the value itself.
    """

    name: str
    attribute: str = ""


@dataclass(frozen=True)
class Stored:
    """What functions set, such as counts of calls and what they keep for the next: state that is none of theirs.

    Parameters
    ----------
    names : frozenset of (str, str)
        Modules, and globals of them that are set.
    filled : frozenset of (str, str)
        The same of tables, lists and the like in which something is put.
    attributes : frozenset of (str, str, str)
        The same of objects, classes and modules, with the attribute of them that is set.
    own : frozenset of (str, str)
        Classes, as `name_of_class` names them, and attributes of their objects that their methods set.
    """

    names: frozenset[tuple[str, str]] = frozenset()
    filled: frozenset[tuple[str, str]] = frozenset()
    attributes: frozenset[tuple[str, str, str]] = frozenset()
    own: frozenset[tuple[str, str]] = frozenset()


def name_of_class(kind: type) -> str:
    """Return the name of a class with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def digest_of_code(code: CodeType) -> str:
    """Return the digest of what is computed, without where its text stands."""
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    arguments = [code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags]
    parts = [code.co_code.hex(), code.co_exceptiontable.hex(), names, [*map(_written, code.co_consts)], arguments]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@lru_cache(10_000)
def globals_of(code: CodeType) -> tuple[str, ...]:
    """Return the globals that a function uses, in the order of its code; each once."""
    loaded = (found.argval for found in _instructions(code) if found.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return tuple(dict.fromkeys(loaded))


@lru_cache(10_000)
def attributes_of_code(code: CodeType) -> frozenset[str]:
    """Return every name that a function uses of something else."""
    loads = ("LOAD_ATTR", "LOAD_METHOD")
    return frozenset(found.argval for found in _instructions(code) if found.opname in loads)


def stored_by(functions: Iterable[FunctionType]) -> Stored:
    """Return what some functions set, of those that use each other."""
    names, filled = set[tuple[str, str]](), set[tuple[str, str]]()
    attributes, own = set[tuple[str, str, str]](), set[tuple[str, str]]()
    for function in _called(list(functions)):
        module, owner = str(function.__globals__.get("__name__", "")), _owner(function)
        for code in _codes(function.__code__):
            for how, origin in _stored(code, bool(owner)):
                if not origin.name and owner:
                    own.add((f"{function.__module__}.{owner}", origin.attribute))
                elif origin.attribute:
                    attributes.add((module, origin.name, origin.attribute))
                elif origin.name:
                    (names if how == "set" else filled).add((module, origin.name))
    return Stored(frozenset(names), frozenset(filled), frozenset(attributes), frozenset(own))


def _owner(function: FunctionType) -> str:
    """Return the class of a method, by its name; ``""`` of other functions."""
    owner = function.__qualname__.rpartition(".")[0]
    return "" if owner.endswith("<locals>") else owner


def _called(functions: list[FunctionType]) -> list[FunctionType]:
    """Return functions that are called while others compute: methods that set what a person asks for are not."""
    waiting = [one for one in functions if _owner(one) and one.__name__ not in _MAKING | _SETTING]
    called = [one for one in functions if not _owner(one)]
    while True:
        used = {name for one in called for name in (*globals_of(one.__code__), *attributes_of_code(one.__code__))}
        more = [one for one in waiting if one.__name__ in used or one.__name__.startswith("__")]
        if not more:
            return called
        called += more
        waiting = [one for one in waiting if one not in more]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function, and that of all that it defines."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _instructions(code: CodeType) -> Iterator[dis.Instruction]:
    for part in _codes(code):
        yield from dis.get_instructions(part)


def _written(constant: Any) -> str:
    """Return a constant of code as text that is the same in every process."""
    if isinstance(constant, CodeType):
        return digest_of_code(constant)
    if isinstance(constant, tuple):
        return f"({','.join(map(_written, constant))})"
    if isinstance(constant, frozenset):
        return f"{{{','.join(sorted(map(_written, constant)))}}}"
    return f"{type(constant).__name__} {constant!r}"


@lru_cache(10_000)
def _stored(code: CodeType, is_method: bool) -> frozenset[tuple[str, Origin]]:
    """Return what code sets, or fills, as far as it comes from globals or the object of a method.

    Follows what stands on Python's stack from one instruction to the next, as if nothing was skipped or repeated.
    """
    found = set[tuple[str, Origin]]()
    variables: dict[str, Origin | None] = {code.co_varnames[0]: Origin("")} if is_method and code.co_argcount else {}
    stack: list[Origin | None] = []

    def held(depth: int) -> Origin | None:
        return stack[-depth] if len(stack) >= depth else None

    def note(how: str, origin: Origin | None) -> None:
        if origin is not None:
            found.add((how, origin))

    for one in dis.get_instructions(code):
        name, argument, top = one.opname, one.argval, held(1)
        effect = dis.stack_effect(one.opcode, one.arg, jump=False)
        if name == "STORE_GLOBAL":
            note("set", Origin(argument))
        elif name == "STORE_ATTR":
            note("set", top and Origin(top.name, argument))
        elif name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"):
            note("filled", held(3 if name == "STORE_SLICE" else 2))
        elif name in ("LOAD_ATTR", "LOAD_METHOD") and argument in _CHANGING:
            note("filled", top)
        if name == "LOAD_GLOBAL":
            marks: list[Origin | None] = [None] * (effect - 1)
            stack += [*marks, Origin(argument)] if _NULL_FIRST else [Origin(argument), *marks]
        elif name.startswith("LOAD_FAST") and isinstance(argument, str):
            stack.append(variables.get(argument))
        elif name in ("LOAD_ATTR", "LOAD_METHOD") and stack:
            stack[-1] = top and Origin(top.name, argument)
            stack += [None] * effect
        elif name == "COPY":
            stack.append(held(argument))
        elif name == "SWAP" and len(stack) >= argument:
            stack[-1], stack[-argument] = stack[-argument], stack[-1]
        else:
            if name == "STORE_FAST":
                variables[argument] = top
            stack = stack[:effect] if effect < 0 else stack + [None] * effect
            if stack and not name.startswith(_WITHOUT_RESULT):
                stack[-1] = None  # what is made of something is another thing
    return frozenset(found)
