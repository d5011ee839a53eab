"""Arrays beside a declaration that may be replaced together with it: those that it names, and no others."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from twinbrain.files import FileError, parse_toml, read_bytes, read_npz, read_text
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.files.text import LARGEST_TOML
from twinbrain.paths import user_path
from twinbrain.spec.suggest import listed

_OF_ARRAYS = frozenset({"file", "array"})


def held_besides(arrays: Path, declaration: Path, instead: bytes | None = None) -> str:
    """Return what an archive holds besides the arrays that a declaration names, in words; "" if that is nothing.

    A person may keep recorded spikes, arrays of their own making, or further ones, where a declaration is to be written
    with its own, or a copy of the declaration near it, which names the same arrays: these are not replaced.

    Parameters
    ----------
    arrays, declaration : Path
        The archive, and the TOML file in the same folder.
    instead : bytes, optional
        What takes its place, where that is known: what is there already replaces nothing.
    """
    tables = _tables_of(arrays, declaration)
    try:
        contents = read_bytes(arrays, LARGEST_ARCHIVE)
        held = set(read_npz(contents))
    except FileError as error:
        return str(error)
    if contents == instead:
        return ""
    if sharing := _others_naming(arrays, declaration):
        return f"those that {listed(sharing)} names, too"
    if others := sorted(held - {str(table["array"]) for table in tables}):
        return f"the arrays {listed(others)}"
    if not all("sha256" in table for table in tables):
        return "some that it names without their sha256, as a person does"
    digest = hashlib.sha256(contents).hexdigest()
    return "" if all(str(table["sha256"]).lower() == digest for table in tables) else "other numbers in them"


def _others_naming(arrays: Path, declaration: Path) -> list[str]:
    """Return the further declarations near one that name its archive, by their paths from its folder on."""
    folder = Path(os.path.realpath(declaration.parent))
    others = (path for path in _declarations_near(folder, declaration.stem) if path != folder / declaration.name)
    return [os.path.relpath(path, folder) for path in others if _tables_of(arrays, path, {"file"})]


def _declarations_near(folder: Path, stem: str) -> Iterator[Path]:
    """Yield what may be declarations, or backups of one, in a folder, those within it, and the one around it."""
    for near in (folder, *_in_order(folder), folder.parent):
        yield from (path for path in _in_order(near) if ".toml" in path.name.lower() or path.name.startswith(stem))


def _in_order(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # which is a file, or another user's
        return []


def _tables_of(arrays: Path, declaration: Path, keys: Set[str] = _OF_ARRAYS) -> list[dict[str, Any]]:
    """Return the tables of a declaration that name one file, however they write its path; none of what is no TOML."""
    try:
        named = _tables(parse_toml(read_text(declaration, LARGEST_TOML)), keys)
    except FileError:
        return []
    folder, file = declaration.parent, os.path.realpath(arrays)
    return [table for table in named if _real(folder, str(table["file"])) == file]


def _real(folder: Path, file: str) -> str:
    try:
        return os.path.realpath(folder / user_path(file))
    except ValueError:  # a NUL in the name
        return ""


def _tables(value: Any, keys: Set[str]) -> Iterator[dict[str, Any]]:
    """Yield every table that has some keys."""
    if isinstance(value, dict):
        if keys <= set(value):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _tables(item, keys)
