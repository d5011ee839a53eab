"""Functions of a person's own: loaded where that person names them, and described, never named, in what is kept.

Files and stores name tasks and reductions, and names resolve in closed registries. Code is run only where a person
names its file on the command line, or passes the function in Python. A store keeps what such a function was called and
the digest of its file; whoever goes on with the store gives the function again, and it is compared.
"""

from __future__ import annotations

import importlib
import inspect
import json
import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any

from twinbrain.beside import import_file
from twinbrain.errors import FunctionWarning, Problem, SpecError, TwinbrainError
from twinbrain.function_state import State, given, source, state_of
from twinbrain.language.tokens import printable
from twinbrain.paths import user_path

Description = dict[str, str]
"""What a function is called (``function``), the name of its ``file``, the ``sha256`` of that file, and digests of what
it was ``given``, as JSON."""


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
        with ending_refused(where):
            module = import_file(user_path(where)) if where.endswith(".py") else importlib.import_module(where)
        found = getattr(module, name)
    except (ImportError, AttributeError, OSError, SyntaxError, ValueError) as error:
        hint = (
            "" if where.endswith(".py") or "/" in where else f"; a file in this folder is {where or 'file'}.py:{name}"
        )
        message = f"expected file.py:function or module:function, found {text!r}: {error}{hint}"
        raise SpecError([Problem(option, message)]) from None
    except TwinbrainError:
        raise
    except Exception as error:  # whatever the file does when it is run
        frame = extract_tb(error.__traceback__)[-1]
        message = (
            f"expected a file that can be run, found {text!r}: {type(error).__name__}: {error} "
            f"({frame.filename}:{frame.lineno}); correct it"
        )
        raise SpecError([Problem(option, message)]) from error
    if not callable(found):
        message = f"expected a function, found {text!r}, which is of type {type(found).__name__}"
        raise SpecError([Problem(option, message)])
    function: Callable[..., Any] = found
    return function


@contextmanager
def ending_refused(what: str) -> Iterator[None]:
    """Make an error of what a function of a person's own raises to end the process, as ``sys.exit`` does.

    Parameters
    ----------
    what : str
        The function or file.

    Raises
    ------
    RuntimeError
        In its place, from where it was raised; Ctrl-C alone ends what was begun.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        message = f"{what} ends the process ({type(error).__name__}: {error}); let it return or raise an Exception"
        raise RuntimeError(message).with_traceback(error.__traceback__) from error


def described(function: Callable[..., Any], state: State | None = None) -> Description:
    """Return what a store keeps of a function.

    The digest is that of its file; in a script or a notebook, which change for other reasons, that of the function's
    own text. It is empty where there is no text. What it was given besides, and all that it uses, is digested value by
    value.

    Parameters
    ----------
    function : callable
    state : State, optional
        What it was before it was called; by default what it is now.
    """
    values = given(state_of(function) if state is None else state)
    return source(function) | ({"given": json.dumps(values)} if values else {})


def check_functions(
    kept: Mapping[str, Description],
    functions: Mapping[str, Callable[..., Any]],
    option: str,
    where: str,
    states: Mapping[str, State] | None = None,
) -> None:
    """Check that the functions are given with which something that is kept was begun.

    Parameters
    ----------
    kept : mapping of str to Description
        What the store says of each, by name.
    functions : mapping of str to callable
        What a person has given, by name.
    option : str
        The option of the command line by which such functions are given.
    where : str
        The store, for errors.
    states : mapping of str to State, optional
        What each was before it was called, by name; by default what it is now.

    Raises
    ------
    SpecError
        If one is missing or is another, or is given where none was.
    """
    problems = []
    for name, description in kept.items():
        file = printable(Path(description.get("file", "")).name) or "file.py"
        how = f"give it with {option} {shlex.quote(f'{file}:{printable(name)}')}, or pass the function in Python"
        if name not in functions:
            message = f"expected the function {name!r} with which this was begun, found none; no store is run: {how}"
            problems.append(Problem(where, message))
            continue
        now = described(functions[name], (states or {}).get(name))
        before = description.get("sha256", "")
        change, unknown = _compared(description, now, has_text=not inspect.isbuiltin(functions[name]))
        if change:
            message = (
                f"expected the function {name!r} as it was when this was begun "
                f"(sha256 of {file}: {printable(before[:16])}…), "
                f"found another ({change}); {how} as it was, or begin anew"
            )
            problems.append(Problem(where, message))
        elif unknown:
            warnings.warn(
                f"{where}: {unknown} of the function {name!r} cannot be compared with what this was begun with; make "
                "sure that it is the same",
                FunctionWarning,
                stacklevel=2,
            )
    for name in [name for name in functions if name not in kept]:
        message = f"expected no function {name!r}, with which this was not begun; leave it out, or begin anew"
        problems.append(Problem(where, message))
    if problems:
        raise SpecError(problems)


def _compared(before: Description, now: Description, has_text: bool) -> tuple[str, str]:
    """Return what differs between two descriptions, and what of them cannot be compared (``""``: nothing).

    ``has_text`` tells that the function should have a text, unlike those that are built in.
    """
    if before.get("sha256") != now["sha256"] and before.get("sha256") and now["sha256"]:
        return f"{now['sha256'][:16]}…", ""
    if before.get("function") != now["function"]:
        return f"it is called {now['function']}", ""
    known, found = (_values(description) for description in (before, now))
    names = [*dict.fromkeys([*known, *found])]
    if other := [name for name in names if known.get(name) != found.get(name)]:
        return f"{', '.join(map(printable, other))} differs", ""
    unknown = [name for name in names if not known[name]]
    return "", ", ".join(["the text"] * (has_text and not now["sha256"]) + unknown)


def _values(description: Description) -> dict[str, str]:
    """Return the digests of what a function was given; a store may say anything."""
    try:
        found = json.loads(description.get("given", "{}"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
