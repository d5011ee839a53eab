"""Functions of a person's own: loaded where that person names them, and described, never named, in what is kept.

Files and stores name tasks and reductions, and names resolve in closed registries. Code is run only where a person
names its file on the command line, or passes the function in Python. A store keeps what such a function was called and
the digest of its file; whoever goes on with the store gives the function again, and it is compared.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twinbrain.beside import import_file
from twinbrain.errors import Problem, SpecError
from twinbrain.language.tokens import printable
from twinbrain.paths import user_path

Description = dict[str, str]
"""What a function is called (``function``), the name of its ``file``, and the ``sha256`` of that file."""


def function_of(text: str, option: str) -> Callable[..., Any]:
    """Return the function that a person names on the command line; its file or module is run for it.

    Parameters
    ----------
    text : str
        ``"file.py:function"``, or ``"module:function"`` of an installed module.
    option : str
        The option of the command line, for errors.

    Raises
    ------
    SpecError
        If there is none.
    """
    where, _, name = text.rpartition(":")
    try:
        module = import_file(user_path(where)) if where.endswith(".py") else importlib.import_module(where)
        found = getattr(module, name)
    except (ImportError, AttributeError, OSError, SyntaxError, ValueError) as error:
        hint = (
            "" if where.endswith(".py") or "/" in where else f"; a file in this folder is {where or 'file'}.py:{name}"
        )
        message = f"expected file.py:function or module:function, found {text!r}: {error}{hint}"
        raise SpecError([Problem(option, message)]) from None
    if not callable(found):
        message = f"expected a function, found {text!r}, which is of type {type(found).__name__}"
        raise SpecError([Problem(option, message)])
    function: Callable[..., Any] = found
    return function


def described(function: Callable[..., Any]) -> Description:
    """Return what a store keeps of a function.

    The digest is that of its file; in a script or a notebook, which change for other reasons, that of the function's
    own text. It is empty where there is no text.
    """
    while isinstance(function, partial):
        function = function.func
    code = function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
    name = getattr(code, "__qualname__", "")
    try:
        file = inspect.getsourcefile(code)
        if file is not None and getattr(code, "__module__", "") != "__main__" and Path(file).is_file():
            content = Path(file).read_bytes()
            return {"function": name, "file": Path(file).name, "sha256": hashlib.sha256(content).hexdigest()}
        text = inspect.getsource(code).encode()
    except (OSError, TypeError):
        return {"function": name, "file": "", "sha256": ""}
    return {"function": name, "file": "", "sha256": hashlib.sha256(text).hexdigest()}


def check_functions(
    kept: Mapping[str, Description], given: Mapping[str, Callable[..., Any]], option: str, where: str
) -> None:
    """Check that the functions are given with which something that is kept was begun.

    Parameters
    ----------
    kept : mapping of str to Description
        What the store says of each, by name.
    given : mapping of str to callable
        What a person has given, by name.
    option : str
        The option of the command line by which such functions are given.
    where : str
        The store, for errors.

    Raises
    ------
    SpecError
        If one is missing or is another, or is given where none was.
    """
    problems = []
    for name, description in kept.items():
        file = printable(Path(description.get("file", "")).name) or "file.py"
        how = f"give it with {option} {shlex.quote(f'{file}:{printable(name)}')}, or pass the function in Python"
        if name not in given:
            message = f"expected the function {name!r} with which this was begun, found none; no store is run: {how}"
            problems.append(Problem(where, message))
            continue
        before, now = description.get("sha256", ""), described(given[name])["sha256"]
        if before and now and before != now:
            message = (
                f"expected the function {name!r} as it was when this was begun "
                f"(sha256 of {file}: {printable(before[:16])}…), "
                f"found another ({now[:16]}…); {how} as it was, or begin anew"
            )
            problems.append(Problem(where, message))
    for name in [name for name in given if name not in kept]:
        message = f"expected no function {name!r}, with which this was not begun; leave it out, or begin anew"
        problems.append(Problem(where, message))
    if problems:
        raise SpecError(problems)
