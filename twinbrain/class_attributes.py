"""What the classes of a person's own hold: values, methods, and those of the classes from which they inherit."""

from __future__ import annotations

import dataclasses
import sys
from collections import namedtuple
from collections.abc import Iterator
from enum import Enum
from functools import _lru_cache_wrapper, partialmethod
from pathlib import Path
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

_OURS = __name__.partition(".")[0]
# Folders of what is installed.
_INSTALLED = {"site-packages", "dist-packages"}
# Places of values that the objects hold.
_PLACES = (MemberDescriptorType, GetSetDescriptorType, type(vars(namedtuple("_Example", "x"))["x"]))
# What Python itself puts into classes, beside names between double underscores.
_OF_PYTHON = {"_abc_impl", "_is_protocol", "_is_runtime_protocol"}
_OF_NAMED_TUPLES = {*vars(namedtuple("_Example", ()))} - {"_field_defaults"}
_PYTHON = Path(dataclasses.__file__).parent
_METHODS = (FunctionType, classmethod, staticmethod, property, partialmethod, _lru_cache_wrapper)


def attributes_of_class(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of a class and of those from which it inherits, as far as these are of no library.

    Parameters
    ----------
    kind : type
        The class.

    Yields
    ------
    str, value
        ``"Class.name"``, and what the class holds there; of an enumeration its members' values. What Python makes by
        itself is left out, as are places of values that objects hold, such as slots.
    """
    names: set[str] = set()
    for owner in (one for one in kind.__mro__ if is_of_person(one.__module__)):
        name = owner.__qualname__
        while name in names:  # a class that takes the place of one from which it inherits may have its name
            name += " below"
        names.add(name)
        if issubclass(owner, Enum):
            yield from ((f"{name}.{key}", member.value) for key, member in owner.__members__.items())
            methods = ((key, value) for key, value in list(vars(owner).items()) if isinstance(value, _METHODS))
            yield from ((f"{name}.{key}", value) for key, value in methods if _counts(owner, key, value))
        else:
            held = dict(vars(owner))  # to which Python adds while it is looked at
            yield from ((f"{name}.{key}", value) for key, value in held.items() if _counts(owner, key, value))


def is_of_person(name: str) -> bool:
    """Return whether a module is a person's script or file, rather than one of Python, of a package or of ours."""
    if name == "__main__":
        return True
    if name.partition(".")[0] == _OURS:
        return False
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    if name.partition(".")[0] in sys.stdlib_module_names:  # a file of a person's own may have such a name
        return bool(file) and _PYTHON not in Path(file).parents
    return not _INSTALLED & {*Path(file).parts}


def _counts(owner: type, name: str, value: Any) -> bool:
    if isinstance(value, _PLACES) or name in _OF_PYTHON:
        return False
    if issubclass(owner, tuple) and hasattr(owner, "_fields") and name in _OF_NAMED_TUPLES:
        return False
    if not (name.startswith("__") and name.endswith("__")):
        return True
    return isinstance(value, _METHODS) and not _is_made(value)


def _is_made(method: Any) -> bool:
    """Return whether a method between double underscores was made by Python, such as those of data classes."""
    if hasattr(method, "__wrapped__"):  # what a person wrote, behind a decorator
        return False
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    return code is not None and (code.co_filename == "<string>" or Path(code.co_filename).parent == _PYTHON)
