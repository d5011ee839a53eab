"""Texts that a file can hold: Python knows halves of a surrogate pair, which UTF-8 does not."""

from __future__ import annotations

from typing import Any


def check_text(value: Any) -> None:
    """Refuse half a surrogate pair in a text, in the keys and values of a table, or in a list of texts.

    Raises
    ------
    ValueError
        If there is one.
    """
    if isinstance(value, dict):
        texts = [*value, *value.values()]
    elif isinstance(value, list | tuple):
        texts = list(value) if value and isinstance(value[0], str) else []
    else:
        texts = [value]
    for text in texts:
        if isinstance(text, str) and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                half = text[error.start]
                expected = "expected a text that a file can hold"
                raise ValueError(f"{expected}, found half a surrogate pair, {half!a}; take it out") from None
