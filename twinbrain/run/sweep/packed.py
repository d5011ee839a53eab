"""Functions of a person's own on their way to workers: as they are where a sweep is run, not as files say elsewhere."""

from __future__ import annotations

import inspect
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from threading import Lock
from types import ModuleType
from typing import Any

import cloudpickle  # type: ignore[import-untyped,unused-ignore]

from twinbrain.class_attributes import is_of_person
from twinbrain.errors import ClusterError, FunctionWarning
from twinbrain.functions import Description, described
from twinbrain.run.sweep.own import OwnFunctions

_packing = Lock()


@dataclass(frozen=True)
class PackedFunctions:
    """Functions as they travel.

    Parameters
    ----------
    content : bytes
        With the person's own modules that they use, and what these held when it was packed; what is installed goes by
        its name.
    descriptions : str
        What is told of each, as JSON, to compare those with that go by their name.
    """

    content: bytes
    descriptions: str


def pack(own: OwnFunctions) -> PackedFunctions:
    """Return functions as they are now, for workers which may have other files, or none.

    Raises
    ------
    ClusterError
        If they cannot travel.
    """
    descriptions = json.dumps([described(function) for function in _functions(own)])
    try:
        with _modules_of_person_by_value():
            return PackedFunctions(cloudpickle.dumps(own), descriptions)
    except Exception as error:  # whatever a module of a person's own holds, such as a lock
        unfit = error
    try:
        by_name = PackedFunctions(cloudpickle.dumps(own), descriptions)
    except Exception as error:
        raise ClusterError(
            f"expected functions that can travel to workers, found {type(error).__name__}: {error}; open what they "
            "need within them, or compute in this process, with workers = 0"
        ) from error
    warnings.warn(
        f"functions of your own go to workers by their names ({type(unfit).__name__}: {unfit}), which import their "
        "modules anew: what you have changed in these since they were imported counts in this process alone",
        FunctionWarning,
        stacklevel=2,
    )
    return by_name


@lru_cache(maxsize=2)
def unpack(packed: PackedFunctions) -> OwnFunctions:
    """Return the functions that a worker was sent.

    Raises
    ------
    ClusterError
        If one of them goes by its name, and is another one here.
    """
    own: OwnFunctions = pickle.loads(packed.content)
    sent: list[Description] = json.loads(packed.descriptions)
    for function, there in zip(_functions(own), sent, strict=True):
        if _is_imported(function) and (here := described(function)) != there:
            what = there if here["function"] == there["function"] else here
            raise ClusterError(
                f"expected the function {there['function']!r} of {what['file'] or 'no file'} on workers as it is where "
                "the sweep is run, found another; give both the same version of it"
            )
    return own


def _functions(own: OwnFunctions) -> Iterator[Callable[..., Any]]:
    yield from own.reductions.values()
    yield from own.tasks.values()


@contextmanager
def _modules_of_person_by_value() -> Iterator[None]:
    """Let modules of a person's own travel whole, and functions and classes that they define, with what these use."""
    with _packing:
        known = cloudpickle.list_registry_pickle_by_value()
        added = [sys.modules[name] for name in list(sys.modules) if name not in known and _is_text_of_person(name)]
        for module in added:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in added:
                cloudpickle.unregister_pickle_by_value(module)


def _is_text_of_person(name: str) -> bool:
    """Return whether a module was made of Python's text, and is not installed; scripts travel whole as they are."""
    module = sys.modules[name]
    file = getattr(module, "__file__", None)
    if not isinstance(module, ModuleType) or module.__name__ != name or name == "__main__":
        return False
    return isinstance(file, str) and file.endswith(".py") and is_of_person(name)


def _is_imported(function: Any) -> bool:
    """Return whether a function is one of a module of this process, rather than one that came as it was elsewhere."""
    while isinstance(function, partial):
        function = function.func
    function = getattr(function, "__func__", function)
    code = function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
    found: Any = sys.modules.get(getattr(code, "__module__", None) or "")
    for part in getattr(code, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is code
