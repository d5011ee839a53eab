"""Text, TOML and JSON: decoded with or without a byte-order mark, of bounded size and depth."""

from __future__ import annotations

import gc
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twinbrain.files.regular import MB, FileError, check_size, damaged, read_bytes

LARGEST_TEXT = 64 * MB
LARGEST_TOML = 2 * MB
LARGEST_JSON = 16 * MB
_DEEPEST = 64
_MOST_LINES = 100_000
_LONGEST_LINE = 1_000_000
# A key of many parts, "a.b.c. …", in time that grows with the length of the text alone.
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_KEY = re.compile(rf"""(?<![\w"'-])(?:{_PART}){{{_DEEPEST}}}""")


def read_text(path: str | Path, limit: int = LARGEST_TEXT) -> str:
    """Return the text in a regular file, in UTF-8, without its byte-order mark.

    Parameters
    ----------
    path : str or Path
        The file.
    limit : int (bytes)
        How large it may be.

    Raises
    ------
    FileError
        If it cannot be read, is not regular, is larger, or holds something else.
    """
    return decoded(read_bytes(path, limit))


def decoded(data: bytes, limit: int = LARGEST_TEXT) -> str:
    """Return what `read_text` does, of bytes that were read already.

    Raises
    ------
    FileError
        If they are more than ``limit``, or no text.
    """
    check_size(len(data), limit, "a file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"expected text in UTF-8, found other bytes ({error}); save it as UTF-8") from None


def lines_of(text: str) -> list[str]:
    """Return the lines of a table or a list, whatever ends them.

    Raises
    ------
    FileError
        If there are more than 100,000, or one has more than 1,000,000 characters.
    """
    if (n := max(text.count("\n"), text.count("\r"))) > _MOST_LINES:
        raise FileError(f"expected at most {_MOST_LINES:,} lines, found {n:,}; leave out what does not belong there")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if (longest := max(map(len, lines))) > _LONGEST_LINE:
        raise FileError(f"expected lines of at most {_LONGEST_LINE:,} characters, found one of {longest:,}")
    return lines


@contextmanager
def uncollected() -> Iterator[None]:
    """Put garbage collection off: as deep as the parser of a nested text may get, finalizers of others would fail."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table that a TOML text describes.

    Raises
    ------
    FileError
        If there is a fault in it, or it is too long, or its tables and lists lie too deep in each other.
    """
    check_size(len(text), LARGEST_TOML, "a TOML file")
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise FileError(f"expected keys of at most {_DEEPEST} parts, found more at line {line}; shorten the key")
    with damaged("a TOML file"), uncollected():
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise FileError(f"expected a TOML file, found a fault in it: {error}") from None
    _check_depth(data)
    return data


def parse_json(data: str | bytes, limit: int = LARGEST_JSON) -> Any:
    """Return what a JSON text describes; numbers in it are finite, and no table has a key twice.

    Raises
    ------
    FileError
        If there is a fault in it, or it is too long, or its tables and lists lie too deep in each other.
    """
    check_size(len(data), limit, "a JSON file")
    with damaged("a JSON file"), uncollected():
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        try:
            found = json.loads(
                text, parse_constant=_not_finite, parse_float=_finite, parse_int=_whole, object_pairs_hook=_table
            )
        except json.JSONDecodeError as error:
            raise FileError(f"expected a JSON file, found a fault in it: {error}") from None
    _check_depth(found)
    if "\\ud" in text.lower():  # all of which takes as long as to read it
        check_unicode(found)
    return found


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise FileError(f"expected each key of a table once, found {twice!r} again; take one out")
    return found


def check_unicode(found: Any) -> None:
    """Refuse what was read from JSON if it holds half of a surrogate pair, which no file and no figure can show.

    Raises
    ------
    FileError
        If it does.
    """
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FileError("expected text in Unicode, found half of a surrogate pair; write the character whole") from None


def _not_finite(text: str) -> float:
    raise FileError(f"expected finite numbers, found {text}")


def _whole(text: str) -> int:
    return value if (value := int(text)).bit_length() < 1000 else int(_not_finite(f"one of {len(text)} digits"))


def _finite(text: str) -> float:
    return value if abs(value := float(text)) < float("inf") else _not_finite(text)


def _check_depth(data: Any) -> None:
    """Refuse data whose depth would exhaust what walks through it by recursion."""
    level: list[Any] = [[data]]
    for _ in range(_DEEPEST):
        items = (item for part in level for item in (part.values() if isinstance(part, dict) else part))
        level = [item for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise FileError(f"expected tables and lists at most {_DEEPEST} deep, found deeper ones; make it flatter")
