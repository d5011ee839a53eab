"""Digests of values of any kind, by all that they hold: the same in every process, whatever has been cached there."""

from __future__ import annotations

import copyreg
import dataclasses
import hashlib
import json
import random
import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import _lru_cache_wrapper, cached_property, partial
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

import numpy as np

from twinbrain.class_attributes import attributes_of_class, is_of_person
from twinbrain.function_code import digest_of_code, name_of_class

_PLAIN = (str, bytes, bool, int, float, complex, type(None), type(...), range, PurePath, np.generic)
_CONTAINERS = (list, tuple, set, frozenset, dict, MappingProxyType)
_MOVING = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, random.Random)
_OURS = __name__.partition(".")[0]
_FLAT = frozenset((bool, bytes, complex, float, int, str, type(None)))
_DEEPEST = 40
# Looks at one object: of those that all hold each other, there are more ways from one to another than can be gone.
_MOST = 50


class Digests:
    """Digests of values, and the functions of a person's own that were met within them.

    What libraries define is known by its name alone, and so are the globals that functions use; the latter are for
    those who ask to look at, in `functions`.

    Parameters
    ----------
    passed_over : collection of (str, str), optional
        Classes of a person's own (see `twinbrain.function_code.name_of_class`), and attributes of theirs and of their
        objects that do not count.
    """

    def __init__(self, passed_over: Collection[tuple[str, str]] = ()) -> None:
        self.functions: dict[int, FunctionType] = {}
        self.setters: set[int] = set()
        self._passed_over = passed_over
        self._within: list[int] = []  # what is being looked at, each within the one before
        self._highest = 0  # of these, how far up what was looked at last refers
        self._known: dict[int, tuple[Any, str]] = {}  # with the values, whose numbers are given again otherwise
        self._looks = Counter[int]()

    def of(self, value: Any, without: Collection[str] = ()) -> str:
        """Return the digest of a value; ``""`` where there is none, such as of an open file.

        Parameters
        ----------
        value : object
        without : collection of str, optional
            Attributes of it, or of its class, that do not count.
        """
        within, over = self._within, self._passed_over
        self._within, self._looks = [], Counter()
        if without:
            kinds = value.__mro__ if isinstance(value, type) else type(value).__mro__
            self._passed_over = {*over, *((name_of_class(kind), name) for kind in kinds for name in without)}
            self._known.clear()
        try:
            with warnings.catch_warnings(action="ignore"):  # of what libraries find wrong with being looked at
                return self._of(value)
        except Exception:  # whatever an object of a person's own does when it is looked at
            return ""
        finally:
            self._within, self._passed_over = within, over
            if without:
                self._known.clear()

    def meet(self, function: FunctionType) -> None:
        """Remember a function, if it is a person's own."""
        if is_of_person(module_of(function)):
            self.functions.setdefault(id(function), function)

    def _of(self, value: Any) -> str:
        if id(value) in self._within:  # it holds itself, as functions that call each other do
            place = self._within.index(id(value))
            self._highest = min(self._highest, place)
            return f"^{len(self._within) - place}"
        if id(value) in self._known:
            return self._known[id(value)][1]
        self._looks[id(value)] += type(value) not in _PLAIN
        if len(self._within) == _DEEPEST or self._looks[id(value)] > _MOST:
            raise RecursionError
        place = len(self._within)
        before, self._highest = self._highest, place
        self._within.append(id(value))
        parts = list(self._parts(value))
        self._within.pop()
        found = hashlib.sha256(json.dumps([type(value).__qualname__, *parts]).encode()).hexdigest()[:32]
        if self._highest >= place:  # it is the same wherever it is met
            self._known[id(value)] = value, found
        self._highest = min(before, self._highest)
        return found

    def _parts(self, value: Any) -> Iterable[Any]:
        if isinstance(value, Enum):
            return [self._of(type(value)), str(value.name or value.value)]
        if type(value) in _PLAIN or isinstance(value, PurePath | np.generic):
            return [repr(value)]
        if isinstance(value, _PLAIN):
            return [_repr(value), self._of(type(value)), self._named(_attributes(value))]
        if type(value) in _CONTAINERS or isinstance(value, set | frozenset):
            return self._contained(value)
        if isinstance(value, ModuleType):
            if is_of_person(value.__name__):
                raise ValueError("what is used of a module that is a value is not known")
            return [value.__name__]
        if isinstance(value, type):
            return self._of_class(value)
        if isinstance(value, FunctionType):
            return self._of_function(value)
        if (bound := self._bound(value)) is not None:
            return list(map(self._of, bound))
        if type(value) is np.ndarray:
            return self._of_array(value)
        return self._of_object(value)

    def _contained(self, value: Any) -> Iterable[Any]:
        if isinstance(value, set | frozenset):
            further = [] if type(value) in _CONTAINERS else [self._of(type(value)), self._named(_attributes(value))]
            return [sorted(map(self._of, value)), *further]
        if isinstance(value, list | tuple):
            if set(map(type, value)) <= _FLAT:
                return [hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()]
            return list(map(self._of, value))
        return [[self._of(key), self._of(item)] for key, item in list(value.items())]

    def _of_class(self, kind: type) -> list[Any]:
        if not is_of_person(kind.__module__):
            return [kind.__module__, kind.__qualname__]
        bases = [kind.__qualname__, *map(self._of, kind.__bases__), self._of(type(kind))]
        return [*bases, self._named(dict(attributes_of_class(kind)), kind), *self._fields(kind)]

    def _fields(self, kind: type) -> Iterator[Any]:
        """Yield what a data class holds of its fields: those with slots, or made by a function, have no attribute."""
        for field in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
            for default in (field.default, field.default_factory):
                yield [field.name, field.init, "" if default is dataclasses.MISSING else self._of(default)]
        for name, field in (getattr(kind, "model_fields", None) or {}).items():  # of pydantic
            yield [name, self._of(field.default), self._of(field.default_factory)]

    def _of_function(self, function: FunctionType) -> list[Any]:
        name = function.__qualname__
        if not is_of_person(module_of(function)) and _at(module_of(function), name) is function:
            return [module_of(function), name]
        self.meet(function)
        held = [function.__defaults__, function.__kwdefaults__, *map(_content, function.__closure__ or ())]
        return [name, digest_of_code(function.__code__), *map(self._of, held), self._named(vars(function))]

    def _bound(self, value: Any) -> list[Any] | None:
        """Return what something that can be called, or a descriptor, is made of; None of what is none of these."""
        if isinstance(value, partial):
            return [value.func, value.args, value.keywords, vars(value)]
        if isinstance(value, MethodType):
            return [value.__func__, value.__self__]
        if isinstance(value, _lru_cache_wrapper):  # what it has kept is no state
            return [value.__wrapped__]
        if isinstance(value, property):
            self.setters.add(id(value.fset))
            return [value.fget, value.fset, value.fdel]
        if isinstance(value, classmethod | staticmethod):
            return [value.__func__]
        if isinstance(value, cached_property):
            return [value.func]
        if isinstance(value, BuiltinFunctionType):
            owner = value.__self__
            return [value.__module__ if owner is None or isinstance(owner, ModuleType) else owner, value.__qualname__]
        if isinstance(value, np.vectorize):
            return [value.pyfunc, value.otypes, value.excluded, value.signature]
        if type(value).__module__.startswith("numba.") and hasattr(value, "py_func"):
            return [value.py_func, str(getattr(value, "targetoptions", ""))]
        return None

    def _of_array(self, value: np.ndarray) -> list[Any]:
        if value.dtype.names:
            return [value.dtype.str, *([name, self._of(value[name])] for name in value.dtype.names)]
        held = self._of(value.tolist()) if value.dtype.kind in "OT" else hashlib.sha256(value.tobytes()).hexdigest()
        return [value.dtype.str, value.shape, held]

    def _of_object(self, value: Any) -> Iterable[Any]:
        kind = type(value)
        if kind.__module__.partition(".")[0] == _OURS:
            if isinstance(digest := getattr(value, "digest", None), str):  # connectomes, workflows
                return [digest]
            if hasattr(value, "model_dump_json"):  # other declarations
                return [value.model_dump_json()]
        if kind.__module__.startswith("xarray."):
            return self._of_xarray(value)
        if kind.__module__.startswith("torch") and hasattr(value, "untyped_storage"):
            data = value.detach().cpu().contiguous()
            whole = data.reshape(-1).view(sys.modules["torch"].uint8).numpy()
            return [str(value.dtype), [*value.shape], value.requires_grad, self._of_array(whole)]
        if isinstance(value, np.ufunc):
            return [_module_of_ufunc(value), value.__name__]
        if isinstance(value, np.random.RandomState) and value is np.random.mtrand._rand:
            return []  # that of everybody, which distributions of scipy hold
        if kind.__module__ in ("_thread", "threading"):  # a lock holds nothing
            return []
        if isinstance(value, _MOVING) or kind.__module__.startswith("dask."):  # of dask each has a name of its own
            raise ValueError("it is another at every use")
        return self._reduced(value)

    def _of_xarray(self, value: Any) -> list[Any]:
        parts = value.variables.values() if hasattr(value, "variables") else [value]
        if not all(isinstance(getattr(part, "data", None), np.ndarray | np.generic) for part in parts):
            raise ValueError("what is not in memory is not read for this")
        return [self._of(value.to_dict(data="array"))]

    def _reduced(self, value: Any) -> list[Any]:
        """Return what an object is made again from, wherever it is copied."""
        reduce = copyreg.dispatch_table.get(type(value))
        found = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(found, str):
            return [str(getattr(value, "__module__", "")), found]
        make, arguments, state, items, pairs = (*found, None, None, None)[:5]
        states = state if isinstance(state, tuple) and len(state) == 2 else (state,)  # of slots apart
        held = [
            self._named(_not_cached(value, one), type(value)) if isinstance(one, Mapping) else self._of(one)
            for one in states
            if one is not None
        ]
        contents = [list(items or ()), [list(pair) for pair in pairs or ()]]
        if isinstance(value, np.ndarray):  # what a class of arrays adds does not travel
            held.append(self._named(_attributes(value), type(value)))
        return [self._of(make), self._of(list(arguments)), *filter(None, held), self._of(contents)]

    def _named(self, held: Mapping[str, Any], owner: type = object) -> list[list[str]]:
        """Return the digests of attributes, of an object or a class where one is given, by their names."""
        owners = [name_of_class(kind) for kind in owner.__mro__ if is_of_person(kind.__module__)]
        counted = {
            str(name): value
            for name, value in held.items()
            if not any((one, str(name).rpartition(".")[2]) in self._passed_over for one in owners)
        }
        return [[name, self._of(counted[name])] for name in sorted(counted)]


def module_of(function: FunctionType) -> str:
    """Return the module whose globals a function uses; decorators give it the name of another."""
    return str(function.__globals__.get("__name__", ""))


def _repr(value: Any) -> str:
    """Return how a number or a text is written, whatever its class makes of it."""
    plain: Any = next(kind for kind in type(value).__mro__ if kind in _PLAIN)
    return str(plain.__repr__(value))


def _attributes(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, none where its class has places for them alone."""
    held: dict[str, Any] = getattr(value, "__dict__", {})
    return held


def _not_cached(value: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes without those that are computed when they are first asked for, and kept."""
    cached = {n for kind in type(value).__mro__ for n, held in vars(kind).items() if isinstance(held, cached_property)}
    return {name: held for name, held in state.items() if name not in cached}


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return ...


def _at(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _module_of_ufunc(ufunc: np.ufunc) -> str:
    for module in ("numpy", "scipy.special"):
        if _at(module, ufunc.__name__) is ufunc:
            return module
    raise ValueError("what a function of a person's own was made into cannot be looked into")
