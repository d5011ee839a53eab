"""Plain data as TOML to read: short tables on a line, long ones under a header of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_WIDTH = 120
# Characters that no comment may hold, or no file.
_NO_COMMENT = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
# A table of so few values stays on its line.
_FEW = 4


def toml_text(data: dict[str, Any], apart: frozenset[str] = frozenset()) -> str:
    """Return TOML from which ``tomllib`` reads equal data.

    Parameters
    ----------
    data : dict
        Nested dicts, lists, strings, numbers and truth values.
    apart : frozenset of str
        Tables at the top whose every table has a header of its own, however short.
    """
    return "\n".join(_table(data, (), apart)).lstrip("\n") + "\n"


def comment(text: str) -> str:
    """Return a text as lines of a comment, so that nothing in it is read as anything else; of an empty one, none."""
    shown = (_NO_COMMENT.sub(lambda found: repr(found[0])[1:-1], line) for line in text.splitlines())
    return "".join(f"# {line}".rstrip() + "\n" for line in shown)


def _table(data: dict[str, Any], path: tuple[str, ...], apart: frozenset[str]) -> Iterator[str]:
    tables = _with_headers(data, path, apart)
    for key, value in data.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value, line=True)}"
    for key in tables:
        header = ".".join(map(_key, (*path, key)))
        for item in data[key] if isinstance(data[key], list) else [data[key]]:
            # A table of tables alone needs no header.
            if isinstance(data[key], list):
                yield from ("", f"[[{header}]]")
            elif not item or set(_with_headers(item, (*path, key), apart)) != set(item):
                yield from ("", f"[{header}]")
            yield from _table(item, (*path, key), apart)


def _with_headers(data: dict[str, Any], path: tuple[str, ...], apart: frozenset[str]) -> list[str]:
    """Return the keys of the tables that have headers of their own."""
    if not path:
        return [key for key, value in data.items() if isinstance(value, dict) or _is_of_tables(value)]
    tables = [key for key, value in data.items() if isinstance(value, dict)]
    lists = [key for key, value in data.items() if _is_of_tables(value) and len(_value(value)) > _WIDTH]
    if len(path) == 1 and path[0] in apart:
        return tables + lists
    long = [key for key in tables if _leaves(data[key]) > _FEW and len(f"{_key(key)} = {_value(data[key])}") > _WIDTH]
    # In one place or the other: what is read from the file then has the order of the data.
    return (tables if long and len(tables) == len(data) else long) + lists


def _leaves(value: Any) -> int:
    return sum(map(_leaves, value.values())) if isinstance(value, dict) else 1


def _is_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _value(value: Any, *, line: bool = False) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _lines(value) if line and "\n" in value else _text(value)
        case dict():
            inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() if line and all(isinstance(item, str) for item in value) and sum(map(len, value)) > _WIDTH:
            return "\n".join(["[", *(f"  {_value(item)}," for item in value), "]"])
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return repr(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(text: str) -> str:
    """Return a text of several lines as such, where nothing in it stands against that."""
    if not all(character.isprintable() or character in "\n\t" for character in text) or text.endswith('"'):
        return _text(text)
    escaped = text.replace("\\", "\\\\").replace('"""', '""\\"')
    return f'"""\n{escaped}"""'
