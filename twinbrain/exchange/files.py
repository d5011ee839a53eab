"""Write files whole or not at all, and say what to install."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from twinbrain import units
from twinbrain.errors import ExchangeError, Problem
from twinbrain.exchange.written import WRITTEN, keep_digests, others_in
from twinbrain.files import FileError
from twinbrain.files.regular import check_no_url
from twinbrain.spec.suggest import listed

_STEPS = (1e-6, 1e4)
LATEST = 2.0**31
"""Where delays are cut off as they are counted, in steps: beyond all that a network takes, so that it refuses them."""


def optional(package: str) -> ModuleType:
    """Return a package of the extra ``exchange``.

    Raises
    ------
    ExchangeError
        If it is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError:
        raise ExchangeError(
            f'expected the package {package}, found none; install it: pip install "twinbrain[exchange]"'
        ) from None


def failure(where: str | Path, message: str) -> ExchangeError:
    """Return the error for one fault."""
    return ExchangeError([Problem(str(where), message)])


def is_count(value: Any) -> bool:
    """Return whether a value of a file is a whole number from 0 up, such as a seed."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < 2**63


def check_free(path: Path, *, overwrite: bool, folder: bool = False) -> None:
    """Refuse a path where something stands that may not be replaced; see `written_whole`.

    Raises
    ------
    ExchangeError
        If something does, or it is a URL.
    """
    try:
        check_no_url(path)
    except FileError as error:
        raise failure(path, str(error)) from None
    if not path.exists():
        return
    if not overwrite:
        found = "a folder" if path.is_dir() else "a file"
        hint = "choose another, or allow it to be replaced (overwrite=True, --overwrite)"
        raise failure(path, f"expected a path that is free, found {found}; {hint}")
    if path.is_dir() != folder:
        raise failure(path, f"expected a {'folder' if folder else 'file'}, found the other; choose another path")
    if folder and (others := others_in(path)):
        told = "" if (path / WRITTEN).exists() else f" and is told in {WRITTEN}"
        expected = f"expected nothing in it but what was written there before{told}, since it is replaced as a whole"
        raise failure(path, f"{expected}, found {listed(others)}; move that elsewhere, or choose another path")


def time_step(given: str | None, kept: float, where: str | Path) -> float:
    """Return the time step (ms): as given, or else what the file keeps.

    Raises
    ------
    ExchangeError
        If it is not positive, or so small or large that steps cannot be counted.
    """
    step = units.number(given, "ms") if given is not None else kept
    if not _STEPS[0] <= step <= _STEPS[1]:
        raise failure(where, f"expected a dt from {_STEPS[0]:g} to {_STEPS[1]:g} ms, found {step:g} ms; give dt")
    return step


@contextmanager
def written_whole(path: Path, *, overwrite: bool, folder: bool = False) -> Iterator[Path]:
    """Give a path beside ``path`` to write to, and put what was written in its place at the end.

    Parameters
    ----------
    path : Path
        Where the file (or folder) is to be.
    overwrite : bool
        Whether what stands there may be replaced.
    folder : bool
        Whether a folder is written. One that stands there and holds anything else than what was written there before,
        as it was written, stays as it is.

    Raises
    ------
    ExchangeError
        If something stands there already, or it cannot be written; nothing is left behind then.
    """
    check_free(path, overwrite=overwrite, folder=folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise failure(
            path, f"expected a path that can be written: {getattr(error, 'strerror', None) or error}"
        ) from None
    part, before = beside / path.name, beside / f"_{path.name}"
    try:
        if folder:
            part.mkdir()
        yield part
        if folder:
            keep_digests(part)
        check_free(path, overwrite=overwrite, folder=folder)  # a person may have put something there meanwhile
        if folder and path.exists():
            path.rename(before)
        part.replace(path)
    except OSError as error:
        raise failure(path, f"expected a path that can be written: {error.strerror or error}") from None
    finally:
        if before.exists() and part.exists():  # what was to take its place has not
            _put_back(before, path)
        shutil.rmtree(beside, ignore_errors=True)


def _put_back(before: Path, path: Path) -> None:
    try:
        before.rename(path)
    except OSError as error:
        reason = error.strerror or error
        raise failure(path, f"expected to put back what stood here, which is now {before}: {reason}; move it") from None
