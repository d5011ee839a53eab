"""What of a folder is as it was written, by digests beside it: all else is somebody's, and stays."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from twinbrain.errors import ExchangeError, Problem
from twinbrain.files import FileError, parse_json, read_text
from twinbrain.files.regular import sha256_of
from twinbrain.files.text import LARGEST_JSON

WRITTEN = "written.json"
"""Name of the file that holds the digest of every other that was written with it, by its path from the folder on."""

_OF_THE_SYSTEM = frozenset({".ds_store", "thumbs.db", "desktop.ini"})  # put by macOS and Windows into what one looks at


def keep_digests(folder: Path) -> None:
    """Write the digests of all files of a folder, which is whole, into `WRITTEN`.

    Raises
    ------
    OSError, FileError
        If it cannot be written, or a file cannot be read.
    """
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sha256_of(path, sys.maxsize) for path in files}
    (folder / WRITTEN).write_bytes(_text(digests))


def others_in(folder: Path) -> list[str]:
    """Return what is in a folder besides files that are as they were written there.

    Parameters
    ----------
    folder : Path
        One that was written with `keep_digests`, or any other.

    Returns
    -------
    list of str
        Names from the folder on, with "/" at the end of those of folders, and with a remark at files that were written
        there and are others by now. What the system puts into folders is nobody's.

    Raises
    ------
    ExchangeError
        If it cannot be read.
    """
    try:
        return list(_others(folder, _digests(folder)))
    except OSError as error:
        message = f"expected a folder that can be read: {error.strerror or error}"
        raise ExchangeError([Problem(str(folder), message)]) from None


def _digests(folder: Path) -> dict[str, str]:
    """Return the digests of what was written, those of the file that holds them among them; none if that is another."""
    path = folder / WRITTEN
    try:
        text = read_text(path, LARGEST_JSON)
        digests = parse_json(text)
        if isinstance(digests, dict) and _text(digests).decode() == text:
            return digests | {WRITTEN: sha256_of(path, LARGEST_JSON)}
    except FileError:
        pass
    return {}


def _text(digests: Mapping[str, str]) -> bytes:
    return f"{json.dumps(digests, indent=2)}\n".encode()


def _others(folder: Path, digests: Mapping[str, str], within: str = "") -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        name = within + path.name
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder and any(file.startswith(f"{name}/") for file in digests):
            yield from _others(path, digests, f"{name}/")
        elif is_folder:
            yield f"{name}/"
        elif name in digests:
            if not _is(path, digests[name]):
                yield f"{name} (which has changed)"
        elif path.name.lower() not in _OF_THE_SYSTEM:
            yield name


def _is(path: Path, digest: str) -> bool:
    try:
        return sha256_of(path, sys.maxsize) == digest
    except FileError:  # which is no file, or cannot be read
        return False
