"""Functions of a person's own on their way to workers, which import their modules anew, and compare what came of it."""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import cloudpickle  # type: ignore[import-untyped,unused-ignore]

from twinbrain.errors import ClusterError, FunctionWarning
from twinbrain.function_state import OWN, State, state_now
from twinbrain.functions import described
from twinbrain.language.tokens import printable
from twinbrain.run.sweep.own import OwnFunctions

_FIRST = WeakKeyDictionary[ModuleType, dict[str, str]]()


def pack(own: OwnFunctions) -> bytes:
    """Return functions as they are sent to workers: those of modules that these can import by name, others as a whole.

    Raises
    ------
    ClusterError
        If they cannot travel.
    """
    try:
        arrived: OwnFunctions = pickle.loads(cloudpickle.dumps(own))
    except Exception as error:  # whatever a function of a person's own holds, such as a lock
        raise ClusterError(
            f"expected functions that can travel to workers, found {type(error).__name__}: {error}; open what they "
            "need within them, or compute in this process, with workers = 0"
        ) from error
    states = {}
    for (key, function), (_, copy) in zip(own.each(), arrived.each(), strict=True):
        _tell_unknown(function, own.states[key])
        sent, there = state_now(function).get(OWN, {}), state_now(copy).get(OWN, {})
        # As it travels, after calls too; what travelling changes is no fault.
        states[key] = {**own.states[key], OWN: {n: d if there.get(n) == d else "" for n, d in sent.items()}}
    content: bytes = cloudpickle.dumps(replace(own, states=states))
    return content


@lru_cache(maxsize=2)
def unpack(packed: bytes) -> OwnFunctions:
    """Return the functions that a worker was sent.

    Raises
    ------
    ClusterError
        If one is another here than where the sweep is run: its modules have other files here, or what they hold was
        set anew there.
    """
    own: OwnFunctions = pickle.loads(packed)
    for key, function in own.each():
        if differing := _differing(own.states[key], _as_imported(state_now(function))):
            raise ClusterError(
                f"expected the function {described(function)['function']!r} on workers as it is where the sweep is "
                f"run, found {', '.join(map(printable, differing))} to differ: workers import modules anew; give them "
                "the same files, set what these hold in the files or hand it over as an argument, or compute in this "
                "process, with workers = 0"
            )
    return own


def _as_imported(state: State) -> State:
    """Return what functions use as it was first seen here: what changed since, functions of other sweeps have set."""
    found = dict(state)
    for module in _imported(state):
        first = _FIRST.setdefault(sys.modules[module], {})
        found[module] = {name: first.setdefault(name, digest) for name, digest in state[module].items()}
    return found


def _differing(there: State, here: State) -> list[str]:
    """Return the names of what is another here; what has no digest cannot be compared."""
    found = []
    for module in (OWN, *dict.fromkeys([*_imported(there), *_imported(here)])):
        one, other = there.get(module, {}), here.get(module, {})
        names = (name for name in {**one, **other} if "" not in (one.get(name), other.get(name)))
        found += [f"{module}.{name}".removeprefix(".") for name in names if one.get(name) != other.get(name)]
    return found


def _tell_unknown(function: Callable[..., Any], state: State) -> None:
    modules = _imported(state)
    if unknown := [f"{module}.{name}" for module in modules for name in state[module] if not state[module][name]]:
        warnings.warn(
            f"{', '.join(map(printable, unknown))}: cannot be compared with what workers import for the function "
            f"{described(function)['function']!r}; make sure that it is the same there",
            FunctionWarning,
            stacklevel=2,
        )


def _imported(state: State) -> list[str]:
    """Return the modules that workers import: others travel as a whole."""
    whole = {OWN, "__main__", *cloudpickle.list_registry_pickle_by_value()}
    return [module for module in state if module not in whole and module in sys.modules]
