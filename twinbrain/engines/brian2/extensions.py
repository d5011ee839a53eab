"""Compiled code in the cache: built aside, put into place whole, and loaded only if it is still what was built."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twinbrain.cache import VARIABLE
from twinbrain.engines.brian2.toolchain import compiler_name
from twinbrain.errors import EngineError
from twinbrain.files import write_whole

# Beside each library: what it is to hold. A library that was cut short would end the process when it is used.
_DIGEST = ".sha256"
# Of what a compiler says, an error shows the end.
_LINES = 2


@contextmanager
def whole_extensions(folder: Path) -> Iterator[None]:
    """Let Brian2 build and load extensions in this way, for a time; whatever goes wrong is one error.

    Parameters
    ----------
    folder : Path
        Of the compiled code; it is made if need be.

    Raises
    ------
    EngineError
        If something cannot be compiled, or not be kept.
    """
    from brian2.codegen.runtime.cython_rt.extension_manager import cython_extension_manager as manager
    from brian2.core.base import BrianObjectException

    create, load = manager.create_extension, manager._load_module
    manager.create_extension = partial(_created, create, folder)
    manager._load_module = partial(_loaded, load)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BrianObjectException as error:  # which wraps what is raised here
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, EngineError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from cause.__cause__
    except OSError as error:  # of the folder itself
        raise EngineError(_fault(error, "", folder)) from error
    finally:
        manager.create_extension, manager._load_module = create, load


def is_whole(library: Path) -> bool:
    """Return whether a library is there, with the contents that it was put into place with."""
    try:
        return _digest_file(library).read_text(encoding="ascii") == _digest(library)
    except (OSError, ValueError):
        return False


def put_in_place(built: Path, library: Path) -> None:
    """Give a library that is done its name in the cache; other processes may do so, too."""
    digest = _digest(built)
    os.replace(built, library)
    write_whole({_digest_file(library): digest.encode()})


def _digest(library: Path) -> str:
    with library.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_file(library: Path) -> Path:
    return library.with_name(library.name + _DIGEST)


def _created(create: Callable[..., Any], folder: Path, *given: Any, **named: Any) -> Any:
    """Return what Brian2 makes of some code; if it fails, say so in one error, with the end of what compilers said."""
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            if (module := create(*given, **named)) is None:  # it would leave the code out
                raise ValueError("Cython cannot translate the code")
    except Exception as error:
        raise EngineError(_fault(error, said.getvalue(), folder)) from error
    return module


def _loaded(load: Callable[..., Any], module_path: str, *, lib_dir: str, **named: Any) -> Any:
    """Return the module of a library, which is built unless it is there and whole; None if it cannot be."""
    library = Path(module_path)
    if is_whole(library):
        return load(module_path, lib_dir=lib_dir, **named)
    before = list(sys.path)
    with TemporaryDirectory(prefix="building-", dir=lib_dir, ignore_cleanup_errors=True) as aside:
        built = Path(aside) / library.name
        try:
            module = load(str(built), lib_dir=aside, **named)
        finally:
            sys.path[:] = before
        if module is not None:
            put_in_place(built, library)
    return module


def _fault(error: Exception, said: str, folder: Path) -> str:
    lines = dict.fromkeys(line.strip() for line in said.replace(f"{folder}/", "").splitlines() if line.strip())
    reason = "; ".join([*lines][-_LINES:]) or str(error) or type(error).__name__
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(there).free / 1e6
    return (
        f"expected to compile a model with {compiler_name()} into {folder}, found: {reason}. See that the compiler "
        f"works, or name another in CXX, and that the folder ({free:,.0f} MB free) can be written, or name another in "
        f"{VARIABLE}; the engine brian2-numpy needs neither"
    )
