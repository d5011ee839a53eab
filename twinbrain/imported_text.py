"""Whether the file of a function still says what Python made the function of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any


def file_that_changed(function: Callable[..., Any], loaders: Collection[type]) -> str:
    """Return the file of a function's module if it says something else than when it was imported, else ``""``.

    What functions and methods of the module do is compared, and where in the file it stands.

    Parameters
    ----------
    function : callable
    loaders : collection of type
        Those that compile a text as it stands; others, such as that of pytest, add something to it.
    """
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(getattr(function, "__func__", function))
    named = inspect.isroutine(function) or inspect.isclass(function)
    module = inspect.getmodule(function if named else type(function))
    file = getattr(module, "__file__", None)
    if module is None or module.__name__ == "__main__" or type(getattr(module, "__loader__", None)) not in loaders:
        return ""
    try:
        text = compile(Path(str(file)).read_bytes(), str(file), "exec", dont_inherit=True)
    except OSError:
        return ""
    except (SyntaxError, ValueError):
        return str(file)
    now = {*_codes(text)}
    made = {code for value in list(vars(module).values()) for code in _codes_of(value, module.__name__, str(file))}
    return "" if made <= now else str(file)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _codes_of(value: Any, module: str, file: str) -> Iterator[CodeType]:
    """Yield what a function, or the methods of a class, of a module were compiled to from its file."""
    if getattr(value, "__module__", None) != module:
        return
    for one in vars(value).values() if isinstance(value, type) else [value]:
        one = getattr(one, "__func__", one)
        if isinstance(one, FunctionType) and one.__code__.co_filename == file:
            yield one.__code__
