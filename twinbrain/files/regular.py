"""Regular files of bounded size: what is a device, a pipe or far too large is refused before it is read."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinbrain.errors import TwinbrainError
from twinbrain.paths import url_in, user_path

MB = 1_000_000
VARIABLE = "TWINBRAIN_LARGEST_FILE"
"""Environment variable that raises every limit here, such as ``"8 GB"``."""

_PIECE = 1 << 22
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class FileError(TwinbrainError, ValueError):
    """A file that is not regular, too large, or damaged; the message leaves it to the reader to name the file."""


def largest(limit: int) -> int:
    """Return a limit in bytes, or what the environment variable `VARIABLE` says where that is more.

    Raises
    ------
    FileError
        If the variable is set to something that is no amount.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return limit
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([kMGT]?)B\s*", text, flags=re.ASCII)
    if match is None:
        raise FileError(f'{VARIABLE}: expected an amount such as "8 GB", found {text!r}')
    unit: int = 1000 ** " kMGT".index(match[2] or " ")
    return max(limit, round(float(match[1]) * unit))


def check_size(n_bytes: int, limit: int, what: str) -> None:
    """Refuse what is larger than a limit.

    Parameters
    ----------
    n_bytes, limit : int
        Size, and what is allowed.
    what : str
        What has this size, for the message: ``"a file"``.

    Raises
    ------
    FileError
        If it is larger; with the limit, and how to raise it.
    """
    if n_bytes > (allowed := largest(limit)):
        raise FileError(
            f"expected {what} of at most {_shown(allowed)}, found {_shown(n_bytes)}; if you trust it, allow more: "
            f'set {VARIABLE}="{_shown(n_bytes, up=True)}"'
        )


def _shown(n_bytes: int, *, up: bool = False) -> str:
    """Return an amount in words; rounded up, where it is to be allowed."""
    power = next((p for p in (3, 2, 1) if n_bytes >= 1000**p), 0)
    if power == 0:
        return f"{n_bytes} B"
    unit = 1000**power
    return f"{-(-n_bytes // unit)} {' kMG'[power]}B" if up else f"{n_bytes / unit:.3g} {' kMG'[power]}B"


def read_bytes(path: str | Path, limit: int) -> bytes:
    """Return the contents of a regular file.

    Parameters
    ----------
    path : str or Path
        The file; ``~`` stands for the home folder.
    limit : int (bytes)
        How large it may be.

    Raises
    ------
    FileError
        If it cannot be read, is not a regular file, or is larger.
    """
    with _opened(path) as descriptor:
        check_size(os.fstat(descriptor).st_size, limit, "a file")
        pieces, n_bytes = [], 0
        while piece := os.read(descriptor, _PIECE):
            pieces.append(piece)
            n_bytes += len(piece)
            check_size(n_bytes, limit, "a file")  # it may grow meanwhile
    return b"".join(pieces)


def sha256_of(path: str | Path, limit: int) -> str:
    """Return the SHA-256 of what a regular file holds, which need not fit into memory.

    Raises
    ------
    FileError
        As `read_bytes` does.
    """
    found = hashlib.sha256()
    with _opened(path) as descriptor:
        check_size(os.fstat(descriptor).st_size, limit, "a file")
        while piece := os.read(descriptor, _PIECE):
            found.update(piece)
    return found.hexdigest()


def check_regular(path: str | Path, limit: int) -> Path:
    """Return the path of a regular file that a library is to open by itself.

    Raises
    ------
    FileError
        As `read_bytes` does.
    """
    with _opened(path) as descriptor:
        check_size(os.fstat(descriptor).st_size, limit, "a file")
    return user_path(path)


def oddity(status: os.stat_result) -> str:
    """Return what a file is, if it is no regular one; else an empty text."""
    if stat.S_ISREG(status.st_mode):
        return ""
    return next((name for test, name in _KINDS if test(status.st_mode)), "something else")


def none_there(path: str | Path, what: str = "a file") -> str:
    """Return what to tell of a path at which nothing is: that it is a URL, if it looks like one."""
    if url := url_in(path):
        return f"expected {what} of this machine, found what looks like a URL, {url}; copy it here, and name its path"
    return f"expected {what}, found none; check the path"


def check_no_url(path: str | Path) -> None:
    """Refuse a URL where a file or a folder of this machine is to be written.

    Raises
    ------
    FileError
        If it looks like one.
    """
    if (url := url_in(path)) and url == os.fspath(path):
        raise FileError(f"expected a path of this machine, found what looks like a URL, {url}; name a path")


@contextmanager
def _opened(path: str | Path) -> Iterator[int]:
    try:
        # Not to wait for the other end of a pipe, which is refused then.
        descriptor = os.open(user_path(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FileError(none_there(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"expected a readable file, found none ({reason}); check the path") from None
    try:
        if found := oddity(os.fstat(descriptor)):
            raise FileError(f"expected a regular file, found {found}; copy its contents into a file")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def damaged(what: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into one clear error.

    Libraries raise errors of every kind on bytes that nobody foresaw, so all are caught; only a library's call belongs
    into the context, lest faults of our own are hidden.

    Parameters
    ----------
    what : str
        What was expected, for the message: ``"a zip"``.

    Raises
    ------
    FileError
        In place of any error that is not of this package.
    """
    try:
        yield
    except TwinbrainError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise FileError(f"expected {what}, found none that can be read ({reason}); copy it again") from None
