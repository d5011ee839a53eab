"""Cut a text into the pieces of an expression; a character that is in none is refused, with its place."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from twinbrain.errors import Problem, SpecError

LONGEST_TEXT = 20_000
"""Characters of a text."""
_LONGEST_NUMBER = 40
_SHOWN = 60

Kind = Literal["number", "name", "operator", "line", "end"]


class Token(NamedTuple):
    """A piece of text: what kind it is, how it is written, and the index of its first character."""

    kind: Kind
    text: str
    at: int


_PIECE = re.compile(
    r"(?P<blank>[ \t\r]+|\#[^\n]*)"
    r"|(?P<line>[;\n])"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|[<>=!]=|[-+*/]=|[-+*/()<>=,:])",
    re.ASCII,
)
_ADVICE = {
    "^": '; a power is written "**"',
    "&": '; write "and"',
    "|": '; write "or"',
    "~": '; write "not"',
    "!": '; write "not"',
    "[": '; write "("',
    "{": '; write "("',
}


class PlacedError(SpecError):
    """A text that is not of the language.

    Parameters
    ----------
    text : str
        The whole text.
    at : int
        Index of the character where it goes wrong.
    message : str
        What was expected, what was found, and what to do.
    """

    def __init__(self, text: str, at: int, message: str) -> None:
        super().__init__([Problem("", f"{place(text, at)}: {message}")])


def place(text: str, at: int) -> str:
    """Return where a character stands: line and column, and what of the line is before it."""
    start = text.rfind("\n", 0, at) + 1
    line = text.count("\n", 0, at) + 1
    before = text[start:at]
    shown = printable(before.strip() if len(before) <= _SHOWN else f"…{before[-_SHOWN:]}")
    return f"line {line}, column {at - start + 1}" + (f" (after {shown!r})" if shown else "")


def printable(text: str) -> str:
    """Return text without characters that a terminal would not print as they are."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def tokens_of(text: str) -> list[Token]:
    """Return the pieces of a text, an "end" last; blanks and comments (``# …``) are none.

    Raises
    ------
    SpecError
        If a character is in no piece, or the text or a number is too long.
    """
    if len(text) > LONGEST_TEXT:
        raise SpecError(f"expected at most {LONGEST_TEXT} characters, found {len(text)}; make it shorter")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            shown = printable(text[at])
            advice = _ADVICE.get(text[at], "")
            raise PlacedError(
                text, at, f"expected numbers, names, operators and parentheses alone, found '{shown}'{advice}"
            )
        kind, piece = match.lastgroup, match.group()
        if kind == "number":
            _check_number(text, match)
        if kind != "blank":
            found.append(Token(kind, piece, at))  # type: ignore[arg-type]
        at = match.end()
    return [*found, Token("end", "", len(text))]


def _check_number(text: str, match: re.Match[str]) -> None:
    piece, after = match.group(), text[match.end() : match.end() + 1]
    if after and (after.isalnum() or after in "_."):
        raise PlacedError(
            text, match.end(), f"expected a number such as 2 or 0.5e-3, found '{printable(piece + after)}'"
        )
    if len(piece) > _LONGEST_NUMBER or float(piece) == float("inf"):
        shown = piece if len(piece) <= _LONGEST_NUMBER else f"{piece[:_LONGEST_NUMBER]}…"
        raise PlacedError(
            text,
            match.start(),
            f"expected a number of at most {_LONGEST_NUMBER} characters, up to 1.8e308, found {shown}",
        )
