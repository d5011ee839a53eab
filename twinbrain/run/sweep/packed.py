"""Functions of a person's own on their way to workers, which import their modules anew, and compare what came of it."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cloudpickle  # type: ignore[import-untyped,unused-ignore]

from twinbrain.errors import ClusterError
from twinbrain.function_code import CODE, by_module
from twinbrain.functions import described
from twinbrain.run.sweep.own import OwnFunctions


@dataclass(frozen=True)
class PackedFunctions:
    """Functions as they travel.

    Parameters
    ----------
    content : bytes
        Those of modules that can be imported by their names, others as a whole.
    states : str
        What each is where the sweep is run, as JSON; see `twinbrain.function_code.by_module`.
    """

    content: bytes
    states: str


def pack(own: OwnFunctions) -> PackedFunctions:
    """Return functions as they are sent to workers.

    Raises
    ------
    ClusterError
        If they cannot travel.
    """
    try:
        content = cloudpickle.dumps(own)
    except Exception as error:  # whatever a function of a person's own holds, such as a lock
        raise ClusterError(
            f"expected functions that can travel to workers, found {type(error).__name__}: {error}; open what they "
            "need within them, or compute in this process, with workers = 0"
        ) from error
    return PackedFunctions(content, json.dumps([by_module(function) for function in _functions(own)]))


@lru_cache(maxsize=2)
def unpack(packed: PackedFunctions) -> OwnFunctions:
    """Return the functions that a worker was sent.

    Raises
    ------
    ClusterError
        If one is another here than where the sweep is run: its modules have other files here, or what they hold was
        set anew there.
    """
    own: OwnFunctions = pickle.loads(packed.content)
    for function, sent in zip(_functions(own), json.loads(packed.states), strict=True):
        for module, here in by_module(function).items():
            there = sent.get(module, {})
            if module == "__main__" or module not in sys.modules:
                continue  # it travelled as a whole
            if other := [name for name in there if here.get(name) != there[name]]:
                what = "the text" if other == [CODE] else ", ".join(other)
                raise ClusterError(
                    f"expected the function {described(function)['function']!r} on workers as it is where the sweep is "
                    f"run, found {what} of {module} to differ: workers import modules anew; give them the same files, "
                    "set what these hold in the files or hand it over as an argument, or compute in this process, with "
                    "workers = 0"
                )
    return own


def _functions(own: OwnFunctions) -> Iterator[Callable[..., Any]]:
    yield from own.reductions.values()
    yield from own.tasks.values()
