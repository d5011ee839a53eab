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
from twinbrain.spec.suggest import listed

_OF_ARRAYS = frozenset({"file", "array"})


def toml_there(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds; nothing if there is none, or it cannot be read."""
    try:
        return parse_toml(read_text(path, LARGEST_TOML))
    except FileError:
        return {}


def held_besides(arrays: Path, declaration: Path, instead: bytes | None = None) -> str:
    """Return what an archive holds besides the arrays that a declaration names, in words; "" if that is nothing.

    A person may keep recorded spikes, or further arrays, where a declaration is to be written with its own, or a copy
    of the declaration beside it, which names the same arrays: these are not replaced.

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
    digest = hashlib.sha256(contents).hexdigest()
    return (
        "" if all(str(table.get("sha256", digest)).lower() == digest for table in tables) else "other numbers in them"
    )


def goes_with(arrays: Path, declaration: Path) -> bool:
    """Return whether an archive goes when its declaration is replaced by one without arrays.

    One that was written with the declaration, whose digest that holds, does: left behind, it would be somebody else's
    to the next declaration with arrays. One that a person made and named stays, and one that another declaration in the
    folder names.

    Parameters
    ----------
    arrays, declaration : Path
        As those of `held_besides`.
    """
    tables = _tables_of(arrays, declaration)
    return bool(tables) and all("sha256" in table for table in tables) and not held_besides(arrays, declaration)


def _others_naming(arrays: Path, declaration: Path) -> list[str]:
    """Return the names of further declarations in the folder of one that name its archive."""
    others = (path for path in sorted(declaration.parent.glob("*.toml")) if path.name != declaration.name)
    return [path.name for path in others if path.is_file() and _tables_of(arrays, path, {"file"})]


def _tables_of(arrays: Path, declaration: Path, keys: Set[str] = _OF_ARRAYS) -> list[dict[str, Any]]:
    """Return the tables of a declaration that name one file, however they write its path."""
    folder, file = declaration.parent, os.path.normpath(arrays)
    named = _tables(toml_there(declaration), keys)
    return [table for table in named if os.path.normpath(folder / str(table["file"])) == file]


def _tables(value: Any, keys: Set[str]) -> Iterator[dict[str, Any]]:
    """Yield every table that has some keys."""
    if isinstance(value, dict):
        if keys <= set(value):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _tables(item, keys)
